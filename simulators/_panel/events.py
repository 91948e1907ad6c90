"""The keys of the event log, what each says, and which of them a family of panels has."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of log entry."""

    category: str
    priority: str
    text: str


_ACCESS: Final = {
    "access_granted_by_api_call": "Lock opened from the web interface",
    "access_granted_by_call_host": "Lock opened by the called side",
    "access_granted_by_master_code": "Lock opened by master code",
    "access_granted_by_remote_server_api_call": "Lock opened by remote access server",
    "access_granted_by_valid_identifier": "Lock opened by identifier",
    "access_granted_by_valid_face_identifier": "Lock opened by face",
    "lock_was_opened_by_exit_btn": "Lock opened by exit button",
    "lock_was_opened_by_free_access_button": "Lock opened by free access button",
    "emergency_lock_is_opened": "Lock opened in emergency mode",
    "access_denied_by_not_valid_identifier": "Access denied: identifier not valid",
    "access_denied_by_not_valid_face_identifier": "Access denied: face not valid",
    "access_denied_by_not_valid_input_code": "Access denied: code not valid",
    "access_denied_by_remote_server_api_call": "Access denied by remote access server",
    "access_denied_by_web_api_call": "Access denied from the web interface",
    "access_denied_by_unknown_card": "Access denied: unknown card",
    "access_denied_by_unknown_qr_code": "Access denied: unknown QR code",
    "access_denied_unknown_identifier": "Access denied: unknown identifier",
    "multi_access_granted": "Lock opened by several identifiers",
    "multi_access_denied": "Access denied: several identifiers are needed",
    "identifiers_without_linkage_to_user_access_denied": "Access denied: identifier of nobody",
    "door_was_opened": "Door leaf was opened",
    "door_was_closed": "Door leaf was closed",
    "door_sensor_was_opened": "Door was opened",
    "door_sensor_was_closed": "Door was closed",
}
_INFO: Final = {
    "incoming_call": "Incoming call",
    "outgoing_call": "Outgoing call",
    "outgoing_call_missed": "Outgoing call was not answered",
    "outgoing_call_web": "Outgoing call from the web interface",
    "device_booted": "Device started",
    "sip_registration_lost": "SIP registration lost",
}
_SYSTEM: Final = {
    "successful_login_api_call": "Successful login to the API",
    "incorrect_login_api_call": "Incorrect login to the API",
    "successful_login_gui_settings": "Successful login at the panel",
    "incorrect_login_gui_settings": "Incorrect login at the panel",
}
_EMERGENCY: Final = {
    "door_was_not_closed_too_long": "Door was not closed too long",
    "lock_is_opened_too_long": "Lock is open too long",
    "tamper_event": "Panel was opened",
}
_LIFT: Final = {
    "lift_call_success": "Lift was called",
    "lift_call_error": "Lift could not be called",
    "lift_module_access_error": "Lift module does not answer",
}
# Of what only the newest document has (identifiers that are shared, a lift that is bound) no panel here knows.
EVENTS: Final = {
    key: Event(category, priority, text)
    for category, priority, table in (
        ("access", "medium", _ACCESS),
        ("info", "low", _INFO),
        ("system", "low", _SYSTEM),
        ("emergency", "high", _EMERGENCY),
        ("lift", "low", _LIFT),
    )
    for key, text in table.items()
}

_CAMDROID_ALONE: Final = frozenset(
    {"access_denied_by_web_api_call", "access_denied_by_unknown_qr_code", "lock_is_opened_too_long"}
)
# Camdroid panels have no faces and say nothing of tampering, starts, SIP and calls that nobody takes.
_ANDROID_ALONE: Final = frozenset(
    {
        "access_granted_by_valid_face_identifier",
        "access_denied_by_not_valid_face_identifier",
        "access_denied_unknown_identifier",
        "lock_was_opened_by_free_access_button",
        "emergency_lock_is_opened",
        "outgoing_call_missed",
        "device_booted",
        "sip_registration_lost",
        "successful_login_gui_settings",
        "incorrect_login_gui_settings",
        "door_was_not_closed_too_long",
        "tamper_event",
    }
)


def keys_of(family: str) -> frozenset[str]:
    """The keys that a family of panels writes."""
    return frozenset(EVENTS) - (_CAMDROID_ALONE if family == "android" else _ANDROID_ALONE)
