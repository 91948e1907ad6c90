"""The faces of a simulated panel, as a target of sync."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
import json
from pathlib import Path

import pytest

from custom_components.face_access.access import Role
from custom_components.face_access.devices.errors import InvalidValueError, StationPhotoError, StationRefusedError
from custom_components.face_access.devices.panel.enrolment import PanelPeople
from custom_components.face_access.devices.panel.identifier import Identifier, IdentifierType
from custom_components.face_access.devices.station import Enrolment
from custom_components.face_access.people.model import digest
from custom_components.face_access.people.plan import Progress, Wanted
from custom_components.face_access.people.store import PeopleStore
from custom_components.face_access.people.sync import Synchroniser
from simulators._terminal.pictures import sample

from ...people.conftest import profile
from .conftest import Pair, Running

GOOD = sample("good")
LINK = "/access/identifier/items/link"
ANNA = Enrolment(
    key="faannaannaanna",
    name="Anna Berg",
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2027, 1, 1, tzinfo=UTC),
)


@pytest.fixture
async def pair(running: Running) -> Pair:
    return await running("AA-12FB")


@pytest.fixture
def people(pair: Pair) -> PanelPeople:
    return PanelPeople(pair.client)


def faces(pair: Pair) -> list[dict]:
    """What the panel has with a link id."""
    return [item for item in pair.panel.identifiers.items.values() if "link_id" in item]


async def test_holds_what_it_was_given(people: PanelPeople, pair: Pair) -> None:
    await people.put(ANNA, (GOOD,))
    held = people.as_held(ANNA)
    assert await people.find(held.key) == held
    assert [one async for one in people.all()] == [held]
    (face,) = faces(pair)
    assert face["enrolled"]
    assert people.sighted_as(ANNA) == "Anna Berg"
    assert people.as_held(held) == held
    assert await people.photo(held.key) is None


async def test_a_change_without_photos_keeps_the_face(people: PanelPeople, pair: Pair) -> None:
    await people.put(ANNA, (GOOD,))
    (before,) = faces(pair)
    template = before["identifier_number"]
    changed = replace(ANNA, name="Anna B", suspended=True, door=1)
    await people.put(changed, None)
    (face,) = faces(pair)
    assert face["enrolled"]
    held = await people.find(people.as_held(ANNA).key)
    assert held == people.as_held(changed)
    assert (held.suspended, held.door) == (True, 1)
    assert template


async def test_a_blocked_person_is_never_valid(people: PanelPeople) -> None:
    held = people.as_held(replace(ANNA, role=Role.BLOCKED, card=7, text="x"))
    assert (held.role, held.suspended, held.card, held.text) == (Role.NORMAL, True, 7, "")
    await people.put(replace(ANNA, role=Role.BLOCKED, card=7), (GOOD,))
    assert await people.find(held.key) == held


async def test_a_change_of_nobody_is_refused(people: PanelPeople) -> None:
    with pytest.raises(StationRefusedError) as caught:
        await people.put(ANNA, None)
    assert caught.value.code == "record_not_found"


async def test_no_photo_is_no_face(people: PanelPeople, pair: Pair) -> None:
    with pytest.raises(StationPhotoError):
        await people.put(ANNA, ())
    with pytest.raises(StationPhotoError) as caught:
        await people.put(ANNA, (sample("empty"),))
    assert caught.value.code == "feature_extraction_failed"
    assert not faces(pair)
    await people.put(ANNA, (sample("empty"), GOOD))
    assert len(faces(pair)) == 1


@pytest.mark.parametrize(
    ("status", "answer", "kind", "code"),
    [
        (400, {"error": "Face hasn't been detected on image"}, StationPhotoError, "feature_extraction_failed"),
        (400, {"error": "Too blurred"}, StationRefusedError, "unknown_code"),
        (200, {"result": [{"link_id": "x", "status": "Wrong image file"}]}, StationPhotoError, "image_decoding_failed"),
        (200, {"result": [{"link_id": "x", "status": "Too blurred"}]}, StationRefusedError, "unknown_code"),
        (200, {"result": [{"link_id": "x", "status": "Identifiers exceeded"}]}, StationRefusedError, "limit_reached"),
    ],
)
async def test_what_the_panel_says_of_a_photo_is_passed_on(
    people: PanelPeople,
    pair: Pair,
    status: int,
    answer: dict,
    kind: type[StationRefusedError],
    code: str,
) -> None:
    """Whether it refuses the request or the one item in it."""
    body = json.dumps(answer)
    await pair.panel.fail(LINK, status, method="POST", body=body, content_type="application/json")
    with pytest.raises(StationRefusedError) as caught:
        await people.put(ANNA, (GOOD,))
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert caught.value.detail in body


async def test_another_photo_is_tried_where_one_item_is_refused(people: PanelPeople, pair: Pair) -> None:
    body = json.dumps({"result": [{"link_id": "x", "status": "Wrong image file"}]})
    await pair.panel.fail(LINK, 200, method="POST", body=body, content_type="application/json")
    await people.put(ANNA, (sample("two"), GOOD))
    assert len(faces(pair)) == 1


async def test_what_the_panel_says_of_a_card_is_not(people: PanelPeople, pair: Pair) -> None:
    """It may repeat the number."""
    body = json.dumps({"error": "Number 4711 is used already"})
    await pair.panel.fail(LINK, 400, method="POST", body=body, content_type="application/json")
    with pytest.raises(StationRefusedError) as caught:
        await people.put(replace(ANNA, card=4711), ())
    assert caught.value.detail is None


async def test_changes_of_many_read_the_list_once(people: PanelPeople, pair: Pair) -> None:
    """The list alone tells the uids, by which a change leaves the face as it is."""
    crowd = [replace(ANNA, key=f"fa{number:013}", name=f"P {number}", card=number) for number in range(1, 31)]
    for one in crowd[:20]:
        await people.put(one, (GOOD,))
    for one in crowd[20:]:
        await people.put(one, ())
    before = pair.panel.count("GET", "/access/identifier/items")
    for one in crowd:
        await people.put(replace(one, suspended=True), None)
    assert pair.panel.count("GET", "/access/identifier/items") - before <= 3
    assert [one.suspended async for one in people.all()] == [True] * 30
    assert sum(item["enrolled"] for item in faces(pair)) == 20


async def test_whoever_was_taken_over_a_moment_ago_can_be_changed(people: PanelPeople, pair: Pair) -> None:
    """The list was read before they had a link id."""
    await people.put(ANNA, (GOOD,))
    await people.put(replace(ANNA, name="Anna B"), None)
    await pair.client.identifiers.create(Identifier(type=IdentifierType.CARD, owner="Carla", number="4711"))
    (carla,) = [one async for one in people.others() if one.name == "Carla"]
    await people.take_over(carla)
    await people.put(replace(carla, name="Carla C"), None)
    assert [one.name async for one in people.all() if one.card == 4711] == ["Carla C"]


async def test_a_uid_that_means_somebody_else_by_now_is_not_written(people: PanelPeople, pair: Pair) -> None:
    ben = replace(ANNA, key="fabenbenbenbenb", name="Ben")
    for one in (ANNA, ben):
        await people.put(one, (GOOD,))
    await people.put(replace(ANNA, name="Anna B"), None)
    first, second = faces(pair)
    first["link_id"], second["link_id"] = second["link_id"], first["link_id"]
    await people.put(replace(ANNA, name="Anna C"), None)
    assert [face["identifier_owner"]["name"] for face in faces(pair)] == ["Anna B", "Anna C"]
    del pair.panel.identifiers.items[max(pair.panel.identifiers.items)]
    with pytest.raises(StationRefusedError) as caught:
        await people.put(replace(ANNA, name="Anna D"), None)
    assert caught.value.code == "record_not_found"


async def test_times_need_a_zone(people: PanelPeople) -> None:
    with pytest.raises(InvalidValueError):
        people.as_held(replace(ANNA, valid_until=datetime(2027, 1, 1)))  # noqa: DTZ001


async def test_a_full_panel_says_so(people: PanelPeople, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators._panel.identifiers.CAPACITY", 1)
    with pytest.raises(StationRefusedError) as caught:
        await people.put(ANNA, (GOOD,))
    assert caught.value.code == "limit_reached"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[PeopleStore]:
    opened = PeopleStore(tmp_path / "people.db")
    await opened.open()
    yield opened
    await opened.close()


async def test_a_panel_is_kept_at_what_is_wanted(people: PanelPeople, pair: Pair, store: PeopleStore) -> None:
    """Faces arrive, change and go; what somebody else put there stays; who has a card alone is given by it."""
    await pair.client.identifiers.upsert_linked(
        [
            Identifier(
                type=IdentifierType.FACE,
                owner="Somebody",
                link_id="6f9619ff-8b86-4011-b42d-00c04fc964ff",
                photo=GOOD,
            )
        ]
    )
    everybody = [await store.add(profile(f"p{number}"), [sample("good") + bytes([number])]) for number in range(3)]
    everybody.append(await store.add(profile("card", card=5)))

    def wanted() -> list[Wanted]:
        return [
            Wanted(person=one.id, enrolment=Enrolment(key=one.key, name=one.name, card=one.card), photos=one.photos)
            for one in store.profiles.values()
        ]

    sync = Synchroniser("panel", people, store, wanted=wanted)
    assert await sync.run(full=True)
    assert sync.progress == Progress(total=4, held=4)
    assert len(faces(pair)) == 5
    assert {holding.alias for holding in store.holdings("panel").values()} == {"P0", "P1", "P2", "Card"}
    await store.remove("p0")
    await store.update(replace(store.profiles["p1"], name="Changed"))
    assert await sync.run(full=True)
    assert sync.progress == Progress(total=3, held=3)
    assert sorted(face["identifier_owner"]["name"] for face in faces(pair)) == ["Card", "Changed", "P2", "Somebody"]
    assert [one.name for one in await sync.foreign()] == ["Somebody"]
    assert digest(GOOD)


# Cards


def numbers(pair: Pair) -> list[str]:
    """The cards with a link id."""
    return [item["identifier_number"] for item in faces(pair) if item["identifier_type"] == "card"]


@pytest.mark.parametrize(
    ("card", "written"), [(4711, "4711"), (9_999_999_999, "9999999999"), (2**64 - 1, "ff:ff:ff:ff:ff:ff:ff:ff")]
)
async def test_a_card_comes_and_goes_with_the_face(people: PanelPeople, pair: Pair, card: int, written: str) -> None:
    """In ten digits, or in bytes where they do not do; with the same validity and lock."""
    anna = replace(ANNA, card=card, door=1)
    held = people.as_held(anna)
    await people.put(anna, (GOOD,))
    assert numbers(pair) == [written]
    assert {item["lock"] for item in faces(pair)} == {"first"}
    assert [one async for one in people.all()] == [held]
    suspended = replace(anna, suspended=True)
    await people.put(suspended, None)
    assert await people.find(held.key) == people.as_held(suspended)
    assert {item["valid"]["time"]["to"] for item in faces(pair)} == {1}
    await people.put(replace(anna, card=8), None)
    assert numbers(pair) == ["8"]
    await people.put(replace(anna, card=None), None)
    assert numbers(pair) == []
    await people.put(anna, (GOOD,))
    await people.remove(held.key)
    assert await people.find(held.key) is None
    assert faces(pair) == []


async def test_who_has_a_card_alone_gets_a_face_later(people: PanelPeople, pair: Pair) -> None:
    anna = replace(ANNA, card=4711)
    await people.put(anna, ())
    assert [one async for one in people.all()] == [people.as_held(anna)]
    await people.put(replace(anna, name="Anna B"), None)
    assert [one.name async for one in people.all()] == ["Anna B"]
    await people.put(anna, (GOOD,))
    assert [one async for one in people.all()] == [people.as_held(anna)]
    assert (len(faces(pair)), numbers(pair)) == (2, ["4711"])
    # The card of somebody whose face is gone says nothing of the face: that is missing.
    items = pair.panel.identifiers.items
    (face,) = (uid for uid in items if items[uid]["identifier_type"] == "face_id" and "link_id" in items[uid])
    pair.panel.identifiers.delete(face)
    assert await people.find(people.as_held(anna).key) is None
    with pytest.raises(StationRefusedError):
        await people.put(replace(anna, card=None), None)


async def test_a_card_that_somebody_changed_at_the_panel_is_written_anew(people: PanelPeople, pair: Pair) -> None:
    """What opens the door must not outlast the person's time."""
    anna = replace(ANNA, card=4711)
    await people.put(anna, (GOOD,))
    (card,) = (item for item in faces(pair) if item["identifier_type"] == "card")
    card["valid"] = {"time": {"is_permanent": True}, "passes": {"is_permanent": True}}
    held = await people.find(people.as_held(anna).key)
    assert held == replace(people.as_held(anna), card=None, transferable=False)
    card["identifier_number"] = "no number"
    assert (await people.find(people.as_held(anna).key)).card is None


