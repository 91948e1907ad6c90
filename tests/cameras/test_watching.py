from homeassistant.core import HomeAssistant
from tests.conftest import until
from tests.recognition import toys
from .conftest import *


async def test_smoke(hass: HomeAssistant, porch, alice, camera_entry) -> None:
    for s in hass.states.async_all():
        print(s.entity_id, s.state)
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await hass.services.async_call("button", "press", {"entity_id": "button.porch_look_now"}, blocking=True)
    await until(lambda: hass.states.get("event.porch_face").state != "unknown")
    print(hass.states.get("event.porch_face"))
    for s in hass.states.async_all():
        print(s.entity_id, s.state)
    assert 0
