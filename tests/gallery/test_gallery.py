"""Home Assistant learns the household by itself, keeps to what is wanted, and says what it cannot learn."""

import asyncio
from datetime import timedelta
import json
from pathlib import Path
import sqlite3
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.local import gallery as module
from custom_components.face_access.hub.local.engine import async_get_local
from custom_components.face_access.hub.local.gallery import async_forget_people, async_gallery, async_get_gallery
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.gallery import TARGET, GalleryTarget
from custom_components.face_access.people.holding import HoldingState
from custom_components.face_access.recognition.errors import ModelMissingError, RecognitionError, WorkerBusyError
from tests.recognition import toys

from .conftest import ALICE, BOB, Call, Photo, learned, restart_gallery

ALICE_AGAIN = (ALICE, 25, 11)


def issues(hass: HomeAssistant, key: str) -> list[dict[str, str]]:
    """Find what the raised issues of a kind speak of."""
    return [
        dict(issue.translation_placeholders or {})
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.translation_key == key
    ]


async def test_everybody_with_a_photo_is_learned(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    await call("add_person", name="Cardholder", card=7)
    gallery = await learned(home)
    assert gallery.gallery is not None
    assert gallery.gallery.people == ("alice",)
    # And whoever comes, changes or goes from now on.
    await call("add_person", name="Bob", path=photo("b", BOB))
    await learned(home)
    assert gallery.gallery.people == ("alice", "bob")
    assert (gallery.progress.total, gallery.progress.held) == (2, 2)
    await call("remove_person", person_id="alice")
    await learned(home)
    assert gallery.gallery.people == ("bob",)
    await call("remove_person", person_id="bob")
    await learned(home)
    assert gallery.gallery is None


async def test_what_is_kept_is_a_template_and_goes_with_the_person(
    home: HomeAssistant, models: Path, call: Call, photo: Photo
) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    gallery = await learned(home)
    (kept,) = (await gallery.people.store.learned())["alice"].values()
    assert kept.template is not None
    assert kept.template["origin"]["embedder"] == "toy_embedder"
    assert kept.template["vector"] not in repr(kept)
    (listed,) = (await call("list_persons"))["persons"]
    assert listed["recognition"] == {"state": "held", "code": None, "reason": None, "photos": []}
    assert kept.template["vector"] not in json.dumps(listed)
    await call("remove_person", person_id="alice")
    await learned(home)
    assert await gallery.people.store.learned() == {}
    database = b"".join(file.read_bytes() for file in Path(home.config.path(DOMAIN)).glob("people.db*"))
    assert kept.template["vector"].encode() not in database


async def test_new_photos_are_learned_anew(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    gallery = await learned(home)
    (before,) = (await gallery.people.store.learned())["alice"]
    await call("update_person", person_id="alice", path=photo("b", ALICE_AGAIN))
    await learned(home)
    (after,) = (await gallery.people.store.learned())["alice"]
    assert after != before
    await call("update_person", person_id="alice", path=photo("c", ALICE), add_photos=True)
    await learned(home)
    assert len((await gallery.people.store.learned())["alice"]) == 2
    # A change that has nothing to do with the face asks nothing of the engine.
    with patch.object(gallery.local.worker, "ask", side_effect=AssertionError):
        await gallery.people.async_update(gallery.people.store.profiles["alice"])
        with pytest.raises(AssertionError):
            await gallery.local.ask(lambda engine: engine.loaded)
    await learned(home)
    assert gallery.gallery is not None


async def test_a_photo_of_nobody_is_refused_with_its_reason(
    home: HomeAssistant, models: Path, call: Call, photo: Photo
) -> None:
    await call("add_person", name="Nobody", path=photo("n", (ALICE, 10, 10), (BOB, 30, 10)))
    await call("add_person", name="Bob", path=photo("b", BOB))
    gallery = await learned(home)
    assert gallery.gallery is not None
    assert gallery.gallery.people == ("bob",)
    assert (gallery.progress.held, gallery.progress.refused) == (1, 1)
    (issue,) = issues(home, "person_refused")
    assert (issue["person"], issue["station"]) == ("Nobody", "Home Assistant")
    assert "more than one face" in issue["reason"]
    nobody = (await call("list_persons"))["persons"][0]
    assert (nobody["recognition"]["state"], nobody["recognition"]["code"]) == ("refused", "photo_too_many_faces")
    assert [one["code"] for one in nobody["recognition"]["photos"]] == ["TOO_MANY_FACES"]
    await call("update_person", person_id="nobody", path=photo("a", ALICE))
    await learned(home)
    assert set(gallery.gallery.people) == {"bob", "nobody"}
    assert issues(home, "person_refused") == []


async def test_the_photo_of_somebody_else_is_named(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    photos = [photo("b", BOB), photo("a", ALICE), photo("c", ALICE_AGAIN)]
    await call("add_person", name="Alice", path=photos)
    await learned(home)
    assert issues(home, "photo_of_another") == [{"person": "Alice", "photos": "1"}]
    (alice,) = (await call("list_persons"))["persons"]
    assert [(one["photo"], one["code"]) for one in alice["recognition"]["photos"]] == [(1, "FACE_UNLIKE_OTHERS")]
    await call("update_person", person_id="alice", path=photos[1:])
    await learned(home)
    assert issues(home, "photo_of_another") == []


async def test_people_who_look_the_same_are_named_until_they_do_not(
    home: HomeAssistant, models: Path, call: Call, photo: Photo
) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    await call("add_person", name="Twin", path=photo("t", ALICE_AGAIN))
    await call("add_person", name="Bob", path=photo("b", BOB))
    await learned(home)
    (issue,) = issues(home, "people_confusable")
    assert {issue["first"], issue["second"]} == {"Alice", "Twin"}
    await call("remove_person", person_id="twin")
    await learned(home)
    assert issues(home, "people_confusable") == []


async def test_after_a_restart_nothing_is_learned_again(
    home: HomeAssistant, models: Path, call: Call, photo: Photo
) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    await learned(home)
    with patch("custom_components.face_access.recognition.register.learn", side_effect=AssertionError):
        gallery = await restart_gallery(home)
    assert gallery.gallery is not None
    assert gallery.gallery.people == ("alice",)


async def test_other_models_learn_from_the_photos_that_were_kept(
    home: HomeAssistant, models: Path, call: Call, photo: Photo
) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    await call("add_person", name="Bob", path=photo("b", BOB), photo_storage="none")
    await call("add_person", name="Small", path=photo("c", 4), photo_storage="thumbnail")
    gallery = await learned(home)
    await home.async_block_till_done()
    # Home Assistant is the only one who had to learn them: nothing more is kept than was asked for.
    assert await gallery.people.store.photos("bob") == ()
    (small,) = await gallery.people.store.photos("small")
    assert len(small) < 40_000
    assert gallery.gallery is not None
    before = gallery.gallery.origin
    (models / "toy_embedder.onnx").write_bytes(toys.embedder(64))
    await gallery.local.async_models_changed()
    assert gallery.gallery is None
    await learned(home)
    assert gallery.gallery is not None
    assert gallery.gallery.origin != before
    assert "alice" in gallery.gallery.people
    assert "bob" not in gallery.gallery.people
    assert {"person": "Bob", "station": "Home Assistant"}.items() <= issues(home, "person_refused")[0].items()
    holdings = {one.person: one for one in gallery.people.store.holdings(TARGET).values()}
    assert (holdings["bob"].state, holdings["bob"].code) == (HoldingState.REFUSED, "photo_missing")
    # The vectors of the old model are gone: nobody needs them.
    assert all(one.template is None for one in (await gallery.people.store.learned())["bob"].values())
    await call("update_person", person_id="bob", path=photo("d", BOB))
    await learned(home)
    assert "bob" in gallery.gallery.people


async def test_a_photo_that_was_not_kept_stays_learned(
    home: HomeAssistant, models: Path, call: Call, photo: Photo
) -> None:
    await call("add_person", name="Bob", path=photo("b", BOB), photo_storage="none")
    gallery = await learned(home)
    await home.async_block_till_done()
    assert await gallery.people.store.photos("bob") == ()
    gallery.async_wake(look=True, retry=True)
    await learned(home)
    assert gallery.gallery is not None
    assert gallery.gallery.people == ("bob",)
    (target,) = {one.key for one in gallery.people.store.profiles.values()}
    # Asked to learn it again, it keeps what it has.
    await gallery.people.store.keep([])
    held = gallery.sync._people
    await held.put(held.as_held(next(gallery._wanted()).enrolment), (b"unused",))
    assert await held.find(target) is not None


async def test_without_models_nobody_is_learned_until_they_are_there(
    home: HomeAssistant, call: Call, photo: Photo
) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE), photo_storage="none")
    gallery = await async_get_gallery(home)
    with pytest.raises(ModelMissingError):
        await gallery.async_settled()
    assert gallery.gallery is None
    # The photo waits for them too.
    await home.async_block_till_done()
    assert len(await gallery.people.store.photos("alice")) == 1
    (alice,) = (await call("list_persons"))["persons"]
    assert alice["recognition"]["state"] == "pending"
    toys.install(Path(home.config.path(DOMAIN)) / "models")
    await gallery.local.async_models_changed()
    await learned(home)
    assert gallery.gallery is not None
    assert gallery.gallery.people == ("alice",)


async def test_a_damaged_template_is_made_anew(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    gallery = await learned(home)
    store = gallery.people.store
    await store._run(lambda: store._file.connection.execute("UPDATE template SET content = '{\"vector\": 3}'"))
    gallery = await restart_gallery(home)
    assert gallery.gallery is not None
    assert gallery.gallery.people == ("alice",)


async def test_a_busy_engine_is_asked_again(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    local = await async_get_local(home)
    with patch.object(local.worker, "ask", side_effect=WorkerBusyError("busy")):
        gallery = await async_get_gallery(home)
        with pytest.raises(WorkerBusyError):
            await gallery.async_settled()
    async_fire_time_changed(home, dt_util.utcnow() + timedelta(seconds=module.RETRY_AFTER + 1))
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await gallery.done.wait()
    assert gallery.error is None
    assert gallery.gallery is not None


async def test_a_disk_that_fails_is_told(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    people = await async_get_people(home)
    with patch.object(people.store, "learned", side_effect=sqlite3.OperationalError("disk I/O error")):
        gallery = await async_get_gallery(home)
        with pytest.raises(RecognitionError):
            await gallery.async_settled()
    await learned(home)
    assert gallery.gallery is not None


async def test_it_takes_too_long(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    gallery = await async_get_gallery(home)
    assert await gallery.async_settled(0) is False
    await learned(home)


async def test_those_who_are_learned_are_shown_while_others_wait(
    home: HomeAssistant, models: Path, call: Call, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SHOW_EVERY", 0)
    for number in range(1, 5):
        await call("add_person", name=f"p{number}", path=photo(f"p{number}", number))
    sizes: list[int] = []
    gallery = await async_get_gallery(home)
    show = gallery._async_show

    async def shown() -> None:
        await show()
        sizes.append(0 if gallery.gallery is None else len(gallery.gallery))

    monkeypatch.setattr(gallery, "_async_show", shown)
    await learned(home)
    assert sizes[-1] == 4
    assert sizes[0] < 4


async def test_recognition_is_given_up(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    await call("add_person", name="Alice", path=[photo("a", ALICE), photo("b", ALICE_AGAIN), photo("c", BOB)])
    await call("add_person", name="Nobody", path=photo("n"))
    gallery = await learned(home)
    assert issues(home, "photo_of_another")
    await async_forget_people(home)
    assert gallery.gallery is None
    assert async_gallery(home) is None
    assert await gallery.people.store.learned() == {}
    assert gallery.people.store.holdings(TARGET) == {}
    assert issues(home, "photo_of_another") == issues(home, "person_refused") == []


async def test_sync_people_looks_after_it_too(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    assert (await call("sync_people"))["recognition"] is None
    await call("add_person", name="Alice", path=photo("a", ALICE))
    assert async_gallery(home) is None
    await learned(home)
    assert (await call("sync_people"))["recognition"] == {
        "total": 1,
        "synced": 1,
        "refused": 0,
        "waiting": 0,
        "leaving": 0,
        "done": True,
    }


async def test_numpy_cannot_be_had(home: HomeAssistant) -> None:
    with (
        patch.object(module, "async_get_local", side_effect=ConfigEntryNotReady("no numpy")),
        pytest.raises(ConfigEntryNotReady),
    ):
        await async_get_gallery(home)
    assert async_gallery(home) is None
    await async_get_gallery(home)
    assert async_gallery(home) is not None


async def test_templates_stay_on_the_engines_thread(
    home: HomeAssistant, models: Path, call: Call, photo: Photo
) -> None:
    """The target does what every target of sync does."""
    await call("add_person", name="Alice", path=photo("a", ALICE))
    gallery = await learned(home)
    target = GalleryTarget(gallery.people.store, gallery.local.ask)
    profile = gallery.people.store.profiles["alice"]
    (held,) = [one async for one in target.all()]
    assert held == await target.find(profile.key) == target.as_held(held)
    assert target.sighted_as(held) == profile.key
    assert await target.photo(profile.key) is None
    await target.put(held, None)
    await target.remove(profile.key)
    assert await target.find(profile.key) is None
    with pytest.raises(Exception, match="record_not_found"):
        await target.put(held, None)
    await target.remove("gone")
    assert await target.find("gone") is None
    assert np.isfinite(gallery.gallery._columns).all()