async def test_the_first_change_after_a_start_leaves_no_old_card(people: PanelPeople, pair: Pair) -> None:
    await people.put(replace(ANNA, card=4711), ())
    fresh = PanelPeople(pair.client)
    await fresh.put(ANNA, (GOOD,))
    assert numbers(pair) == []


async def test_a_panel_without_faces_learns_cards(running: Running, store: PeopleStore) -> None:
    """A face is nothing to it; who loses the card leaves."""
    pair = await running("AV-03BD")
    people = PanelPeople(pair.client, faces=False)
    await store.add(profile("anna", card=5), [GOOD])
    await store.add(profile("bob"), [sample("good") + b"bob"])

    def wanted() -> list[Wanted]:
        return [
            Wanted(person=one.id, enrolment=Enrolment(key=one.key, name=one.name, card=one.card), photos=one.photos)
            for one in store.profiles.values()
        ]

    sync = Synchroniser("panel", people, store, wanted=wanted)
    assert await sync.run(full=True)
    assert sync.progress == Progress(total=1, held=1)
    assert numbers(pair) == ["5"]
    assert await sync.run(full=True)
    assert sync.progress == Progress(total=1, held=1)
    await store.update(replace(store.profiles["anna"], card=None))
    assert await sync.run(full=True)
    assert sync.progress == Progress()
    assert numbers(pair) == []
    with pytest.raises(StationPhotoError):
        await people.put(ANNA, (GOOD,))


