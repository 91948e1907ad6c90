"""What a station just told, put into what was last read of it: between two readings nobody else would say it."""

from dataclasses import replace

from ...access import Alarm, AlarmKind, ContactMoved
from ...devices.station import Reading, SettingValue

_ALARMS: dict[AlarmKind, tuple[str, bool]] = {
    AlarmKind.DOOR_LEFT_OPEN: ("door_left_open", True),
    AlarmKind.SIP_LOST: ("sip_registered", False),
}


def after(reading: Reading, event: ContactMoved | Alarm) -> Reading:
    """Give the reading as it would be now. Facts that the station was never seen to have stay away."""
    told: dict[str, SettingValue] = {}
    match event:
        case ContactMoved():
            told["door_open"] = event.open
            if not event.open:
                told["door_left_open"] = False
        case Alarm() if event.kind in _ALARMS:
            fact, value = _ALARMS[event.kind]
            told[fact] = value
    known = {key: value for key, value in told.items() if key in reading.facts}
    return replace(reading, facts={**reading.facts, **known}) if known else reading
