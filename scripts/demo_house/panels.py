"""Simulated intercom panels, one of each kind, and how each is added to the house by the real config flow."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, override

from aiohttp import ClientSession

from .api import Api
from .processes import free_port
from .stations import DOMAIN, Place, Station

USERNAME: Final = "admin"
PASSWORD: Final = "123456"  # noqa: S105 (what every panel leaves the factory with)
# Pictures and restarts of real panels take longer; nobody has to wait for that here.
_TIMINGS: Final = ("--time-snapshot", "0.5", "--time-reboot", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelPlace(Place):
    """A panel to simulate: `webhooks` for one that calls us with its news."""

    model: str
    webhooks: bool = False


MAIN_ENTRANCE: Final = PanelPlace(
    name="Main entrance", serial="5b0c1d52-8d7a-4f0e-9a53-aa12fb000001", model="AA-12FB", webhooks=True
)
SUMMER_HOUSE: Final = PanelPlace(name="Summer house", serial="5b0c1d52-8d7a-4f0e-9a53-a903bd000005", model="AV-03BD")
PANELS: Final = (
    MAIN_ENTRANCE,
    PanelPlace(name="Side entrance", serial="5b0c1d52-8d7a-4f0e-9a53-b106fb000002", model="BI-06FB"),
    PanelPlace(name="Back door", serial="5b0c1d52-8d7a-4f0e-9a53-a908fb000003", model="AV-08FB", webhooks=True),
    PanelPlace(name="Car park", serial="5b0c1d52-8d7a-4f0e-9a53-aa0700000004", model="AA-07"),
    SUMMER_HOUSE,
)


class Panel(Station):
    """A simulated intercom panel."""

    place: PanelPlace

    def __init__(
        self, place: PanelPlace, folder: Path, session: ClientSession, *, first_port: int | None = None
    ) -> None:
        """Keep its state in `folder`; take ports from `first_port` on, or any."""
        page_port = None if first_port is None else first_port + 1000
        super().__init__(place, folder, session, kind="panel", port=free_port(first_port), page_port=page_port)

    @override
    def _switches(self) -> Sequence[str]:
        return ("--model", self.place.model, *_TIMINGS)

    @override
    async def _introduce(self, api: Api) -> str:
        menu = await api.flow_start(DOMAIN)
        form = await api.flow_next(menu, {"next_step_id": "panel"})
        push = await api.flow_next(form, {**self._address, "password": PASSWORD})
        return str((await api.flow_next(push, {"push": True}))["result"]["entry_id"])

    @override
    async def _move(self, api: Api, entry: str) -> None:
        # Without a password: the entry keeps the one it has.
        push = await api.flow_next(await api.flow_start(DOMAIN, entry_id=entry), self._address)
        await api.flow_next(push, {"push": True}, ends="reconfigure_successful")

    @property
    def _address(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "username": USERNAME, "ssl": False, "verify_ssl": True}