@pytest.mark.parametrize(
    ("which", "change"),
    [
        ("face_id", {"passes_left": 1, "valid": {"passes": {"is_permanent": False, "max_passes": 1}}}),
        ("card", {"passes_left": 1, "valid": {"passes": {"is_permanent": False, "max_passes": 1}}}),
        ("face_id", {"identifier_owner": {"name": "Anna Berg", "type": "guest"}}),
        ("card", {"identifier_owner": {"name": "Anna Berg", "type": "guest"}}),
        ("card", {"lock": "first"}),
        ("face_id", {"profiles": [1]}),
        ("card", {"apartment": 2}),
    ],
)
async def test_who_has_a_link_id_and_other_terms_cannot_be_taken_over(
    people: PanelPeople, pair: Pair, which: str, change: dict
) -> None:
    await people.put(replace(ANNA, card=4711), (GOOD,))
    (anna,) = [one async for one in people.all()]
    assert anna.transferable
    (item,) = [one for one in faces(pair) if one["identifier_type"] == which]
    item.update(change)
    (anna,) = [one async for one in people.all()]
    assert not anna.transferable


# People whom the panel keeps by itself


def kept(pair: Pair, owner: str, kind: str, number: str, **changes: object) -> int:
    """Enrol something at the panel itself, as at its screen; its uid."""
    body = {
        "identifier_owner": {"name": owner, "type": "owner"},
        "identifier_type": kind,
        "identifier_number": number,
        "lock": "all",
        **changes,
    }
    uid = pair.panel.identifiers.create(body)
    pair.panel.identifiers.items[uid]["enrolled"] = kind == "face_id"
    return uid


