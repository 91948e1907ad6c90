"""Who is known where is told of at once when a target is done, and together while targets work."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from custom_components.face_access.hub.people import known_at
from custom_components.face_access.hub.people.known_at import KnownAt
from custom_components.face_access.people.holding import Holding, HoldingState
from custom_components.face_access.people.refusal import Refusal
from custom_components.face_access.people.store import PeopleStore

ANNA = Holding(target="gate", key="k", person="anna", alias="k")
HELD = replace(ANNA, state=HoldingState.HELD, facts="f")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[PeopleStore]:
    opened = PeopleStore(tmp_path / "people.db")
    await opened.open()
    yield opened
    await opened.close()


async def test_what_many_targets_learn_is_told_once(hass: HomeAssistant, store: PeopleStore) -> None:
    known = KnownAt(hass, store, ["gate", "door"])
    heard: list[dict] = []
    stop = known.async_listen("anna", lambda: heard.append(known.async_of("anna")))
    await store.keep([ANNA, replace(ANNA, target="door")])
    known.async_look(working=True)
    await hass.async_block_till_done()
    waiting = (HoldingState.PENDING, None)
    assert heard == [{"gate": waiting, "door": waiting}]
    for holding in (HELD, replace(HELD, target="door")):
        await store.keep([holding])
        known.async_look(working=True)
    await hass.async_block_till_done()
    assert len(heard) == 1
    with patch.object(known_at, "WHILE_WORKING", 0):
        known.async_look(working=True)
    await hass.async_block_till_done()
    held = (HoldingState.HELD, None)
    assert heard[1:] == [{"gate": held, "door": held}]
    no = Refusal("face_too_small", "only 12 pixels")
    await store.keep([replace(HELD, state=HoldingState.REFUSED, refusal=no)])
    known.async_look(working=False)
    await hass.async_block_till_done()
    assert heard[2:] == [{"gate": (HoldingState.REFUSED, no), "door": held}]
    # Nothing new, and then nobody who listens.
    known.async_look(working=False)
    stop()
    await store.keep([HELD])
    known.async_look(working=False)
    await hass.async_block_till_done()
    assert len(heard) == 3
