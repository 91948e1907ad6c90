"""Actions for the station's telephone."""

from homeassistant.core import ServiceResponse
from homeassistant.util import dt as dt_util

from ..devices.errors import InvalidValueError, StationRefusedError, StationUnsupportedError
from ..devices.station import Sip
from .request import Request


async def sip_register(request: Request, sip: Sip) -> ServiceResponse:
    """Give the station its account."""
    data = request.data
    await sip.register(
        domain=data["domain"], port=data["port"], username=data["username"], password=data.get("password")
    )
    return None


async def sip_call(request: Request, sip: Sip) -> ServiceResponse:
    """Let the station call, known as a call that nobody at the door began."""
    coordinator = request.coordinator
    before = coordinator.called_at
    coordinator.called_at = dt_util.utcnow()
    try:
        await sip.call(request.data["url"])
    except InvalidValueError, StationRefusedError, StationUnsupportedError:
        # There is no call: whoever rings now is a visitor.
        coordinator.called_at = before
        raise
    return None


async def sip_hangup(_request: Request, sip: Sip) -> ServiceResponse:
    """End the call."""
    await sip.hang_up()
    return None
