"""What a simulated panel is: its models with their differences, its delays, and what it remembers of an opening."""

from dataclasses import dataclass, replace
from typing import Final, Literal

PASSWORD: Final = "123456"  # noqa: S105 (the factory password of every panel, as the vendor's wiki prints it)

type Family = Literal["android", "camdroid"]
type Kind = Literal["aa", "bi", "individual"]
type Photo = Literal["webp", "jpeg", "base64"]


def version(text: str) -> tuple[int, ...]:
    """Make a version of numbers and dots comparable."""
    return tuple(int(part) for part in text.split("."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model: what it has, and which version of the API it speaks."""

    name: str
    device_model: str  # as /api/info gives it
    family: Family
    kind: Kind
    api: str
    firmware: str
    features: frozenset[str]  # face, keypad, free_access, auto_dial, syslog, basic, roles, debug_call
    photo: Photo
    buttons: int = 1
    password_call: Literal["query", "json"] = "query"  # noqa: S105 (where the administrator's password stands)

    @property
    def major(self) -> int:
        """The major version of the API."""
        return version(self.api)[0]

    @property
    def base(self) -> str:
        """The path that every other path follows: Android 1.x and Camdroid 0.x have v0, later ones v1."""
        return "/api/v0" if self.major < (2 if self.family == "android" else 1) else "/api/v1"

    @property
    def filters(self) -> Literal["flat", "expression", "both"]:
        """How lists are filtered. Of Android 1.x both styles are told."""
        if self.family == "camdroid":
            return "expression"
        return "flat" if self.major >= 2 else "both"

    def since(self, api: str) -> bool:
        """Whether its API is at least this version."""
        return version(self.api) >= version(api)

    @property
    def has_webhooks(self) -> bool:
        """Android from firmware 3.25.8."""
        return self.family == "android" and version(self.firmware) >= (3, 25, 8) and self.since("2.14.1")

    @property
    def has_mqtt(self) -> bool:
        """Android from firmware 3.15.0, Camdroid from 3.3.0."""
        return version(self.firmware) >= ((3, 15, 0) if self.family == "android" else (3, 3, 0))

    def has(self, feature: str) -> bool:
        """Whether the model has a feature."""
        derived = {"webhooks": self.has_webhooks, "mqtt": self.has_mqtt}
        return derived.get(feature, feature in self.features)

    @property
    def face_modes(self) -> tuple[str, ...]:
        """The face recognition modes that a set call accepts: antispoofing came with 2.9.0, individuals have no 3D."""
        modes = ("software", "3D", "antispoofing") if self.since("2.9.0") else ("software", "3D")
        return tuple(mode for mode in modes if mode != "3D" or self.kind != "individual")

    @property
    def door_modes(self) -> tuple[str, ...]:
        """What the door input can be."""
        if self.family == "camdroid":
            return ("door_sensor", "call_button")
        return ("door_sensor", "enter_button") + (() if self.kind == "individual" else ("concierge",))

    def with_versions(self, api: str | None, firmware: str | None) -> Model:
        """The same model with another API or firmware version."""
        return replace(self, api=api or self.api, firmware=firmware or self.firmware)


_ANDROID: Final = frozenset({"roles", "syslog"})
_AA: Final = _ANDROID | {"keypad", "free_access", "auto_dial"}

MODELS: Final = {
    model.name: model
    for model in (
        Model(
            name="AA-12FB",
            device_model="aa12fb",
            family="android",
            kind="aa",
            api="2.15.0",
            firmware="3.26.0",
            features=_AA | {"face", "basic"},
            photo="webp",
            password_call="json",  # noqa: S106 (says where it stands)
        ),
        Model(
            name="BI-06FB",
            device_model="bi06fb",
            family="android",
            kind="bi",
            api="2.9.0",
            firmware="3.17.0",
            features=_ANDROID | {"face", "basic"},
            photo="webp",
            buttons=6,
        ),
        Model(
            name="AV-08FB",
            device_model="av08fb",
            family="android",
            kind="individual",
            api="2.15.0",
            firmware="3.26.0",
            features=_ANDROID | {"face", "basic"},
            photo="jpeg",
        ),
        Model(
            name="AA-07",
            device_model="aa07",
            family="android",
            kind="aa",
            api="1.8.0",
            firmware="3.7.0",
            features=_AA,
            photo="jpeg",
        ),
        Model(
            name="AV-03BD",
            device_model="av03bd",
            family="camdroid",
            kind="individual",
            api="1.3.5",
            firmware="3.5.0",
            features=frozenset({"basic", "debug_call"}),
            photo="base64",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Every delay of the panel, in seconds."""

    command: float = 0.01  # how long a request takes at least
    second: float = 1.0  # how long one second of its own settings lasts (lock, door, dial and talk times)
    token: float = 7200.0  # how long a token lasts; two hours are told of Camdroid, Android's is not known
    snapshot: float = 2.0  # how long a photo takes
    photo_pace: float = 4.5  # photos asked for sooner than this after each other are a violation
    enrol: float = 1.0  # how long it takes to make a template of a face
    remote_wait: float = 10.0  # how long the remote access server may think
    webhook_retry: float = 2.0  # pause before a webhook is tried again
    syslog_retry: float = 2.0
    sip_register: float = 0.3
    face_rest: float = 10.0  # a BI panel looks for faces again this long after a call
    down_after: float = 0.3  # from the answer to a reboot until the network is gone
    reboot: float = 5.0
    restart: float = 1.0  # how long the API is away when HTTPS is switched


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A lock that was opened: which, when (device time, ms), for how long, and on whose word (a log key)."""

    timestamp: int
    lock: int
    seconds: float
    reason: str
    owner: str = ""
