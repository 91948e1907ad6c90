"""The inside of the panel: its memory, its clock, its log, and the account of what its peer did."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import UTC, datetime
import json
from pathlib import Path
import time
from typing import Any, Final
from uuid import UUID, uuid5

from .accounts import Accounts
from .calls import Calls
from .camera import Camera
from .door import Door
from .faces import Faces
from .identifiers import Identifiers
from .journal import Journal
from .locks import Locks
from .model import MODELS, Opening, Timings
from .outlets import Mqtt, Syslog
from .profiles import Profiles
from .remote import Remote
from .rtsp import Stream
from .settings import Settings
from .webhooks import Webhooks

_SERIALS: Final = UUID("5f6cd6a5-6cc5-4a4c-9d6b-0ad1c5a0b1f7")
_RECORDS: Final = 2000


class Core:
    """State of one panel. Everything that a request changes and a scene shows is an attribute here."""

    def __init__(
        self,
        *,
        model: str = "AA-12FB",
        serial: str | None = None,
        name: str | None = None,
        password: str | None = None,
        api: str | None = None,
        firmware: str | None = None,
        basic: bool | None = None,
        photo: str | None = None,
        inferred: bool = True,
        switch_field: str | None = None,
        signed: str = "body",
        clock: Callable[[], float] = time.time,
        clock_offset: float = 0.0,
        timings: Timings | None = None,
        seeded: bool = True,
        state_file: Path | None = None,
    ) -> None:
        """`model` is a key of MODELS; `api` and `firmware` replace its versions.

        `serial` is a UUID, by default one for each model. `basic` says whether HTTP Basic is taken instead of a token,
        `photo` how pictures come (webp, jpeg, base64); by default both are the model's. With `inferred` the calls are
        answered whose paths no document shows. `switch_field` is how the remote access switch is spelled (enable,
        enabled). `signed` says what a webhook's signature covers: `body`, or `timestamp.body`.
        """
        self.model = MODELS[model].with_versions(api, firmware)
        self.serial = serial or str(uuid5(_SERIALS, model))
        self.name = name or model
        self.timings = timings or Timings()
        self.basic = self.model.has("basic") if basic is None else basic
        self.photo = photo or self.model.photo
        self.inferred = inferred
        self.switch_field = switch_field or (
            "enabled" if self.model.family == "camdroid" or self.model.since("2.15.0") else "enable"
        )
        self.signed = signed
        self.host = "127.0.0.1"
        self.port = 0
        self.tls = False
        self._clock = clock
        self.clock_offset = clock_offset
        self.booted_at = self.timestamp()
        self._state_file: Path | None = None  # not before there is a state
        self._tasks: set[asyncio.Task[Any]] = set()
        self._account_of_peer()
        self._parts(password, seeded=seeded)
        self._state_file = state_file
        self.restore()

    def _account_of_peer(self) -> None:
        """What the peer did, and what failures it is to meet."""
        self.violations: list[str] = []
        self.requests: deque[tuple[str, str, int]] = deque(maxlen=5000)  # method, path without base, status
        self.acts: Counter[str] = Counter()  # calls that act by GET, by path: a repeat is visible
        self.log: deque[dict[str, str]] = deque(maxlen=200)
        self.failures: list[dict[str, Any]] = []
        self.online = False
        self.visitor = "nobody"  # who the camera sees
        self.visitor_photo = False
        self.texts: list[str] = []  # what the panel showed or said
        self.firmware_offered: str | None = None

        # Filled in by SimulatedPanel: what a request sets off outside the memory.
        self.on_reboot: Callable[[float], None] = lambda _seconds: None
        self.on_ssl: Callable[[], None] = lambda: None

    def _parts(self, password: str | None, *, seeded: bool) -> None:
        self.journal = Journal(self)
        self.accounts = Accounts(self, password)
        self.settings = Settings(self)
        self.profiles = Profiles(self)
        self.identifiers = Identifiers(self, seeded=seeded)
        self.faces = Faces(self)
        self.locks = Locks(self)
        self.door = Door(self)
        self.calls = Calls(self)
        self.camera = Camera(self)
        self.stream = Stream(self)
        self.remote = Remote(self)
        self.webhooks = Webhooks(self)
        self.mqtt = Mqtt(self)
        self.syslog = Syslog(self)

    # The clock.

    def timestamp(self) -> float:
        """Unix seconds of the device clock."""
        return self._clock() + self.clock_offset

    def milliseconds(self) -> int:
        """Unix milliseconds of the device clock, as the log has them."""
        return int(self.timestamp() * 1000)

    # What the peer did.

    def note(self, kind: str, what: str) -> None:
        """One line of the log of the simulator: `kind` is in, out, scene, event or door."""
        stamp = datetime.fromtimestamp(self.timestamp(), UTC).strftime("%Y-%m-%d %H:%M:%S")
        self.log.append({"time": stamp, "kind": kind, "text": what[:300]})

    def violation(self, what: str) -> None:
        """The peer did something that the documents forbid, or that the panel would silently ignore."""
        self.violations.append(what)
        self.note("violation", what)

    def count(self, method: str, path: str) -> int:
        """How often a request came, whatever its answer; `path` is without the base."""
        return sum(1 for seen, where, _status in self.requests if (seen, where) == (method, path))

    # Things that happen beside.

    def background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside; it ends with the panel. An error in it is one of the simulator, and shown as such."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.violation(f"the simulator itself failed: {error!r}")

    # On disk.

    def save(self) -> None:
        """Write the state file, when there is one."""
        if self._state_file is None:
            return
        data = {
            "accounts": self.accounts.accounts,
            "settings": self.settings.values,
            "profiles": self.profiles.items,
            "identifiers": self.identifiers.items,
            "webhooks": self.webhooks.items,
            "face_mode": self.faces.active_mode,
            "clock_offset": self.clock_offset,
            "journal": self.journal.items[-_RECORDS:],
            "openings": [asdict(opening) for opening in self.locks.openings],
            "last_uid": self.identifiers.last_uid,
        }
        temporary = self._state_file.with_suffix(".new")
        temporary.write_text(json.dumps(data))
        temporary.replace(self._state_file)

    def restore(self) -> None:
        """Read the state file, when there is one."""
        if self._state_file is None or not self._state_file.exists():
            return
        data = json.loads(self._state_file.read_text())
        self.accounts.accounts = data["accounts"]
        self.settings.values = data["settings"]
        self.profiles.items = {int(uid): item for uid, item in data["profiles"].items()}
        self.identifiers.items = {int(uid): item for uid, item in data["identifiers"].items()}
        self.webhooks.items = {int(uid): item for uid, item in data["webhooks"].items()}
        self.faces.active_mode = data["face_mode"]
        self.clock_offset = data["clock_offset"]
        self.journal.items = data["journal"]
        self.locks.openings = [Opening(**opening) for opening in data["openings"]]
        self.identifiers.last_uid = data["last_uid"]
