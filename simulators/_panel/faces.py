"""Face recognition: its settings, exactly as the document has them, and who is recognised."""

import time
from typing import TYPE_CHECKING, Any, Final

from .._terminal.schema import flag, text
from .bodies import check_body
from .errors import not_one_of

if TYPE_CHECKING:
    from .core import Core

SIMILARITIES: Final = ("low", "normal", "high")
_NAMED_MODES: Final = ("software", "3D")  # the text of the refusal never learnt of antispoofing


class Faces:
    """`active_mode` is the mode since the last start: a new one counts after a reboot."""

    def __init__(self, core: Core) -> None:
        self.core = core
        mode = "software" if core.model.kind == "individual" else "3D"
        core.settings.values["face"] = {"enable": False, "similarity": "low", "mode": mode, "autostart": True}
        self.active_mode = mode

    @property
    def has_autostart(self) -> bool:
        """Only AA panels let it be chosen whether movement starts the recognition."""
        return self.core.model.kind == "aa"

    def read(self) -> dict[str, Any]:
        """`GET /access/general/facerecognition`."""
        values = self.core.settings.values["face"]
        shown = {name: values[name] for name in ("enable", "similarity", "mode")}
        if self.has_autostart:
            shown["autostart"] = values["autostart"]
        model = self.core.model
        if model.kind != "bi" or not model.since("2.9.0"):
            # The example of an individual panel lists 3D although the panel does not have it.
            modes = ("software", "3D", "antispoofing") if model.since("2.9.0") else ("software", "3D")
            shown["available_modes"] = list(modes)
        return shown

    def change(self, body: Any) -> None:
        """`POST /access/general/facerecognition`."""
        fields = {"enable": flag(), "similarity": text(), "mode": text()}
        if self.has_autostart:
            fields["autostart"] = flag()
        checked = check_body(
            body, fields, lambda name: self.core.violation(f"the face settings of this panel have no field {name!r}")
        )
        if checked["similarity"] not in SIMILARITIES:
            raise not_one_of("similarity", checked["similarity"], SIMILARITIES)
        if checked["mode"] not in self.core.model.face_modes:
            raise not_one_of("mode", checked["mode"], _NAMED_MODES)
        self.core.settings.values["face"].update(checked)
        self.core.save()

    def boot(self) -> None:
        """A start puts the chosen mode into effect."""
        self.active_mode = self.core.settings.values["face"]["mode"]

    @property
    def looks(self) -> bool:
        """Whether the panel recognises faces now: BI panels do not during a call and shortly after."""
        if not self.core.model.has("face") or not self.core.settings.values["face"]["enable"]:
            return False
        calls = self.core.calls
        if self.core.model.kind == "bi":
            rested = time.monotonic() - calls.ended_at >= self.core.timings.face_rest or not calls.ended_at
            return calls.state == "idle" and rested
        if self.core.model.kind == "aa":
            return bool(self.core.settings.values["face"]["autostart"])
        return True

    @property
    def tells_photos(self) -> bool:
        """Whether a photo of a face is told from a face: not by software alone."""
        return self.active_mode != "software"
