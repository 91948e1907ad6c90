"""One map from what can go wrong with a station, or in recognition, to what the user reads."""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, Protocol, TypedDict, cast

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import DOMAIN
from ..devices.errors import (
    InvalidValueError,
    StationAuthError,
    StationCertificateError,
    StationConnectionError,
    StationError,
    StationForbiddenError,
    StationProtocolError,
    StationRefusedError,
    StationTimeoutError,
    StationUnsupportedError,
    ValueTooLongError,
    WrongStationError,
)
from ..recognition.errors import (
    EngineAddressError,
    EngineAuthError,
    EngineCertificateError,
    EngineInsecureError,
    EngineLimitError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnableError,
    EngineUnreachableError,
    ModelDamagedError,
    ModelError,
    ModelLicenceError,
    ModelMissingError,
    NoFaceError,
    PhotoRefusedError,
    PictureError,
    RecognitionError,
    RecognitionOffError,
    WorkerBusyError,
)


class Translated(TypedDict):
    """The arguments that every translated Home Assistant exception takes."""

    translation_domain: str
    translation_key: str
    translation_placeholders: dict[str, str]


def translated(err: StationError | RecognitionError, *, aloud: bool = False) -> Translated:
    """Find the translation of an error; the most specific class wins.

    `aloud` is for the answer to an administrator, who reads a recognition server's own words too.
    """
    key, placeholders = _recognition(err) if isinstance(err, RecognitionError) else _translation(err)
    if aloud and isinstance(err, EngineRefusedError) and err.words:
        placeholders["problem"] = f"{err}: {err.words}"
    return Translated(translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders)


# The most specific class comes first.
_KEYS: Mapping[type[StationError], str] = {
    StationUnsupportedError: "unsupported",
    StationProtocolError: "protocol",
    StationTimeoutError: "timeout",
    StationCertificateError: "certificate",
    StationConnectionError: "cannot_connect",
    StationAuthError: "invalid_auth",
    StationForbiddenError: "forbidden",
}


def _translation(err: StationError) -> tuple[str, dict[str, str]]:
    match err:
        case ValueTooLongError():
            return "too_long", {"field": err.field, "limit": str(err.limit), "length": str(err.length)}
        case InvalidValueError():
            return f"invalid_{err.kind}", {"field": err.field, **err.values}
        case WrongStationError():
            return "wrong_station", {"expected": err.expected, "found": err.found}
        case StationRefusedError():
            return f"refused_{err.code}", {"detail": err.detail or "-", "field": err.field or "-"}
        case _:
            return next((key for kind, key in _KEYS.items() if isinstance(err, kind)), "station"), {}


_RECOGNITION_KEYS: Mapping[type[RecognitionError], str] = {
    EngineTimeoutError: "engine_timeout",
    EngineCertificateError: "engine_certificate",
    EngineUnreachableError: "engine_cannot_connect",
    EngineAuthError: "engine_auth",
    PhotoRefusedError: "engine_photo",
    EngineNotFoundError: "engine_not_found",
    EngineLimitError: "engine_limit",
    EngineRefusedError: "engine_refused",
    EngineUnableError: "engine_unable",
    EngineInsecureError: "engine_insecure",
    EngineAddressError: "engine_address",
    EngineProtocolError: "engine_protocol",
    ModelMissingError: "model_missing",
    ModelDamagedError: "model_damaged",
    ModelLicenceError: "model_licence",
    ModelError: "model_unusable",
    PictureError: "picture_unusable",
    NoFaceError: "no_face",
    RecognitionOffError: "recognition_off",
    WorkerBusyError: "recognition_busy",
}


def _recognition(err: RecognitionError) -> tuple[str, dict[str, str]]:
    key = next((key for kind, key in _RECOGNITION_KEYS.items() if isinstance(err, kind)), "recognition_failed")
    placeholders = {"problem": str(err)}
    if isinstance(err, ModelError):
        placeholders["model"] = err.model
    if isinstance(err, NoFaceError):
        placeholders["picture"] = str(err.picture)
    return key, placeholders


class Commander(Protocol):
    """Who gives a station a command: an entity, or the call of an action."""

    @property
    def coordinator(self) -> DataUpdateCoordinator[Any]:
        """The station's coordinator."""


@contextmanager
def asking_for_login(coordinator: DataUpdateCoordinator[Any]) -> Iterator[None]:
    """Have the household asked for the account as soon as the station does not take it: not when it is next read."""
    try:
        yield
    except StationAuthError:
        if (entry := coordinator.config_entry) is not None:
            entry.async_start_reauth(coordinator.hass)
        raise


def raise_translated[**P, R](
    command: Callable[P, Coroutine[Any, Any, R]],
) -> Callable[P, Coroutine[Any, Any, R]]:
    """Wrap the command of a `Commander`, which is its first argument, so that the user reads a translated error."""

    @wraps(command)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        commander = cast("Commander", args[0])
        try:
            with asking_for_login(commander.coordinator):
                return await command(*args, **kwargs)
        except InvalidValueError as err:
            raise ServiceValidationError(**translated(err)) from err
        except (StationError, RecognitionError) as err:
            raise HomeAssistantError(**translated(err)) from err

    return wrapped
