"""Cards, keys, codes, QR codes, plates and faces: written, read, listed and enrolled."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationError,
    StationProtocolError,
    StationRefusedError,
    StationUnsupportedError,
)
from custom_components.face_access.devices.panel.client import PanelClient
from custom_components.face_access.devices.panel.identifier import Identifier, IdentifierType, check_photo
from custom_components.face_access.devices.panel.info import parse_info
from custom_components.face_access.devices.panel.paging import ListQuery, Page, all_items, parse_page
from simulators._terminal import pictures
from simulators.panel import MODELS

from .conftest import INFO, Pair, Running, ScriptedPanel

WITH_FACES = [name for name, model in MODELS.items() if model.has("face")]
LINK = "91c615e3-1040-4815-8ecb-039a18b756b6"
OTHER_LINK = "0f0e0d0c-1040-4815-8ecb-039a18b756b6"
QR = "0aa615e3-1040-4815-8ecb-039a18b756b5"
SPAN = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC))
ANDROID = parse_info(INFO)
CAMDROID = parse_info({**INFO, "device_model": "av03bd", "api_version": "1.3.5"})
EVERY_KIND = (
    Identifier(type=IdentifierType.CARD, owner="Ann", number="0000123456", lock=1),
    Identifier(type=IdentifierType.UKEY, owner="Ann", number="0A:1b:2C:3D", guest=True, lock=2),
    Identifier(type=IdentifierType.CODE, owner="Ann", number="987654", valid_from=SPAN[0], valid_until=SPAN[1]),
    Identifier(type=IdentifierType.QR, owner="Ann", number=QR, max_passes=3, valid_until=SPAN[1]),
    Identifier(type=IdentifierType.PLATE, owner="Ann", number="B-AS 1", valid_from=SPAN[0]),
)


@pytest.fixture(params=list(MODELS))
async def each(request: pytest.FixtureRequest, running: Running) -> Pair:
    return await running(request.param)


def photo(name: str = "Erin") -> bytes:
    return pictures.panorama(name)


async def known_kinds(client: PanelClient) -> list[Identifier]:
    kinds = await client.identifiers.types()
    return [identifier for identifier in EVERY_KIND if identifier.type in kinds]


async def test_every_kind_is_created_read_listed_changed_and_deleted(each: Pair) -> None:
    identifiers = each.client.identifiers
    for identifier in await known_kinds(each.client):
        uid = await identifiers.create(identifier)
        found = await identifiers.read(uid)
        assert (found.uid, found.type, found.owner, found.number) == (uid, identifier.type, "Ann", identifier.number)
        assert (found.guest, found.lock, found.max_passes) == (identifier.guest, identifier.lock, identifier.max_passes)
        assert (found.valid_from, found.valid_until) == (identifier.valid_from, identifier.valid_until)
        assert found.passes_left == identifier.max_passes
        listed = [one async for one in identifiers.all() if one.uid == uid]
        assert listed == [found]
        await identifiers.update(uid, Identifier(type=found.type, owner="Bea", number=found.number))
        assert (await identifiers.read(uid)).owner == "Bea"
        await identifiers.delete(uid)
        with pytest.raises(StationRefusedError) as raised:
            await identifiers.read(uid)
        assert raised.value.code == "no_identifier"


async def test_lists_are_filtered_in_the_style_of_the_panel(each: Pair) -> None:
    found = [one async for one in each.client.identifiers.all(("identifier_type", "card"))]
    assert {one.owner for one in found} == {"Bob Mason", "Mallory Pike"}
    page = await each.client.identifiers.page(ListQuery(limit=10, sort="identifier_type", descending=True))
    assert page.total == len(page.items)
    kinds = [item["identifier_type"] for item in page.items]
    assert kinds == sorted(kinds, reverse=True)


async def test_long_lists_are_read_page_by_page(each: Pair) -> None:
    for number in range(120):
        each.panel.identifiers.create(
            Identifier(type=IdentifierType.CODE, owner="x", number=f"9{number}").body(ANDROID)
        )
    found = [one async for one in each.client.identifiers.all(("identifier_type", "inputCode"))]
    assert len({one.uid for one in found}) == 121


async def test_several_are_deleted_at_once_and_passes_are_given_back(each: Pair) -> None:
    identifiers = each.client.identifiers
    uid = await identifiers.create(
        Identifier(type=IdentifierType.CODE, owner="Ann", number="31415", max_passes=2, valid_until=SPAN[1])
    )
    if MODELS[each.panel.model.name].has("keypad"):
        await each.panel.enter_code("31415")
    else:
        each.panel.identifiers.passed(uid)
    assert (await identifiers.read(uid)).passes_left == 1
    await identifiers.reset_passes(uid)
    assert (await identifiers.read(uid)).passes_left == 2
    await identifiers.delete_many([uid, 1])
    assert not {uid, 1} & each.panel.identifiers.items.keys()


async def test_time_profiles_and_apartments_are_attached(each: Pair) -> None:
    identifiers = each.client.identifiers
    profile = each.panel.profiles.create(
        {
            "name": "Day",
            "time_options": {"is_all_day": True, "date_from": 0, "date_to": 1},
            "repeat_options": {"repeat_enable": False},
        }
    )
    uid = await identifiers.create(EVERY_KIND[0])
    await identifiers.attach_profile(uid, profile)
    await identifiers.attach_apartment(uid, 2)
    found = await identifiers.read(uid)
    assert (found.profiles, found.apartment) == ((str(profile),), 2)
    await identifiers.detach_profile(uid, profile)
    await identifiers.detach_apartment(uid)
    found = await identifiers.read(uid)
    assert (found.profiles, found.apartment) == ((), None)


@pytest.mark.parametrize("language", ["en", "xx"])
async def test_a_qr_code_as_a_picture(each: Pair, language: str) -> None:
    uid = await each.client.identifiers.create(EVERY_KIND[3])
    assert (await each.client.identifiers.qr_code(uid, language)).startswith(b"\x89PNG")


async def test_link_variants_have_no_uid_and_no_filter(each: Pair) -> None:
    identifiers = each.client.identifiers
    wanted = Identifier(
        type=IdentifierType.CARD,
        owner="Ann",
        number="777",
        link_id=LINK,
        apartment_link_id=OTHER_LINK,
        profiles=(OTHER_LINK,),
        passes_left=1,
    )
    assert await identifiers.upsert_linked([wanted]) == {LINK: "Created"}
    assert await identifiers.upsert_linked([wanted]) == {LINK: "Updated"}
    found = [one async for one in identifiers.linked()]
    assert [(one.link_id, one.uid, one.owner) for one in found] == [(LINK, None, "Ann")]
    assert await identifiers.delete_linked([LINK, OTHER_LINK]) == {LINK: "Deleted", OTHER_LINK: "Not found"}
    for wrong in (Identifier(type=IdentifierType.CARD, owner="Ann", number="7"), _linked("no uuid")):
        with pytest.raises(InvalidValueError):
            await identifiers.upsert_linked([wrong])


def _linked(link_id: str) -> Identifier:
    return Identifier(type=IdentifierType.CARD, owner="Ann", number="7", link_id=link_id)


async def test_identifiers_by_type_on_the_newest_api_only(running: Running) -> None:
    new, old = await running("AA-12FB"), await running("BI-06FB")
    cards = await new.client.identifiers.of_type(IdentifierType.CARD)
    assert {card.owner for card in cards} == {"Bob Mason", "Mallory Pike"}
    one = await new.client.identifiers.of_type(IdentifierType.CARD, "12345678")
    assert [card.owner for card in one] == ["Bob Mason"]
    with pytest.raises(StationUnsupportedError):
        await old.client.identifiers.of_type(IdentifierType.CARD)


async def test_by_type_may_answer_with_one_instead_of_a_list(scripted: ScriptedPanel, client: PanelClient) -> None:
    only = {"identifier_uid": 4, "identifier_type": "card", "identifier_owner": {"name": "Ann"}}
    scripted.on("GET /access/identifiers", (200, only))
    assert [one.uid for one in await client.identifiers.of_type(IdentifierType.CARD)] == [4]


# What cannot be


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (IdentifierType.CARD, ""),
        (IdentifierType.CARD, "12345678901"),
        (IdentifierType.CARD, "0A"),
        (IdentifierType.CARD, "١٢٣"),
        (IdentifierType.UKEY, "01:02:03:04:05:06:07:08:09"),
        (IdentifierType.CODE, "12a"),
        (IdentifierType.CODE, "²"),
        (IdentifierType.QR, "91c615e3"),
        (IdentifierType.QR, "{91c615e3-1040-4815-8ecb-039a18b756b5}"),
        (IdentifierType.PLATE, ""),
        (IdentifierType.PLATE, "x" * 101),
    ],
)
def test_a_number_that_does_not_fit_is_refused_and_not_told(kind: IdentifierType, number: str) -> None:
    with pytest.raises(InvalidValueError) as raised:
        Identifier(type=kind, owner="Ann", number=number).body(ANDROID)
    assert raised.value.field == "number"
    assert not number or number not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"owner": " "}, "owner"),
        ({"owner": "x" * 256}, "owner"),
        ({"lock": 3}, "lock"),
        ({"valid_from": SPAN[1], "valid_until": SPAN[0]}, "valid_until"),
        ({"valid_from": datetime(2026, 1, 1)}, "valid"),  # noqa: DTZ001 (that is the mistake)
        ({"max_passes": 0}, "max_passes"),
        ({"type": IdentifierType.FACE}, "type"),
    ],
)
def test_bodies_that_no_panel_takes(changes: dict[str, Any], field: str) -> None:
    given: dict[str, Any] = {"type": IdentifierType.CODE, "owner": "Ann", "number": "1", **changes}
    with pytest.raises(InvalidValueError) as raised:
        Identifier(**given).body(CAMDROID)
    assert raised.value.field == field


def test_plates_are_known_from_api_2_5_on_and_to_camdroid() -> None:
    plate = EVERY_KIND[4]
    with pytest.raises(InvalidValueError):
        plate.body(parse_info({**INFO, "api_version": "2.0.0"}))
    assert plate.body(CAMDROID)["identifier_type"] == "license_plate"


def test_the_span_is_read_beside_the_passes_and_inside_them() -> None:
    time = {"is_permanent": False, "from": 0, "to": int(SPAN[1].timestamp())}
    shapes = ({"time": time, "passes": {}}, {"passes": {"is_permanent": True, "time": time}})
    for valid in shapes:
        found = Identifier.parse({"identifier_type": "card", "valid": valid})
        assert found is not None
        assert (found.valid_from, found.valid_until, found.max_passes) == (None, SPAN[1], None)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"valid": {}, "time_profiles": {"count": 0, "uid_items": []}, "lock": "all"},
        {"valid": {"time": {"is_permanent": True}, "passes": {"is_permanent": True}}},
        {"valid": {"time": {"is_permanent": False, "from": 0, "to": 4102444799}}},
    ],
)
def test_what_has_no_limits_beside_door_and_time_is_plain(raw: dict) -> None:
    found = Identifier.parse({"identifier_type": "card", **raw})
    assert found is not None
    assert found.is_plain


@pytest.mark.parametrize(
    "raw",
    [
        {"valid": {"passes": {"is_permanent": False, "max_passes": 3}}},
        {"valid": {"passes": {"is_permanent": False, "max_passes": "few"}}},
        {"valid": {"passes": {"is_permanent": "perhaps", "max_passes": 3}}},
        {"valid": {"time": {"is_permanent": False, "from": 0}}},
        {"valid": {"time": {"is_permanent": False, "from": "soon", "to": 4102444799}}},
        {"valid": {"time": {"is_permanent": False, "from": 0, "to": 10**15}}},
        {"valid": {"time": {"from": 0, "to": 1}}},
        {"lock": "third"},
        {"time_profiles": {"count": 2}},
        {"time_profiles": {"count": 1, "link_ids": [QR]}},
        {"apartment": {"uid": 3}},
        {"apartment_link_id": QR},
        {"identifier_owner": {"name": "Ann", "type": "guest"}},
    ],
)
def test_what_limits_it_otherwise_or_cannot_be_read_is_not_plain(raw: dict) -> None:
    found = Identifier.parse({"identifier_type": "card", **raw})
    assert found is not None
    assert not found.is_plain


def test_minus_one_is_no_apartment() -> None:
    found = Identifier.parse({"identifier_type": "card", "apartment": {"uid": -1}, "uid": 9})
    assert found is not None
    assert (found.apartment, found.uid) == (None, 9)


@pytest.mark.parametrize("reply", [{}, {"uid": -1}, {"uid": "x"}])
async def test_an_identifier_without_a_number_of_its_own(
    scripted: ScriptedPanel, client: PanelClient, reply: dict[str, Any]
) -> None:
    scripted.on("POST /access/identifier", (200, reply))
    with pytest.raises(StationProtocolError):
        await client.identifiers.create(EVERY_KIND[0])


async def test_a_kind_that_nobody_knows_is_left_out(scripted: ScriptedPanel, client: PanelClient) -> None:
    items = [{"identifier_type": "retina"}, {"identifier_type": "card", "identifier_uid": 2}, "noise"]
    scripted.on("GET /access/identifier/items", (200, {"list_items": items}))
    scripted.on("GET /access/identifier/item/1", (200, {"identifier_type": "retina"}))
    assert [one.uid async for one in client.identifiers.all()] == [2]
    with pytest.raises(StationProtocolError):
        await client.identifiers.read(1)


async def test_a_number_that_the_panel_repeats_in_its_refusal_is_not_passed_on(
    scripted: ScriptedPanel, client: PanelClient
) -> None:
    scripted.on("POST /access/identifier", (400, {"error": "Wrong identifier_number value 0000123456"}))
    with pytest.raises(StationRefusedError) as raised:
        await client.identifiers.create(EVERY_KIND[0])
    assert "123456" not in f"{raised.value!r} {EVERY_KIND[0]!r}"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_SPAN = st.dictionaries(st.sampled_from(("is_permanent", "from", "to", "max_passes", "time")), _JSON)


@given(
    st.fixed_dictionaries(
        {"identifier_type": st.sampled_from(IdentifierType)},
        optional={
            **dict.fromkeys(("identifier_owner", "identifier_number", "lock", "uid", "link_id", "apartment"), _JSON),
            "valid": _JSON | st.fixed_dictionaries({}, optional={"time": _SPAN, "passes": _SPAN}),
            "time_profiles": _JSON | st.dictionaries(st.sampled_from(("uid_items", "link_ids")), _JSON),
            "additional": _JSON,
        },
    )
)
def test_no_identifier_breaks_it(raw: dict[str, Any]) -> None:
    found = Identifier.parse(raw)
    assert found is not None
    assert 0 <= found.lock <= 8
    with suppress(InvalidValueError):
        assert Identifier.parse(found.body(ANDROID)) is not None


# Faces


@pytest.mark.parametrize("model", WITH_FACES)
async def test_a_face_is_made_of_a_photo(running: Running, model: str) -> None:
    pair = await running(model)
    uid = await pair.client.identifiers.enrol(Identifier(type=IdentifierType.FACE, owner="Erin"), photo())
    assert pair.panel.identifiers.items[uid]["enrolled"]
    # The second photo has nowhere to go.
    with pytest.raises(StationRefusedError) as raised:
        await pair.client.identifiers.upload_photo(uid, photo())
    assert raised.value.code == "no_identifier"


async def test_faces_are_enrolled_one_after_the_other(running: Running) -> None:
    pair = await running()
    await asyncio.gather(
        *(
            pair.client.identifiers.enrol(Identifier(type=IdentifierType.FACE, owner=name), photo(name))
            for name in ("Erin", "Frank", "Grace")
        )
    )
    assert sum(item["enrolled"] for item in pair.panel.identifiers.items.values()) == 4


async def test_a_panel_that_works_on_another_face_is_waited_for(running: Running) -> None:
    pair = await running()
    await pair.panel.fail("/face/file", 400, body='{"error": "Loading file in progress. Wait for result"}', times=3)
    assert await pair.client.identifiers.enrol(Identifier(type=IdentifierType.FACE, owner="Erin"), photo())
    await pair.panel.fail("/face/file", 400, body='{"error": "Loading file in progress. Wait for result"}', times=5)
    with pytest.raises(StationRefusedError) as raised:
        await pair.client.identifiers.enrol(Identifier(type=IdentifierType.FACE, owner="Frank"), photo())
    assert raised.value.code == "busy"


async def test_a_photo_without_a_face_leaves_nothing_on_the_panel(running: Running) -> None:
    pair = await running()
    before = set(pair.panel.identifiers.items)
    with pytest.raises(StationRefusedError) as raised:
        await pair.client.identifiers.enrol(Identifier(type=IdentifierType.FACE, owner="Wall"), _wall())
    assert raised.value.code == "feature_extraction_failed"
    assert set(pair.panel.identifiers.items) == before


def _wall() -> bytes:
    image = pictures.draw("Erin").crop((0, 0, 10, 10)).resize((640, 480))
    return pictures.to_jpeg(image)


async def test_the_part_is_called_file_or_status(scripted: ScriptedPanel, client: PanelClient) -> None:
    """The schema says one, the sample the other."""
    path = "/access/identifier/item/face/file/7"
    scripted.on(f"POST {path}", (400, {"error": "Wrong image file"}), (200, ""))
    await client.identifiers.upload_photo(7, photo())
    assert [b'name="file"' in asked.body for asked in scripted.of(path)] == [True, False]
    assert b'name="status"' in scripted.of(path)[1].body


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ("Wrong identifier-uid. Missed temporary identifier for adding faceId", "image_decoding_failed"),
        ("Face hasn't been detected on image", "feature_extraction_failed"),
    ],
)
async def test_which_of_two_refusals_counts(
    scripted: ScriptedPanel, client: PanelClient, second: str, code: str
) -> None:
    """The first try may have used up what was created for the photo."""
    path = "/access/identifier/item/face/file/7"
    scripted.on(f"POST {path}", (400, {"error": "Wrong image file"}), (400, {"error": second}))
    with pytest.raises(StationRefusedError) as raised:
        await client.identifiers.upload_photo(7, photo())
    assert raised.value.code == code


async def test_a_face_that_cannot_be_removed_again_is_still_the_first_error(
    scripted: ScriptedPanel, client: PanelClient
) -> None:
    scripted.on("POST /access/identifier", (200, {"uid": 7}))
    scripted.on("POST /access/identifier/item/face/file/7", (400, {"error": "Face hasn't been detected on image"}))
    scripted.on("DELETE /access/identifier/item/7", (500, ""))
    with pytest.raises(StationError, match="feature_extraction_failed"):
        await client.identifiers.enrol(Identifier(type=IdentifierType.FACE, owner="Erin"), photo())
    assert len(scripted.of("/access/identifier/item/7")) == 1


async def test_a_lost_upload_is_not_repeated(running: Running) -> None:
    pair = await running()
    await pair.panel.fail("/face/file", after=True)
    with pytest.raises(StationError):
        await pair.client.identifiers.enrol(Identifier(type=IdentifierType.FACE, owner="Erin"), photo())
    uploads = [path for method, path, _ in pair.panel.requests if method == "POST" and "/face/file/" in path]
    assert len(uploads) == 1


async def test_a_face_by_link_carries_its_photo(running: Running) -> None:
    pair = await running()
    linked = Identifier(type=IdentifierType.FACE, owner="Erin", link_id=LINK, photo=photo())
    assert await pair.client.identifiers.upsert_linked([linked]) == {LINK: "Created"}
    assert repr(linked).count("photo") == 0


def test_photos_are_jpeg() -> None:
    with pytest.raises(InvalidValueError):
        check_photo(b"\x89PNG\r\n\x1a\n")


# Pages


@pytest.mark.parametrize("query", [ListQuery(limit=25), ListQuery(page=0)])
def test_pages_that_no_panel_has(query: ListQuery) -> None:
    with pytest.raises(InvalidValueError):
        query.parameters(ANDROID)


def test_a_quotation_mark_cannot_be_asked_for() -> None:
    query = ListQuery(sort="timestamp", descending=True, equal=("owner", "O'Neil"))
    assert query.parameters(ANDROID)["filter_value"] == "O'Neil"
    with pytest.raises(InvalidValueError) as raised:
        query.parameters(CAMDROID)
    assert "O'Neil" not in f"{raised.value} {query!r}"
    plain = ListQuery(sort="timestamp", descending=True, equal=("owner", "Ann"))
    assert plain.parameters(CAMDROID) == {
        "limit": "50",
        "page_number": "1",
        "order_by": "timestamp desc",
        "filter": "owner eq 'Ann'",
    }


@pytest.mark.parametrize("spelling", ["list_option", "list_options"])
def test_both_spellings_of_the_options(spelling: str) -> None:
    page = parse_page({"list_items": [{}], spelling: {"pagination": {"total_items": 4, "total_pages": 2}}})
    assert (page.total, page.pages, page.items) == (4, 2, ({},))


async def test_a_panel_that_gives_the_same_page_again_ends_the_list() -> None:
    asked: list[int] = []

    async def fetch(number: int) -> Page:
        asked.append(number)
        return Page(items=({"a": 1}, {"b": 2}))

    assert [item async for item in all_items(fetch, limit=2)] == [{"a": 1}, {"b": 2}]
    assert asked == [1, 2]


async def test_a_list_that_never_ends_ends() -> None:
    async def fetch(number: int) -> Page:
        return Page(items=({"n": number},))

    assert len([item async for item in all_items(fetch, limit=1)]) == 1000


async def test_a_list_ends_where_the_panel_says(scripted: ScriptedPanel, client: PanelClient) -> None:
    items = [{"identifier_type": "card", "identifier_uid": number} for number in range(50)]
    reply = {"list_items": items, "list_options": {"pagination": {"total_pages": 1}}}
    scripted.on("GET /access/identifier/items", (200, reply))
    assert len([one async for one in client.identifiers.all()]) == 50
    assert len(scripted.of("/access/identifier/items")) == 1


async def test_a_list_without_an_object_around_it(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /access/identifier/items", (200, [{"identifier_type": "card", "identifier_uid": 1}]))
    assert [one.uid async for one in client.identifiers.all()] == [1]
