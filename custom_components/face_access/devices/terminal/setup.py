"""Reading and writing parameters and the schedule of a terminal (HTTP API 2.3)."""

from collections.abc import Mapping
from typing import Any

from .caller import Caller, Effect
from .params import APP_PARAMS, STREAM_PARAMS, AppParams, Params, ParamValue, build_changes
from .schedule import ScheduleRule, parse_rules, write_rules
from .services import ControlService, UploadInfo


class AppSettings:
    """Commands on the application parameters."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def read(self) -> AppParams:
        """Read all parameters (2.3.1)."""
        return AppParams(raw=await self._call("request app params"))

    async def write(self, wanted: Mapping[str, ParamValue], current: AppParams | None = None) -> bool:
        """Write parameters by path (2.3.2); those that `current` has already are not sent.

        Return whether anything had to be sent. Raises InvalidValueError.
        """
        return await self.write_body(build_changes(APP_PARAMS, wanted, current))

    async def write_upload(self, info: UploadInfo) -> None:
        """Write where what the terminal sees goes. Raises InvalidValueError."""
        await self.write_body({"upload_info": info.body()})

    async def restore_upload(self, raw: Mapping[str, Any]) -> None:
        """Put back an `UploadInfo.raw` to the letter."""
        await self.write_body({"upload_info": dict(raw)})

    async def write_extranet(self, service: ControlService) -> None:
        """Write where the terminal asks for commands: it may be the last thing that it hears from here."""
        await self.write_body({"extranet": service.body()})

    async def write_body(self, body: Mapping[str, Any]) -> bool:
        """Write a nested body as it is; an empty one is not sent. Return whether it was."""
        if body:
            await self._call("update app params", body, effect=Effect.SET)
        return bool(body)

    async def reset(self) -> None:
        """Give all parameters the values of a new device, its services included (2.3.3)."""
        await self._call("reset app params", effect=Effect.SET)


class StreamSettings:
    """Commands on the parameters of the camera and its video."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def read(self) -> Params:
        """Read all parameters (2.3.4)."""
        return Params(table=STREAM_PARAMS, raw=await self._call("request stream params"))

    async def write(self, wanted: Mapping[str, ParamValue], current: Params | None = None) -> bool:
        """Write parameters by path (2.3.5); those that `current` has already are not sent.

        Return whether anything had to be sent. Raises InvalidValueError.
        """
        body = build_changes(STREAM_PARAMS, wanted, current)
        if body:
            await self._call("update stream params", body, effect=Effect.SET)
        return bool(body)

    async def reset(self) -> None:
        """Give all parameters the values of a new device (2.3.6)."""
        await self._call("reset stream params", effect=Effect.SET)


class Schedule:
    """Commands on the rules when people may pass: at most 15."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def read(self) -> tuple[ScheduleRule, ...]:
        """Read all rules (2.3.7)."""
        return parse_rules(await self._call("request schedule params"))

    async def replace(self, rules: tuple[ScheduleRule, ...]) -> None:
        """Replace all rules (2.3.8). Raises InvalidValueError."""
        await self._call("update schedule params", write_rules(rules), effect=Effect.SET)

    async def add(self, rules: tuple[ScheduleRule, ...]) -> None:
        """Append rules, at least one (2.3.9). Raises InvalidValueError."""
        await self._call("add schedule kind", write_rules(rules, empty=False), effect=Effect.ACT)
