"""The inside of the terminal: its memory, its clock, its screen and loudspeaker, and the log of what its peer did."""

from collections import deque
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
import json
from pathlib import Path
import time
from typing import Any, Final
from urllib.parse import urlsplit

from .doors import Doors
from .fields import DEFAULT_APP_PARAMS, DEFAULT_STREAM_PARAMS
from .model import STAMP, Capture, Opening, Person, Timings, person_from_json, person_to_json, seeded_people

AUDIO_LIST: Final = ("pass", "fail", "no_mask", "temperature_high", "doorbell")
HARDWARE: Final[dict[str, dict[str, Any]]] = {
    "Board": {"manu": "FSAN", "model": "FSAN_02"},
    "Chip": {"manu": "HISI", "model": "HI3516AV200"},
    "Flash": {"manu": "", "model": "", "size": 0},
    "FourG": {"moduler_4g": "YES"},
    "Lcd": {
        "manu": "",
        "model": "LCD_WY_720_576",
        "support": ["LCD_WY_720_576", "LCD_WY_1280x800", "LCD_WY_1024x600"],
    },
    "Motor": {"manu": "", "model": "", "type": "RSA"},
    "Sensor": {"manu": "SONY", "model": "IMX327D"},
    "WIFI": {"manu": "", "model": ""},
}
FIRMWARE: Final = {
    "system": "FaceGate",
    "appversion": "0.10.2",
    "algversion": "HV6.0",
    "platform": "HI3516AV200",
    "sensor": "IMX327D",
    "board": "FSAN_02",
    "motor": "RSA",
    "lcd": "LCD_720_576",
    "timestamp": "2019-02-28 18:22:01",
}
_KEPT: Final = (
    "app",
    "stream",
    "schedule",
    "screensaver",
    "media",
    "volume",
    "hardware",
    "firmware",
    "last_upgrade_code",
    "sip_account",
    "aes_enabled",
    "clock_offset",
    "sequence",
)


@dataclass(slots=True, kw_only=True)
class Upload:
    """A file that is being uploaded in chunks (2.14.2)."""

    total: int
    data: bytearray


