"""A real Home Assistant in a configuration folder of its own."""

import asyncio
from contextlib import suppress
import json
from pathlib import Path
import shutil
import sys
from typing import Final

from aiohttp import ClientError, ClientSession

from .api import Api, ApiError
from .processes import Child

ROOT: Final = Path(__file__).resolve().parents[2]
RESTART_EXIT_CODE: Final = 100
_OUR_BLUEPRINTS: Final = Path("automation", "face_access")
_START_TIMEOUT: Final = 90.0

# default_config would bring Bluetooth, the cloud and discovery: no place for them in a demo that stays on one machine.
_CONFIGURATION: Final = """\
http:
  server_host: {host}
  server_port: {port}
frontend:
history:
logbook:
media_source:
stream:
sun:
automation: !include automations.yaml
recorder:
  commit_interval: 1
logger:
  default: warning
  logs:
    custom_components.face_access: debug
"""
# These steps of onboarding would ask for weather and radio stations from the internet. Creating the owner is left.
_ONBOARDING: Final = {
    "version": 4,
    "minor_version": 1,
    "key": "onboarding",
    "data": {"done": ["core_config", "analytics", "integration"]},
}
_ABOUT_THE_HOUSE: Final = {"location_name": "Face Access demo", "country": "GB", "currency": "GBP", "language": "en"}


class House:
    """Home Assistant as a child process. It may be started again after a stop."""

    def __init__(self, folder: Path, session: ClientSession, *, host: str, port: int) -> None:
        """Use `folder` for the configuration and the log; it may be one of an earlier start."""
        self.config = folder / "config"
        # A server that listens everywhere is still asked here.
        self.address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104
        self.api = Api(session, self.address)
        self._host = host
        self._port = port
        hass = Path(sys.executable).with_name("hass")
        self.child = Child(
            "Home Assistant",
            [str(hass), "--skip-pip", "--config", str(self.config)],
            cwd=folder,
            log=folder / "home-assistant.log",
        )

    async def start(self, username: str, password: str) -> None:
        """Start Home Assistant and sign in; the first start of a folder creates the owner."""
        owned = self._prepare()
        await self.child.start()
        if owned:
            await self._answering("/auth/providers")
            await self.api.sign_in(username, password)
        else:
            await self._answering("/api/onboarding")
            await self.api.onboard(username.capitalize(), username, password)
        await self._running()
        await self._settle()

    async def stop(self) -> None:
        """Stop Home Assistant."""
        await self.child.stop()

    async def stay(self, username: str, password: str) -> int:
        """Wait for the end of Home Assistant, and start it again when that is what its user wants. Its exit code."""
        while (code := await self.child.wait()) == RESTART_EXIT_CODE:
            await self.start(username, password)
        return code

    def _prepare(self) -> bool:
        """Write what Home Assistant reads at its start; whether an earlier start has made the owner already."""
        self.api.token = ""
        storage = self.config / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        onboarding = storage / "onboarding"
        if not onboarding.exists():
            onboarding.write_text(json.dumps(_ONBOARDING))
        # Home Assistant takes the address from configuration.yaml only while it has none stored.
        (storage / "http").unlink(missing_ok=True)
        (self.config / "configuration.yaml").write_text(_CONFIGURATION.format(host=self._host, port=self._port))
        (self.config / "automations.yaml").touch()
        integration = self.config / "custom_components"
        integration.unlink(missing_ok=True)
        integration.symlink_to(ROOT / "custom_components")
        self._offer_blueprints()
        return "user" in json.loads(onboarding.read_text())["data"]["done"]

    def _offer_blueprints(self) -> None:
        """Link our blueprints one by one: what Home Assistant or its user puts beside them stays in this folder."""
        blueprints = self.config / "blueprints"
        if blueprints.is_symlink():
            # An older demo's, to a folder that is not this house's to write in.
            blueprints.unlink()
        ours = blueprints / _OUR_BLUEPRINTS
        if ours.is_dir():
            shutil.rmtree(ours)
        ours.mkdir(parents=True)
        # Not the folder itself: Home Assistant lists nothing behind a link to one.
        for blueprint in (ROOT / "blueprints" / _OUR_BLUEPRINTS).glob("*.yaml"):
            (ours / blueprint.name).symlink_to(blueprint)

    async def _answering(self, path: str) -> None:
        """Wait until the web server knows this path."""
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while self.child.running:
                    with suppress(ClientError, ApiError):
                        await self.api.get(path)
                        return
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise self.child.failed(f"did not answer at {self.address} within {_START_TIMEOUT:.0f} s") from None
        raise self.child.failed(f"ended with exit code {await self.child.wait()}")

    async def _running(self) -> None:
        """Wait until everything is set up."""
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while (config := await self.api.get("/api/config"))["state"] != "RUNNING":
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise self.child.failed(f"was not ready within {_START_TIMEOUT:.0f} s") from None
        if config["recovery_mode"]:
            raise self.child.failed("started in recovery mode")

    async def _settle(self) -> None:
        """Confirm the address and describe the house."""
        async with self.api.socket() as socket:
            # Unconfirmed, Home Assistant would go back to port 8123 after five minutes and restart.
            http = await socket.command("http/config")
            if http["pending"] is not None:
                if http["active_config_type"] != "pending":
                    raise self.child.failed(f"could not listen on {self.address}: {http['pending']['error_message']}")
                await socket.command("http/config/promote")
            # Each start would show that the address stands in configuration.yaml, which is ours and meant so.
            if any(
                issue["issue_id"] == "deprecated_yaml"
                for issue in (await socket.command("repairs/list_issues"))["issues"]
            ):
                await socket.command("repairs/ignore_issue", domain="http", issue_id="deprecated_yaml", ignore=True)
            await socket.command("config/core/update", internal_url=self.address, **_ABOUT_THE_HOUSE)
