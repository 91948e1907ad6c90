"""Recognition servers in Home Assistant: one entry and one device each, and whether it is there."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from ...const import DOMAIN, LOGGER
from ...recognition.errors import (
    EngineAuthError,
    EngineError,
    EngineForbiddenError,
    EngineTimeoutError,
    EngineUnreachableError,
)
from ...recognition.interface import EngineInfo, RemoteEngine
from ...recognition.servers.kind import HalfLoginError, Made, NetworkServer, Scans, ServerKind, TokenProvider
from ...recognition.servers.table import SERVERS
from ..errors import translated
from .sign_in import async_tokens

if TYPE_CHECKING:
    from ..local.lending import Lending

CONF_SERVER: Final = "server"
"""The kind of server: what an entry of one has, and no other."""
SERVER_PLATFORMS: Final = [Platform.BINARY_SENSOR, Platform.BUTTON, Platform.SENSOR]

type ServerConfigEntry = ConfigEntry[ServerCoordinator]


def is_server(entry: ConfigEntry[Any]) -> bool:
    """Whether this is the entry of a recognition server."""
    return CONF_SERVER in entry.data


def async_make(hass: HomeAssistant, values: Mapping[str, Any], tokens: TokenProvider | None = None) -> Made:
    """Make the engine that an entry or a flow describes; no request. Raises EngineError for what cannot be."""
    return SERVERS[values[CONF_SERVER]].make(async_get_clientsession(hass), values, tokens)


async def async_open(hass: HomeAssistant, entry: ServerConfigEntry) -> ServerCoordinator:
    """Make an entry's server and see whether it is there.

    Raises ConfigEntryNotReady, ConfigEntryAuthFailed, and ConfigEntryError for what no new login would mend.
    """
    tokens = await async_tokens(hass, entry) if SERVERS[entry.data[CONF_SERVER]].signs_in else None
    try:
        made = async_make(hass, {**entry.data, **entry.options}, tokens)
    except (EngineAuthError, HalfLoginError) as err:
        raise ConfigEntryAuthFailed(**translated(err)) from err
    except EngineError as err:
        raise ConfigEntryError(**translated(err)) from err
    coordinator = ServerCoordinator(hass, entry, made)
    await coordinator.async_config_entry_first_refresh()
    return coordinator


class ServerCoordinator(DataUpdateCoordinator[EngineInfo]):
    """One server: its engine, and whether it answers. Whoever asks it something does so through `ask`."""

    config_entry: ServerConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ServerConfigEntry, made: Made) -> None:
        """Bind an engine to its entry."""
        self.kind: ServerKind = SERVERS[entry.data[CONF_SERVER]]
        self.engine: RemoteEngine = made.engine
        self.scans: Scans | None = made.scans
        self.networks: NetworkServer | None = made.networks
        self.lending: Lending | None = None
        self.on_anew: CALLBACK_TYPE | None = None
        """Called when the server's list of people was missing, and an empty one was made in its place."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=self.kind.probe_every,
            always_update=False,
        )
        self.data = EngineInfo(name=self.kind.name)

    @property
    def serial(self) -> str:
        """What the house calls this server: servers have no number of their own, and an address may change."""
        return self.config_entry.entry_id

    @override
    async def _async_update_data(self) -> EngineInfo:
        try:
            found = await self.engine.probe()
        except (EngineAuthError, EngineForbiddenError) as err:
            # Who may not even look whether it is there has a login that is good for nothing.
            raise (ConfigEntryAuthFailed if self.kind.logs_in else UpdateFailed)(**translated(err)) from err
        except EngineError as err:
            raise UpdateFailed(**translated(err)) from err
        self._async_look_at_list()
        return found

    async def ask[T](self, question: Awaitable[T]) -> T:
        """Await an answer of the engine, and learn from it whether the server is there. Raises what the engine does."""
        try:
            answer = await question
        except EngineAuthError as err:
            # What has no login has a proxy before it, and that is not ours to sign in to.
            if self.kind.logs_in:
                self.config_entry.async_start_reauth(self.hass)
            self._async_away(err)
            raise
        except EngineUnreachableError as err:
            if not (isinstance(err, EngineTimeoutError) and err.answered):
                self._async_away(err)
            raise
        finally:
            self._async_look_at_list()
        if not self.last_update_success:
            self.async_set_updated_data(self.data)
        return answer

    @callback
    def _async_look_at_list(self) -> None:
        register = self.engine.register
        if register is not None and register.anew and self.on_anew is not None:
            self.on_anew()

    @callback
    def _async_away(self, err: EngineError) -> None:
        if self.last_update_success:
            self.async_set_update_error(UpdateFailed(**translated(err)))


@callback
def async_server(hass: HomeAssistant, entry_id: str) -> ServerCoordinator | None:
    """Find a server by the id of its entry; None for one that is gone or not set up at present."""
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.state not in (ConfigEntryState.LOADED, ConfigEntryState.SETUP_IN_PROGRESS):
        return None
    coordinator = getattr(entry, "runtime_data", None)
    return coordinator if isinstance(coordinator, ServerCoordinator) else None


@callback
def async_server_entries(hass: HomeAssistant) -> list[ServerConfigEntry]:
    """Name all servers that there are, set up or not."""
    return [entry for entry in hass.config_entries.async_entries(DOMAIN) if is_server(entry)]


@callback
def async_searchers(hass: HomeAssistant) -> list[ServerConfigEntry]:
    """Name the servers that find people in pictures, and so can watch a camera."""
    return [entry for entry in async_server_entries(hass) if SERVERS[entry.data[CONF_SERVER]].searches]


@callback
def async_announce(hass: HomeAssistant, coordinator: ServerCoordinator) -> None:
    """Tell those who look through a server whenever it comes or goes, until its entry is unloaded."""
    entry, signal = coordinator.config_entry, _signal(coordinator.serial)
    there = True

    @callback
    def changed() -> None:
        nonlocal there
        if coordinator.last_update_success is not there:
            there = coordinator.last_update_success
            async_dispatcher_send(hass, signal)

    entry.async_on_unload(coordinator.async_add_listener(changed))
    entry.async_on_unload(lambda: async_dispatcher_send(hass, signal))
    async_dispatcher_send(hass, signal)


@callback
def async_on_server(hass: HomeAssistant, entry_id: str, listener: Callable[[], None]) -> CALLBACK_TYPE:
    """Hear when a server comes or goes."""
    return async_dispatcher_connect(hass, _signal(entry_id), listener)


def _signal(entry_id: str) -> str:
    return f"{DOMAIN}_server_{entry_id}"
