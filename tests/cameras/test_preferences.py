"""The preferences of a watched camera, and what its diagnostics tell."""

from io import BytesIO

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from PIL import Image
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion
from syrupy.filters import props

from custom_components.face_access.hub.local.gallery import async_get_gallery
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.model import Profile
from custom_components.face_access.people.photos import prepare
from tests.conftest import SERIAL, until
from tests.recognition import toys

from .conftest import ALICE, PlayedCamera, has_seen, look, preferring

BOB = 2
DOOR = f"{SERIAL}_1"
CHOSEN = {
    "triggers": ["binary_sensor.motion"],
    "frames_per_second": 5,
    "far_faces": True,
    "door": DOOR,
    "door_mode": "open",
    "liveness_required": False,
    "minimum_score": 85,
    "second_factors": ["presence"],
    "second_factors_within": 60,
    "keep_days": 7,
    "keep_most": 100,
}


async def test_preferences(
    hass: HomeAssistant, entry: MockConfigEntry, camera_entry: MockConfigEntry, porch: PlayedCamera
) -> None:
    """All at once; the settings, which are entities, stay as they are."""
    await hass.services.async_call(
        "switch", "turn_off", {"entity_id": "switch.porch_start_recognition_on_motion"}, blocking=True
    )
    result = await hass.config_entries.options.async_init(camera_entry.entry_id)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "camera")
    doors = next(field for key, field in result["data_schema"].schema.items() if key == "door")
    assert doors.config["options"] == [{"value": DOOR, "label": "Front door"}]
    result = await hass.config_entries.options.async_configure(result["flow_id"], CHOSEN)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    settings = camera_entry.options["settings"]
    assert camera_entry.options == {**CHOSEN, "settings": settings}
    assert settings["autostart"] is False
    assert hass.states.get("switch.porch_start_recognition_on_motion").state == "off"


async def test_the_chosen_door_is_away(hass: HomeAssistant, camera_entry: MockConfigEntry, porch: PlayedCamera) -> None:
    """It stays the chosen one; without a choice there are no settings yet either."""
    await preferring(hass, camera_entry, door=DOOR)
    result = await hass.config_entries.options.async_init(camera_entry.entry_id)
    doors = next(field for key, field in result["data_schema"].schema.items() if key == "door")
    assert doors.config["options"] == [{"value": DOOR, "label": DOOR}]
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"door": DOOR})
    await hass.async_block_till_done()
    assert camera_entry.options["door"] == DOOR
    assert "settings" not in camera_entry.options


async def test_small_faces(
    hass: HomeAssistant, alice: Profile, camera_entry: MockConfigEntry, porch: PlayedCamera
) -> None:
    """The detector gets a larger picture, and finds what it has to."""
    await preferring(hass, camera_entry, far_faces=True)
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await look(hass)
    await until(lambda: hass.states.get("event.porch_face").state != "unknown")


async def test_diagnostics(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    alice: Profile,
    camera_entry: MockConfigEntry,
    porch: PlayedCamera,
    snapshot: SnapshotAssertion,
) -> None:
    """How it is watched, and nobody's name, picture or camera."""
    await preferring(hass, camera_entry, door=DOOR, triggers=["binary_sensor.gardner"], settings={"autostart": False})
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await look(hass)
    await has_seen(hass, "recognised")
    found = await get_diagnostics_for_config_entry(hass, hass_client, camera_entry)
    assert found["watching"]["seconds"] > 0
    assert found == snapshot(exclude=props("seconds", "seconds_between_pictures", "demanded", "slow"))
    text = str(found).casefold()
    for secret in ("alice", "gardner", SERIAL.casefold(), camera_entry.unique_id):
        assert secret not in text


async def test_diagnostics_of_one_that_could_not_be_set_up(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, camera_entry: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(camera_entry.entry_id)
    hass.config_entries.async_update_entry(camera_entry, data={**camera_entry.data, "engine": "01ABC"})
    await hass.config_entries.async_setup(camera_entry.entry_id)
    assert camera_entry.state is ConfigEntryState.SETUP_ERROR
    found = await get_diagnostics_for_config_entry(hass, hass_client, camera_entry)
    assert found["watching"] is None
    assert found["data"]["engine"] == "01ABC"


async def test_who_may_be_taken_for_whom_goes_by_the_lowest_similarity(
    hass: HomeAssistant, camera_entry: MockConfigEntry, alice: Profile
) -> None:
    """Two who can be told apart at *normal* are named once a camera asks for less, until none does."""
    one, other = (Image.open(BytesIO(toys.portrait((seed, 20, 10)))) for seed in (ALICE, BOB))
    stream = BytesIO()
    # A cosine of 0.42: *low* accepts from 0.40 on, *normal* from 0.45 on.
    Image.blend(one, other, 0.61).save(stream, "PNG")
    people, gallery = await async_get_people(hass), await async_get_gallery(hass)
    await people.async_add(Profile(id="cousin", name="Cousin", key="c" * 15), [prepare(stream.getvalue())])
    assert await gallery.async_settled()
    assert gallery.gallery is not None
    assert len(gallery.gallery.people) == 2

    def named() -> list[str]:
        return [key for _, key in ir.async_get(hass).issues if key.startswith("people_confusable_")]

    async def ask_for(similarity: str) -> None:
        data = {"entity_id": "select.porch_required_similarity", "option": similarity}
        await hass.services.async_call("select", "select_option", data, blocking=True)
        assert await gallery.async_settled()

    assert named() == []
    await ask_for("low")
    assert len(named()) == 1
    await ask_for("high")
    assert named() == []
    await ask_for("low")
    assert len(named()) == 1
    assert await hass.config_entries.async_unload(camera_entry.entry_id)
    assert await gallery.async_settled()
    assert named() == []
