"""Simulated recognition servers, one of each kind, and how each is added to the house by the real config flow."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Final, override

from aiohttp import ClientSession

from .api import Api, ApiError, Json
from .drawings import drawn
from .simulated import Ports, Simulated
from .stations import DOMAIN
from .steps import expect

_API_KEY: Final = "key-of-the-demo"
# What the simulated face scan service begins with.
_CLIENT: Final = {"client_id": "sim-client", "client_secret": "sim-secret"}
_ACCOUNT: Final = {"username": "household", "password": "house-password"}
_SIGN_IN_TIMEOUT: Final = 30.0


class Server(ABC):
    """A recognition server: its processes, and its place in Home Assistant."""

    name: ClassVar[str]
    """What Home Assistant calls an entry of this kind, before the address."""
    kind: ClassVar[str]
    """The step of its form."""

    def __init__(self, folder: Path, session: ClientSession, ports: Ports) -> None:
        """Keep logs in `folder`."""
        self.entry = ""
        self.processes: Sequence[Simulated] = [
            Simulated(
                self.name,
                module,
                session,
                port=ports.take(),
                page_port=ports.take(),
                log=folder / f"{label}.log",
                options=options,
            )
            for label, (module, *options) in self._commands().items()
        ]

    @abstractmethod
    def _commands(self) -> Mapping[str, Sequence[str]]:
        """Name each process, with its module and options."""

    @property
    @abstractmethod
    def answers(self) -> Json:
        """What is filled into its form."""

    @property
    def main(self) -> Simulated:
        """Its process, or the first of several."""
        return self.processes[0]

    async def start(self) -> None:
        """Switch it on."""
        await asyncio.gather(*(process.start() for process in self.processes))

    async def stop(self) -> None:
        """Switch it off."""
        await asyncio.gather(*(process.child.stop() for process in self.processes))

    async def nothing_wrong(self) -> None:
        """See that nothing was done to it that its document forbids."""
        for process in self.processes:
            expect((await process.state())["violations"], [], f"what was done wrong to {process.name}")

    async def add_to(self, api: Api) -> None:
        """Add it by the config flow. One that is there already is told its address."""
        known = await self._known(api)
        if known is None:
            menu = await api.flow_next(await api.flow_start(DOMAIN), {"next_step_id": "server"})
            result = await self._fill_in(api, await api.flow_next(menu, {"next_step_id": f"server_{self.kind}"}), None)
            self.entry = str(result["result"]["entry_id"])
        else:
            await self._fill_in(api, await api.flow_start(DOMAIN, entry_id=known), "reconfigure_successful")
            self.entry = known
        await api.entry_loaded(self.entry)

    async def _known(self, api: Api) -> str | None:
        async with api.socket() as socket:
            entries = await socket.command("config_entries/get", domain=DOMAIN)
        return next((str(entry["entry_id"]) for entry in entries if entry["title"].startswith(self.name)), None)

    async def _fill_in(self, api: Api, form: Json, ends: str | None) -> Json:
        return await api.flow_next(form, self.answers, ends=ends)


class Recogniser(Server):
    """A server that knows people, and finds them in a picture."""

    @abstractmethod
    def doubtful(self, who: str) -> bytes:
        """Draw somebody so that it cannot judge whether the face is live."""

    @abstractmethod
    async def knows(self) -> set[str]:
        """Give the names of those whom it has."""


class SmartFace(Recogniser):
    """A SmartFace server."""

    name = "SmartFace"
    kind = "smartface"

    @override
    def _commands(self) -> Mapping[str, Sequence[str]]:
        return {"smartface": ("smartface",)}

    @property
    @override
    def answers(self) -> Json:
        return {"url": self.main.url}

    @override
    def doubtful(self, who: str) -> bytes:
        return drawn(who, only_face=True)

    @override
    async def knows(self) -> set[str]:
        return {str(member["displayName"]) for member in (await self.main.state())["members"]}


class OpenCvFr(Recogniser):
    """An OpenCV FR Server."""

    name = "OpenCV FR Server"
    kind = "opencv_fr"

    @override
    def _commands(self) -> Mapping[str, Sequence[str]]:
        return {"opencv-fr": ("opencv_fr", "--api-key", _API_KEY)}

    @property
    @override
    def answers(self) -> Json:
        return {"url": self.main.url, "api_key": _API_KEY}

    @override
    def doubtful(self, who: str) -> bytes:
        return drawn(who, factor=0.5)

    @override
    async def knows(self) -> set[str]:
        collections = (await self.main.state())["collections"]
        return {str(person["name"]) for people in collections.values() for person in people}


class Kby(Server):
    """The two images of KBY-AI: one compares, the other checks for life."""

    name = "KBY-AI"
    kind = "kby"

    @override
    def _commands(self) -> Mapping[str, Sequence[str]]:
        return {f"kby-{image}": ("kby", "--image", image) for image in ("recognition", "liveness")}

    @property
    @override
    def answers(self) -> Json:
        comparing, liveness = self.processes
        return {"compare_url": comparing.url, "liveness_url": liveness.url}


class FaceScan(Server):
    """The face scan service, whose pages somebody signs in at."""

    name = "Face scan service"
    kind = "face_scan"

    @override
    def _commands(self) -> Mapping[str, Sequence[str]]:
        return {"face-scan": ("face_scan",)}

    @property
    @override
    def answers(self) -> Json:
        # Where all that is at the service, its simulator prints at its start.
        realm = f"{self.main.url}/realms/dmsworkspace/protocol/openid-connect"
        return {
            "pictures_leave_house": True,
            "compare_url": f"{self.main.url}/face-recognition-sdk",
            "records_url": f"{self.main.url}/ocr-backend",
            "authorize_url": f"{realm}/auth",
            "token_url": f"{realm}/token",
            "channel": "other",
        }

    @override
    async def _fill_in(self, api: Api, form: Json, ends: str | None) -> Json:
        await self._enter_credentials(api)
        step = await api.flow_next(form, self.answers)
        sign_in = partial(self._sign_in, step["url"])
        return await api.flow_progress(step, sign_in, patience=_SIGN_IN_TIMEOUT, ends=ends)

    async def _enter_credentials(self, api: Api) -> None:
        """Enter under *application credentials* what the vendor would have given."""
        async with api.socket() as socket:
            known = await socket.command("application_credentials/list")
            if not any(each["domain"] == DOMAIN for each in known):
                await socket.command("application_credentials/create", domain=DOMAIN, name="Demo", **_CLIENT)

    async def _sign_in(self, page: str) -> None:
        """Do what somebody does in a browser: log in at the service's page, and go where it leads."""
        async with self.main.session.post(page, data=_ACCOUNT) as back:
            if not back.ok:
                raise ApiError(f"signing in ended with {back.status} at {back.url.host}: {await back.text()}")


class Inference(Server):
    """An inference server with the networks of `models`: files by their names."""

    name = "Inference server"
    kind = "inference"

    def __init__(self, folder: Path, session: ClientSession, ports: Ports, models: Mapping[str, Path]) -> None:
        """Serve these files; none is fine."""
        self.models = models
        super().__init__(folder, session, ports)

    @override
    def _commands(self) -> Mapping[str, Sequence[str]]:
        networks = [text for name, file in self.models.items() for text in ("--network", f"{name}={file}")]
        return {"inference": ("inference", *networks)}

    @property
    @override
    def answers(self) -> Json:
        return {"url": self.main.url}
