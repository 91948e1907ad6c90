"""The fixes behind the repair issues."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, override

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.util import dt as dt_util

from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.errors import StationConnectionError, StationError
from .flows.camera import ACCEPT, MODELS_SCHEMA, async_describe
from .hub import issues, restart
from .hub.doors import questions
from .hub.errors import asking_for_login
from .hub.local.engine import Local, async_get_local
from .hub.local.models import Needed, async_accept, async_fetch, async_needed, unaccepted
from .hub.news import broker_target, push_target
from .hub.people.household import async_get_people
from .hub.servers.coordinator import ServerCoordinator
from .hub.servers.people import SERVER_PHOTOS, SERVER_REBUILD, async_rebuild
from .recognition.errors import ModelError, RecognitionError

type Fix = Callable[[Any], Awaitable[None]]
"""Mends what is wrong with the runtime data of an entry: a station's coordinator, or a server's."""


async def _set_clock(coordinator: FaceAccessCoordinator) -> None:
    if coordinator.station.clock is not None:
        await coordinator.station.clock.set(dt_util.now())
    await coordinator.async_read_again()


async def _redirect(coordinator: FaceAccessCoordinator) -> None:
    await push_target.async_redirect(coordinator.hass, coordinator.config_entry, coordinator.station)
    issues.push_arrived(coordinator.hass, coordinator.config_entry)


async def _restart(coordinator: FaceAccessCoordinator) -> None:
    if (power := coordinator.station.power) is not None:
        await power.reboot()


async def _try_webhook(coordinator: FaceAccessCoordinator) -> None:
    if (ladder := coordinator.ladder) is not None and not await ladder.async_try_webhook():
        raise StationConnectionError("nothing arrived")


async def _accept_model(coordinator: FaceAccessCoordinator) -> None:
    if (model := issues.model_at_fault(coordinator.hass, coordinator.config_entry)) is not None:
        await async_accept(await async_get_local(coordinator.hass), model)


async def _fetch_models(coordinator: FaceAccessCoordinator) -> None:
    await async_fetch(coordinator.hass, await async_get_local(coordinator.hass))


async def _rebuild(coordinator: ServerCoordinator) -> None:
    await async_rebuild(await async_get_people(coordinator.hass), coordinator)


async def _ask_for_log(coordinator: FaceAccessCoordinator) -> None:
    if (ladder := coordinator.ladder) is not None:
        await ladder.async_try_log()


_FIXES: Mapping[str, Fix] = {
    issues.BROKER_ELSEWHERE: broker_target.async_redirect,
    issues.CLOCK_WRONG: _set_clock,
    issues.MODEL_DAMAGED: _fetch_models,
    issues.MODEL_LICENCE: _accept_model,
    issues.MODEL_MISSING: _fetch_models,
    issues.PUSH_MISSING: _redirect,
    issues.LOG_FORBIDDEN: _ask_for_log,
    issues.LOG_REFUSED: _ask_for_log,
    issues.QUESTIONS_MISSING: questions.async_redirect,
    issues.RESTART_NEEDED: _restart,
    SERVER_PHOTOS: _rebuild,
    SERVER_REBUILD: _rebuild,
    issues.WEBHOOK_MISSING: _try_webhook,
}


class FixFlow(RepairsFlow):
    """Say what will be done, do it, and say so when the station will not have it."""

    def __init__(self, entry_id: str, issue: str) -> None:
        """Remember which station and what is wrong with it."""
        self._entry_id = entry_id
        self._issue = issue

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Start with the question."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask, then mend."""
        errors: dict[str, str] = {}
        entry: FaceAccessConfigEntry | None = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            raise AbortFlow("not_loaded")
        if user_input is not None:
            try:
                with asking_for_login(entry.runtime_data):
                    await _FIXES[self._issue](entry.runtime_data)
            except StationError, RecognitionError, NoURLAvailableError:
                errors["base"] = "cannot_fix"
            else:
                return await self._mended()
        issue = ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id)
        placeholders = {"name": entry.title, **((issue and issue.translation_placeholders) or {})}
        return self.async_show_form(step_id="confirm", errors=errors, description_placeholders=placeholders)

    async def _mended(self) -> RepairsFlowResult:
        """End: Home Assistant deletes the issue."""
        return self.async_create_entry(data={})


class ModelsFlow(FixFlow):
    """Download models; first, where nobody has accepted their licences, ask for that as the set-up of a camera does."""

    _local: Local
    _models: list[Needed]

    @override
    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        try:
            self._local = await async_get_local(self.hass)
            self._models = await async_needed(self.hass, self._local)
        except ModelError:
            # Descriptions that are wrong: the attempt says so.
            return await self.async_step_confirm()
        return await (self.async_step_models() if unaccepted(self._local, self._models) else self.async_step_confirm())

    async def async_step_models(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Show what will be downloaded from whom under which licence; nothing is fetched without a yes."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[ACCEPT]:
                await self._local.async_accept(unaccepted(self._local, self._models))
                return await self.async_step_confirm({})
            errors[ACCEPT] = "not_accepted"
        placeholders = {"models": await async_describe(self.hass, self._models)}
        return self.async_show_form(
            step_id="models", data_schema=MODELS_SCHEMA, errors=errors, description_placeholders=placeholders
        )


class RestartFlow(FixFlow):
    """Restart a station, and end when it says that it did: until then the issue stays."""

    _waiting: asyncio.Task[bool] | None = None

    @override
    async def _mended(self) -> RepairsFlowResult:
        return await self.async_step_restarting()

    async def async_step_restarting(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Wait for the station. Whoever closes the window ends the waiting, and nothing else."""
        if self._waiting is None:
            entry: FaceAccessConfigEntry = self.hass.config_entries.async_get_known_entry(self._entry_id)
            wait = restart.async_wait(entry.runtime_data)
            self._waiting = self.hass.async_create_background_task(wait, "face_access wait for a restart")
        if not self._waiting.done():
            return self.async_show_progress(
                step_id="restarting", progress_action="restarting", progress_task=self._waiting
            )
        return self.async_show_progress_done(next_step_id="restarted" if self._waiting.result() else "not_restarted")

    async def async_step_restarted(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """It said that it started again."""
        return self.async_create_entry(data={})

    async def async_step_not_restarted(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """It did not say so: the issue stays until it does."""
        return self.async_abort(reason="not_restarted")


_FLOWS: Mapping[str, type[FixFlow]] = {
    issues.MODEL_DAMAGED: ModelsFlow,
    issues.MODEL_MISSING: ModelsFlow,
    issues.RESTART_NEEDED: RestartFlow,
}


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Find the fix of an issue."""
    data = data or {}
    flow = _FLOWS.get(str(data["issue"]), FixFlow)
    return flow(str(data["entry_id"]), str(data["issue"]))
