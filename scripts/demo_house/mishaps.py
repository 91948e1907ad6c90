"""Steps of the check: what goes wrong with a panel, and how all is well again."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from secrets import token_urlsafe
from typing import Final

from .api import Json
from .panels import PASSWORD, USERNAME
from .patience import until
from .porch import Porch, webhooks_work
from .stations import DOMAIN
from .steps import CheckError, expect, step

_RESTART: Final = "/system/reboot/run"
_OTHER_MODE: Final = "antispoofing"
_PLAIN_MODE: Final = "software"


async def token_ends(porch: Porch) -> None:
    """The next command logs in again, once, and does what it is to do."""
    async with step(f"{porch.name}: its token ends, the next command works with one new login"):
        await until(lambda: _signed_in(porch), "a login")
        before = (await porch.panel.state())["logins"]
        await porch.panel.scene("expire_tokens")
        await porch.view.command("button", "open_door_1", "button.press")
        await porch.opened_once()
        expect((await porch.panel.state())["logins"] - before, 1, "the number of new logins")


async def _signed_in(porch: Porch) -> bool:
    return bool((await porch.panel.state())["tokens"])


async def mode_changes(porch: Porch) -> None:
    """A new mode waits for a restart, which the fix of the issue brings about."""
    view = porch.view
    before = (await porch.panel.state())["face"]["active_mode"]
    async with step(f"{porch.name}: another face mode raises a repair issue, its fix restarts the panel"):
        await view.select("recognition_mode", _OTHER_MODE)
        await until(lambda: _restart_needed(porch), "a repair issue")
        expect((await porch.panel.state())["face"]["active_mode"], before, "the mode before the restart")
        flow = await _fix(porch)
        expect((await porch.panel.state())["acts"].get(_RESTART), 1, "the number of restarts")
        await until(lambda: _looks_by(porch, _OTHER_MODE), "a restart into the new mode")
        await _back(porch)
        await until(lambda: _nothing_to_repair(porch), "an end of the repair issue")
        await until(lambda: _ended(porch, flow), "an end of the repair")


async def _looks_by(porch: Porch, mode: str) -> bool:
    state = await porch.panel.state()
    return bool(state["online"] and state["face"]["active_mode"] == mode)


async def _issue(porch: Porch) -> Json | None:
    """Find the issue that the panel has to be restarted."""
    async with porch.view.api.socket() as socket:
        issues = (await socket.command("repairs/list_issues"))["issues"]
    wanted = f"restart_needed_{porch.view.entry_id}"
    return next((issue for issue in issues if issue["issue_id"] == wanted), None)


async def _restart_needed(porch: Porch) -> bool:
    return await _issue(porch) is not None


async def _nothing_to_repair(porch: Porch) -> bool:
    return await _issue(porch) is None


async def _fix(porch: Porch) -> str:
    """Press the button of the issue, as a person would; where to look how far the repair is."""
    issue = await _issue(porch)
    if issue is None:
        raise CheckError("the repair issue is gone before anybody has mended it")
    path, api = "/api/repairs/issues/fix", porch.view.api
    form = await api.post(path, {"handler": DOMAIN, "issue_id": issue["issue_id"]})
    expect((form["type"], form["step_id"]), ("form", "confirm"), "what the repair asks")
    flow = f"{path}/{form['flow_id']}"
    expect((await api.post(flow))["type"], "progress", "what comes of the repair")
    expect(await _restart_needed(porch), True, "whether the issue waits for the restart")
    return flow


async def _ended(porch: Porch, flow: str) -> bool:
    answer = await porch.view.api.get(flow)
    return isinstance(answer, dict) and answer["type"] == "create_entry"


async def goes_away(porch: Porch) -> None:
    """While nobody sees it, the panel restarts and loses our webhook: all is found out and mended, nobody is asked."""
    view = porch.view
    async with step(f"{porch.name}: off: unavailable; back: its restart ends the repair issue, our webhook is new"):
        await view.select("recognition_mode", _PLAIN_MODE)
        await until(lambda: _restart_needed(porch), "a repair issue")
        async with _away(porch):
            expect(await _restart_needed(porch), True, "whether the issue waits for the restart")
            expect(await porch.panel.scene("remove_webhooks"), 1, "the number of webhooks removed")
            await porch.panel.scene("power_cycle", seconds=0)
        await until(lambda: _nothing_to_repair(porch), "an end of the repair issue")
        expect(await _looks_by(porch, _PLAIN_MODE), True, "whether it looks by the mode that waited")
        await until(lambda: webhooks_work(porch), "a new webhook")
        since, bell = view.watch.now, view.entity("event", "doorbell")
        await porch.panel.scene("ring")
        await view.watch.until(bell, since=since, what="the bell")
        await porch.panel.scene("cancel")
        expect(await porch.new_openings(), [], "the list of openings")


@asynccontextmanager
async def _away(porch: Porch) -> AsyncGenerator[None]:
    """Take the panel off the network until the end of the block, and see both in Home Assistant."""
    await porch.panel.scene("cut_network")
    await until(lambda: _seen(porch, away=True), "an unavailable panel")
    yield
    await porch.panel.scene("restore_network")
    await _back(porch)


async def _back(porch: Porch) -> None:
    """Wait until Home Assistant has the panel back."""
    await until(lambda: _seen(porch, away=False), "an available panel")
    await porch.view.until("binary_sensor", "online", "on")


async def _seen(porch: Porch, *, away: bool) -> bool:
    """Have Home Assistant look at the panel; whether its lock and its camera are as wanted."""
    view = porch.view
    await view.api.action("homeassistant.update_entity", {"entity_id": view.entity("lock", "door_1")})
    keys = (("lock", "door_1"), ("camera", "camera"), ("button", "open_door_1"))
    return all([((await view.state(*key))["state"] == "unavailable") is away for key in keys])


async def password_changes(porch: Porch) -> None:
    """The panel has another password: Home Assistant asks for it, and goes on with it."""
    view, password = porch.view, token_urlsafe(8)
    async with step(f"{porch.name}: another password: asked for, a wrong one refused, works with the right one"):
        await porch.panel.scene("set_password", password=password)
        await until(lambda: _asked(porch), "a question for the password")
        flow = await _question(porch)
        path = f"/api/config/config_entries/flow/{flow['flow_id']}"
        wrong = await view.api.post(path, {"username": USERNAME, "password": PASSWORD})
        expect(wrong["errors"], {"base": "invalid_auth"}, "what is said of a wrong password")
        await view.api.flow_next(flow, {"username": USERNAME, "password": password}, ends="reauth_successful")
        await view.api.entry_loaded(view.entry_id)
        await _back(porch)
        await view.command("button", "open_door_1", "button.press")
        await porch.opened_once()


async def _asked(porch: Porch) -> bool:
    """Have Home Assistant look at the panel; whether it asks for a password then."""
    view = porch.view
    await view.api.action("homeassistant.update_entity", {"entity_id": view.entity("lock", "door_1")})
    return bool(await _questions(porch))


async def _questions(porch: Porch) -> list[Json]:
    async with porch.view.api.socket() as socket:
        flows: list[Json] = await socket.command("config_entries/flow/progress")
    return [flow for flow in flows if flow["context"].get("entry_id") == porch.view.entry_id]


async def _question(porch: Porch) -> Json:
    """Find the only open question about the panel, which is that for its password."""
    flows = await _questions(porch)
    expect([flow["step_id"] for flow in flows], ["reauth_confirm"], "the list of open questions")
    return flows[0]


async def no_violations(porch: Porch) -> None:
    """The panel saw nothing that its documents forbid, and its door opened for nothing that is not accounted for."""
    async with step(f"{porch.name}: found nothing to complain about"):
        expect(await porch.new_openings(), [], "the list of openings")
        violations = Counter[str]((await porch.panel.state())["violations"])
        expect(dict(violations), {}, "the list of violations with their numbers")