async def test_those_who_were_enrolled_at_the_panel_are_told_by_name(people: PanelPeople, pair: Pair) -> None:
    """Faces and cards, and neither codes nor those whom sync keeps; nobody is touched."""
    await people.put(ANNA, (GOOD,))
    kept(pair, " Bob Mason ", "face_id", "Ym9i", valid={"time": {"is_permanent": True}})
    before = dict(pair.panel.identifiers.items)
    found = {one.name: one async for one in people.others()}
    assert found.keys() == {"Alice Gardner", "Bob Mason", "Mallory Pike"}
    assert (found["Alice Gardner"].card, found["Bob Mason"].card, found["Alice Gardner"].door) == (None, 12345678, 1)
    assert found["Mallory Pike"].valid_until == datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)
    assert len({one.key for one in found.values()}) == 3
    assert pair.panel.identifiers.items == before


async def test_a_face_and_a_card_are_taken_over_as_they_are(people: PanelPeople, pair: Pair) -> None:
    identifiers = pair.panel.identifiers
    originals = {kept(pair, "Carla", "face_id", "Y2FybGE="), kept(pair, "Carla", "card", "0A:0B:0C")}
    (carla,) = [one async for one in people.others() if one.name == "Carla"]
    await people.take_over(carla)
    assert await people.find(carla.key) == carla
    assert (carla.card, carla.door) == (0x0A0B0C, None)
    assert originals.isdisjoint(identifiers.items)
    (face,) = [item for item in faces(pair) if item["identifier_type"] == "face_id"]
    assert face["identifier_number"] == "Y2FybGE="
    assert "Carla" not in [one.name async for one in people.others()]
    # From here on they are like everybody whom sync keeps.
    await people.put(replace(carla, name="Carla B"), None)
    assert (await people.find(carla.key)).name == "Carla B"
    await people.remove(carla.key)
    assert await people.find(carla.key) is None
    assert "Carla" not in str(identifiers.items)