class Core:
    """State of one terminal. Everything that a command changes and a scene shows is an attribute here."""

    def __init__(
        self,
        *,
        serial: str,
        name: str | None = None,
        clock: Callable[[], float] = time.time,
        clock_offset: float = 0.0,
        utc_offset: float | None = None,
        timings: Timings | None = None,
        people: Iterable[Person] | None = None,
        relays: int = 1,
        capacity: int = 5000,
        auth_code: bytes = b"customer-0001",
        aes_key: bytes = b"",
        state_file: Path | None = None,
    ) -> None:
        """`clock` gives true unix seconds; `utc_offset` (seconds) is the zone of the device, the host's by default.

        `name` is the place that a new device was given (addr_name).
        """
        self.serial = serial
        self.timings = timings or Timings()
        self.capacity = capacity
        self.auth_code = auth_code
        self.aes_key = aes_key
        self.aes_enabled = False
        self._clock = clock
        self.clock_offset = clock_offset
        self._zone: tzinfo | None = None if utc_offset is None else _zone(utc_offset)
        self._state_file = state_file

        self.app = deepcopy(DEFAULT_APP_PARAMS)
        if name is not None:
            self.app["device_info"]["addr_name"] = name
        self.stream = deepcopy(DEFAULT_STREAM_PARAMS)
        self.schedule: list[dict[str, Any]] = []
        self.people: dict[str, Person] = {p.id: p for p in (seeded_people() if people is None else people)}
        self.records: list[Capture] = []
        self.sequence = 0
        self.screensaver = "none"
        self.media: dict[int, str] = {}  # sequence -> media_name
        self.files: dict[str, bytes] = {}
        self.uploads: dict[str, Upload] = {}
        self.volume = 50
        self.hardware: dict[str, dict[str, Any]] = deepcopy(HARDWARE)
        self.firmware = dict(FIRMWARE)
        self.last_upgrade_code = 0
        self.sip_account: dict[str, Any] | None = None

        self.temperature: float = 36.5  # of whoever stands before the terminal
        self.mask = False
        self.doors = Doors(relays, lambda: self.app["gate_control"], self.local_time)
        self.spoken: list[dict[str, str]] = []
        self.texts: list[dict[str, Any]] = []
        self.images: list[dict[str, Any]] = []
        self.audio: list[dict[str, Any]] = []
        self.commands: list[str] = []
        self.violations: list[str] = []
        self.log: deque[dict[str, str]] = deque(maxlen=200)
        self.online = False

        # Filled in by SimulatedTerminal: what a command sets off outside the memory.
        self.on_settings: Callable[[], None] = lambda: None
        self.on_reboot: Callable[[float], None] = lambda _seconds: None
        self.on_call: Callable[[str], None] = lambda _url: None
        self.on_hangup: Callable[[], bool] = lambda: False
        self.in_call: Callable[[], bool] = lambda: False
        self.restore()

    # The clock: the device knows only its own, in local time without a zone.

    def timestamp(self) -> float:
        """Unix seconds of the device clock."""
        return self._clock() + self.clock_offset

    def local(self, stamp: float | None = None) -> datetime:
        """The device-local time, naive."""
        moment = datetime.fromtimestamp(self.timestamp() if stamp is None else stamp, UTC)
        return moment.astimezone(self._zone).replace(tzinfo=None)

    def local_time(self) -> str:
        """The device-local time as the document prints it."""
        return self.local().strftime(STAMP)

    def set_local(self, moment: datetime) -> None:
        """Set the clock to a device-local time."""
        aware = moment.replace(tzinfo=self._zone) if self._zone else moment.astimezone()
        self.clock_offset = aware.timestamp() - self._clock()

    # What the peer did.

    def note(self, kind: str, what: str) -> None:
        """One line of the log: `kind` is in, out, scene, link or door."""
        self.log.append({"time": self.local_time(), "kind": kind, "text": what[:300]})

    def violation(self, what: str) -> None:
        """The peer did something that the document forbids."""
        self.violations.append(what)
        self.note("violation", what)

    # Screen and loudspeaker.

    def speak(self, words: str, source: str) -> None:
        """Say a text."""
        self.spoken.append({"time": self.local_time(), "text": words, "source": source})

    def show_text(self, display: dict[str, Any], source: str) -> None:
        """Show a text for its time (ms)."""
        until = time.monotonic() + display["alive_time"] / 1000
        self.texts.append({**display, "time": self.local_time(), "source": source, "until": until})

    def show_image(self, data: bytes, display: dict[str, Any]) -> None:
        """Show an image for its time (ms; 0: for ever)."""
        until = time.monotonic() + display["alive_time"] / 1000 if display["alive_time"] else float("inf")
        position = display["position"]
        self.images.append({"data": data, "time": self.local_time(), "position": position, "until": until})
        del self.images[:-5]

    def play(self, name: str, seconds: float) -> None:
        """Play a sound."""
        self.audio.append({"time": self.local_time(), "name": name, "seconds": round(seconds, 3)})

    def gate(self, control: dict[str, Any], source: str, *, is_realtime: bool = True) -> str | None:
        """Switch an output by remote control (2.2.1.2, 2.5, 2.6); return what forbids it, None when it is in order.

        `control`: device_type, device_no, long_card_id, ctrl_mode, person_id. In mode `scene` only the output
        that is enabled (output_mode) reacts.
        """
        kind, number, person = control["device_type"], control["device_no"], control.get("person_id")
        enabled = control["ctrl_mode"] != "scene" or self.app["gate_control"]["output_mode"] == kind
        reason = f"{source} {control['ctrl_mode']}"
        if kind == "gpio":
            if number not in self.doors.ports:
                return f"there is no gpio {number}"
            if enabled:
                self.doors.open(number, reason, person, is_realtime=is_realtime)
            return None
        if number and control.get("long_card_id"):
            return "the short card number must be 0 when long_card_id is used"
        if enabled:
            self.doors.send_card(number or control.get("long_card_id", 0), reason, person)
        return None

    # Links: where the device calls.

    def upload_url(self) -> str | None:
        """Where captures go (2.3.1 upload_info), None when they are not pushed by HTTP."""
        link = self.app["upload_info"]
        return _build_url(link, link.get("service_url", "")) if link["method"] == "http" else None

    def control_url(self) -> str | None:
        """Where heartbeats go (2.3.1 extranet), None when the control service is off or not HTTP."""
        link = self.app["extranet"]
        return _build_url(link, link["url"]) if link["enable"] and link["mode"] == "http" else None

    # On disk.

    def save(self) -> None:
        """Write the state file, when there is one."""
        if self._state_file is None:
            return
        data: dict[str, Any] = {key: getattr(self, key) for key in _KEPT}
        data["aes_key"] = self.aes_key.hex()
        data["people"] = [person_to_json(person) for person in self.people.values()]
        data["records"] = [record.as_dict() for record in self.records[-2000:]]
        data["openings"] = [asdict(opening) for opening in self.doors.openings]
        data["files"] = {path: content.hex() for path, content in self.files.items()}
        temporary = self._state_file.with_suffix(".new")
        temporary.write_text(json.dumps(data))
        temporary.replace(self._state_file)

    def restore(self) -> None:
        """Read the state file, when there is one."""
        if self._state_file is None or not self._state_file.exists():
            return
        data = json.loads(self._state_file.read_text())
        for key in _KEPT:
            setattr(self, key, data[key])
        self.aes_key = bytes.fromhex(data["aes_key"])
        self.media = {int(sequence): name for sequence, name in data["media"].items()}
        self.people = {person["id"]: person_from_json(person) for person in data["people"]}
        self.records = [Capture(**record) for record in data["records"]]
        self.doors.openings = [Opening(**opening) for opening in data["openings"]]
        self.files = {path: bytes.fromhex(content) for path, content in data["files"].items()}


def _zone(seconds: float) -> tzinfo:
    """A fixed zone."""
    return timezone(timedelta(seconds=seconds))


def _build_url(link: dict[str, Any], path: str) -> str | None:
    """The URL of a link: an ip goes before a domain; a host that starts with https:// means https."""
    host = link.get("server_ip") or link.get("server_domain")
    if not host or "server_port" not in link:
        return None
    scheme, _, name = host.rpartition("://")
    return f"{scheme or 'http'}://{name}:{link['server_port']}/{path.lstrip('/')}"


def link_of(url: str, path_key: str) -> dict[str, Any]:
    """The parameters that make the device call `url`: address, port and, under `path_key`, the path with query."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    key = "server_ip" if host.replace(".", "").isdigit() else "server_domain"
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return {key: f"https://{host}" if parts.scheme == "https" else host, "server_port": port, path_key: path}
