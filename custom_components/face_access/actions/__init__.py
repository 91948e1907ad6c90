"""Home Assistant actions for stations: one table, which knows capabilities and no family."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, SupportsResponse, callback
from homeassistant.helpers import config_validation as cv
import probatio as vol

from ..access import Liveness
from ..const import DOMAIN
from ..devices.station import CredentialKind
from ..hub.doors.wired import held_door
from . import fields
from .confirm import confirm_access
from .credentials import add_identifier, get_qr_code, list_identifiers, remove_identifier, reset_passes
from .door import close_door, deny_access, hold_door_open, open_door, send_wiegand
from .explain import explain_access
from .media import PICTURE_FIELDS, SOUND_FIELDS
from .people import async_setup_people_actions
from .recognition import async_setup_recognition_actions
from .records import get_records
from .request import Action
from .scans import async_setup_scan_actions
from .schedule import add_schedule, get_schedule, set_schedule
from .screen import delete_screensaver, list_screensavers, show_image, show_text, upload_screensaver
from .sip import sip_call, sip_hangup, sip_register
from .sound import list_sounds, play_audio, say

_POSITION = fields.whole(0, 4096)
_DOOR: Mapping[vol.Marker, Any] = {vol.Optional("door", default=1): fields.whole(1, 99)}
_UID: Mapping[vol.Marker, Any] = {vol.Required("uid"): fields.whole(0, 2**31 - 1)}
_KIND = vol.In([kind.value for kind in CredentialKind])

ACTIONS: tuple[Action[Any], ...] = (
    Action(
        name="open_door",
        capability=lambda station: station.doors or None,
        handler=open_door,
        fields=_DOOR,
    ),
    Action(
        name="hold_door_open",
        capability=held_door,
        handler=hold_door_open,
        fields={**_DOOR, vol.Required("duration"): fields.positive_duration},
    ),
    Action(
        name="close_door",
        capability=held_door,
        handler=close_door,
        fields=_DOOR,
    ),
    Action(
        name="deny_access",
        capability=held_door,
        handler=deny_access,
        fields={},
    ),
    Action(
        name="say",
        capability=lambda station: station.speech,
        handler=say,
        fields={vol.Required("message"): fields.text},
    ),
    Action(
        # It tells whether somebody could come in: a question for whoever may open the door.
        name="test_access",
        capability=lambda station: station.doors or None,
        handler=explain_access,
        fields={
            vol.Required("person_id"): fields.text,
            vol.Optional("door", default=1): fields.whole(1, 99),
            vol.Optional("camera"): fields.text,
            vol.Optional("at"): fields.moment,
            vol.Optional("score", default=100): fields.whole(0, 100),
            vol.Optional("liveness", default="live"): vol.In([each.value for each in Liveness]),
        },
        response=SupportsResponse.ONLY,
        controls=True,
    ),
    Action(
        name="confirm_access",
        capability=lambda station: station.doors or None,
        handler=confirm_access,
        fields={vol.Required("person_id"): fields.text, vol.Optional("door", default=1): fields.whole(1, 99)},
        response=SupportsResponse.OPTIONAL,
    ),
    Action(
        name="show_text",
        capability=lambda station: station.screen,
        handler=show_text,
        fields={
            vol.Required("message"): fields.text,
            vol.Optional("title"): fields.text,
            vol.Optional("x", default=0): _POSITION,
            vol.Optional("y", default=500): _POSITION,
            vol.Optional("size", default=60): fields.whole(8, 400),
            vol.Optional("color", default=[255, 255, 255]): fields.color,
            vol.Optional("duration", default=timedelta(seconds=5)): fields.positive_duration,
        },
    ),
    Action(
        name="show_image",
        capability=lambda station: station.screen,
        handler=show_image,
        fields={
            **PICTURE_FIELDS,
            vol.Optional("x", default=0): _POSITION,
            vol.Optional("y", default=0): _POSITION,
            vol.Optional("duration", default=timedelta(seconds=10)): fields.duration,
        },
    ),
    Action(
        name="play_audio",
        capability=lambda station: station.audio,
        handler=play_audio,
        fields={**SOUND_FIELDS, vol.Optional("sound"): fields.text},
    ),
    Action(
        name="list_sounds",
        capability=lambda station: station.audio,
        handler=list_sounds,
        fields={},
        response=SupportsResponse.ONLY,
    ),
    Action(
        name="send_wiegand",
        capability=lambda station: station.card_output,
        handler=send_wiegand,
        fields={vol.Required("card"): fields.whole(0, 2**64 - 1, exact=True)},
    ),
    Action(
        name="sip_register",
        capability=lambda station: station.sip,
        handler=sip_register,
        fields={
            vol.Required("domain"): fields.text,
            vol.Optional("port", default=5060): fields.whole(1, 65535),
            vol.Required("username"): fields.text,
            vol.Optional("password"): fields.secret,
        },
    ),
    Action(
        name="sip_call",
        capability=lambda station: station.sip,
        handler=sip_call,
        fields={vol.Required("url"): fields.sip_url},
    ),
    Action(
        name="sip_hangup",
        capability=lambda station: station.sip,
        handler=sip_hangup,
        fields={},
    ),
    Action(
        name="get_records",
        capability=lambda station: station,
        handler=get_records,
        fields={
            vol.Optional("start"): fields.moment,
            vol.Optional("end"): fields.moment,
            vol.Optional("limit", default=100): fields.whole(1, 1000),
            vol.Optional("fetch", default=False): cv.boolean,
        },
        response=SupportsResponse.ONLY,
    ),
    Action(
        name="get_schedule",
        capability=lambda station: station.schedule,
        handler=get_schedule,
        fields={},
        response=SupportsResponse.ONLY,
    ),
    Action(
        name="set_schedule",
        capability=lambda station: station.schedule,
        handler=set_schedule,
        fields={vol.Required("rules"): fields.rules(0)},
    ),
    Action(
        name="add_schedule",
        capability=lambda station: station.schedule,
        handler=add_schedule,
        fields={vol.Required("rules"): fields.rules(1)},
    ),
    Action(
        name="add_identifier",
        capability=lambda station: station.credentials,
        handler=add_identifier,
        fields={
            vol.Required("kind"): _KIND,
            vol.Required("owner"): fields.text,
            vol.Optional("number"): fields.secret_number,
            **PICTURE_FIELDS,
            vol.Optional("guest", default=False): cv.boolean,
            vol.Optional("door"): fields.whole(1, 99),
            vol.Optional("valid_from"): fields.moment,
            vol.Optional("valid_until"): fields.moment,
            vol.Optional("max_passes"): fields.whole(1, 1_000_000),
        },
        response=SupportsResponse.OPTIONAL,
    ),
    Action(
        # Whose card there is tells who lives there, and the numbers open doors: reading is not enough for it.
        name="list_identifiers",
        capability=lambda station: station.credentials,
        handler=list_identifiers,
        fields={vol.Optional("kind"): _KIND, vol.Optional("numbers", default=False): cv.boolean},
        response=SupportsResponse.ONLY,
        controls=True,
    ),
    Action(
        name="remove_identifier",
        capability=lambda station: station.credentials,
        handler=remove_identifier,
        fields=_UID,
    ),
    Action(
        name="reset_passes",
        capability=lambda station: station.credentials,
        handler=reset_passes,
        fields=_UID,
    ),
    Action(
        name="get_qr_code",
        capability=lambda station: station.credentials,
        handler=get_qr_code,
        fields={**_UID, vol.Optional("path"): fields.file_path},
        response=SupportsResponse.ONLY,
        controls=True,
    ),
    Action(
        name="list_screensavers",
        capability=lambda station: station.screensaver,
        handler=list_screensavers,
        fields={},
        response=SupportsResponse.ONLY,
    ),
    Action(
        name="upload_screensaver",
        capability=lambda station: station.screensaver,
        handler=upload_screensaver,
        fields={**PICTURE_FIELDS, vol.Optional("name"): fields.text},
        response=SupportsResponse.OPTIONAL,
    ),
    Action(
        name="delete_screensaver",
        capability=lambda station: station.screensaver,
        handler=delete_screensaver,
        fields={vol.Required("names"): vol.All(cv.ensure_list, [fields.text], vol.Length(min=1))},
    ),
)


@callback
def async_setup_actions(hass: HomeAssistant) -> None:
    """Register all actions, whatever stations there are."""
    async_setup_people_actions(hass)
    async_setup_scan_actions(hass)
    async_setup_recognition_actions(hass)
    for action in ACTIONS:
        hass.services.async_register(
            DOMAIN,
            action.name,
            action.run,
            schema=vol.Schema({vol.Required(ATTR_DEVICE_ID): cv.string, **action.fields}),
            supports_response=action.response,
        )