@pytest.mark.parametrize(
    "terms",
    [
        [("card", "77", {}), ("card", "78", {})],
        [
            (
                "card",
                "77",
                {"valid": {"time": {"is_permanent": True}, "passes": {"is_permanent": False, "max_passes": 3}}},
            )
        ],
        [("card", "77", {}), ("face_id", "Y2FybGE=", {"lock": "first"})],
        [("face_id", "", {})],
        [("card", "77", {"identifier_owner": {"name": "Carla", "type": "guest"}})],
    ],
    ids=["two cards", "three passes", "another door", "no template", "a guest"],
)
async def test_nobody_gets_in_on_better_terms_for_being_taken_over(
    people: PanelPeople, pair: Pair, terms: list
) -> None:
    for kind, number, changes in terms:
        kept(pair, "Carla", kind, number, **changes)
    before = {uid: dict(item) for uid, item in pair.panel.identifiers.items.items()}
    (carla,) = [one async for one in people.others() if one.name == "Carla"]
    with pytest.raises(StationRefusedError) as caught:
        await people.take_over(carla)
    assert caught.value.code == "not_transferable"
    assert pair.panel.identifiers.items == before


async def test_a_time_profile_is_not_lost(people: PanelPeople, pair: Pair) -> None:
    uid = kept(pair, "Carla", "card", "77")
    pair.panel.identifiers.items[uid]["profiles"] = [1]
    (carla,) = [one async for one in people.others() if one.name == "Carla"]
    with pytest.raises(StationRefusedError):
        await people.take_over(carla)


async def test_a_panel_that_does_not_keep_the_copy_keeps_the_original(
    people: PanelPeople, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full, or it writes something else than it was told: no copy stays, and no original goes."""
    uid = kept(pair, "Carla", "card", "77")
    (carla,) = [one async for one in people.others() if one.name == "Carla"]
    with monkeypatch.context() as patched:
        patched.setattr("simulators._panel.identifiers.CAPACITY", 1)
        with pytest.raises(StationRefusedError) as caught:
            await people.take_over(carla)
        assert caught.value.code == "limit_reached"
    with pytest.raises(StationRefusedError) as caught:
        await people.take_over(replace(carla, valid_until=datetime(2027, 1, 1, tzinfo=UTC)))
    assert caught.value.code == "write_failed"
    assert faces(pair) == []
    assert uid in pair.panel.identifiers.items
    pair.panel.identifiers.delete(uid)
    with pytest.raises(StationRefusedError) as caught:
        await people.take_over(carla)
    assert caught.value.code == "record_not_found"
