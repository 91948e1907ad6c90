"""The page of the server and its control API."""

from typing import TYPE_CHECKING, Final

from .._page import ScenePage

if TYPE_CHECKING:
    from ..smartface import SimulatedSmartFace

SCENES: Final = frozenset({"fail", "set_version", "revoke_tokens", "delete_watchlist", "clear_violations"})


class Page(ScenePage):
    """Who is on which list, what was asked, and what goes wrong next."""

    def __init__(self, server: SimulatedSmartFace) -> None:
        super().__init__(server, __package__, SCENES, lambda: server.state)
