"""Many people in one request: whoever is taken is written down, and whoever is not is given alone."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import pytest

from custom_components.face_access.devices.errors import (
    StationConnectionError,
    StationError,
    StationPhotoError,
    StationProtocolError,
    StationRefusedError,
    StationTimeoutError,
)
from custom_components.face_access.devices.station import Enrolment
from custom_components.face_access.people import bulk
from custom_components.face_access.people.bulk import MOST, People
from custom_components.face_access.people.holding import HoldingState
from custom_components.face_access.people.plan import Wanted
from custom_components.face_access.people.store import PeopleStore
from custom_components.face_access.people.sync import Synchroniser

from .conftest import BAD, PHOTO, FakePeople, profile

TARGET = "server"


@dataclass
class FakeServer(FakePeople):
    """A target that takes many at once; `bulk_trouble` fails the next batches, one each."""

    batches: list[list[str]] = field(default_factory=list)
    bulk_trouble: list[StationError] = field(default_factory=list)

    async def put_many(self, people: People) -> Collection[str]:
        self.batches.append([enrolment.key for enrolment, _ in people])
        if self.bulk_trouble:
            raise self.bulk_trouble.pop(0)
        taken = [enrolment for enrolment, photos in people if b"bad" not in photos[0]]
        self.held.update({enrolment.key: self.as_held(enrolment) for enrolment in taken})
        return {enrolment.key for enrolment in taken}


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def sync(store: PeopleStore, server: FakeServer) -> Synchroniser:
    def wanted() -> list[Wanted]:
        return [
            Wanted(person=one.id, enrolment=Enrolment(key=one.key, name=one.name), photos=one.photos)
            for one in store.profiles.values()
        ]

    return Synchroniser(TARGET, server, store, wanted=wanted, lists=False, put_many=server.put_many)


async def household(store: PeopleStore, *photos: tuple[bytes, ...]) -> list[str]:
    """Add people with these photos, and give their keys."""
    added = [await store.add(profile(f"p{number}"), list(each)) for number, each in enumerate(photos)]
    return [one.key for one in added]


def states(store: PeopleStore) -> list[HoldingState]:
    return [holding.state for holding in store.holdings(TARGET).values()]


async def test_many_go_in_batches(store: PeopleStore, server: FakeServer, sync: Synchroniser) -> None:
    """And not again: what was taken is written down."""
    keys = await household(store, *[(PHOTO,)] * (2 * MOST + 2))
    assert await sync.run(full=True)
    assert [len(batch) for batch in server.batches] == [MOST, MOST, 2]
    assert (set(server.held), server.requests) == (set(keys), [])
    assert (sync.progress.held, sync.progress.done) == (len(keys), True)
    assert await sync.run(full=True)
    assert len(server.batches) == 3


async def test_one_alone_goes_alone(store: PeopleStore, server: FakeServer, sync: Synchroniser) -> None:
    (key,) = await household(store, (PHOTO,))
    assert await sync.run(full=True)
    assert (server.batches, server.asked("put")) == ([], [key])


async def test_large_photos_make_small_batches(
    store: PeopleStore, server: FakeServer, sync: Synchroniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_BYTES", 2 * len(PHOTO))
    await household(store, *[(PHOTO,)] * 4)
    assert await sync.run(full=True)
    assert [len(batch) for batch in server.batches] == [2, 2]


async def test_whoever_is_not_taken_is_given_alone(store: PeopleStore, server: FakeServer, sync: Synchroniser) -> None:
    """By another photo, or with the reason why none will do; who has no photo is not in a batch."""
    one, two, three = await household(store, (PHOTO,), (BAD, PHOTO), (BAD,))
    assert await sync.run(full=True)
    assert server.batches == [[one, two, three]]
    assert server.asked("put") == [two, three]
    assert set(server.held) == {one, two}
    assert store.holdings(TARGET)[three].state is HoldingState.REFUSED


@pytest.mark.parametrize(
    "trouble",
    [
        StationProtocolError("no such call"),
        StationTimeoutError("slow"),
        StationConnectionError("broken"),
        StationPhotoError("photo_too_large"),
        StationRefusedError("limit_reached"),
    ],
)
async def test_a_batch_that_goes_wrong_is_given_one_by_one(
    store: PeopleStore, server: FakeServer, sync: Synchroniser, trouble: StationError
) -> None:
    """What may be the call's own fault is not tried again in this round."""
    keys = await household(store, *[(PHOTO,)] * (MOST + 2))
    server.bulk_trouble = [trouble]
    assert await sync.run(full=True)
    assert len(server.batches) == (2 if isinstance(trouble, StationRefusedError) else 1)
    assert set(server.held) == set(keys)
    assert set(states(store)) == {HoldingState.HELD}


async def test_a_target_that_is_away_is_gone_on_with_later(
    store: PeopleStore, server: FakeServer, sync: Synchroniser
) -> None:
    """Whoever was taken is; nobody is lost."""
    keys = await household(store, *[(PHOTO,)] * (MOST + 2))
    plain = server.put_many

    async def breaks_off(people: People) -> Collection[str]:
        if server.batches:
            raise StationRefusedError("busy")
        return await plain(people)

    sync._put_many = breaks_off
    with pytest.raises(StationRefusedError):
        await sync.run(full=True)
    assert sorted(states(store)) == [HoldingState.HELD] * MOST + [HoldingState.PENDING] * 2
    sync._put_many = server.put_many
    assert await sync.run(full=False)
    assert [len(batch) for batch in server.batches] == [MOST, 2]
    assert set(server.held) == set(keys)


async def test_a_change_ends_the_round_after_its_batch(
    store: PeopleStore, server: FakeServer, sync: Synchroniser
) -> None:
    """Somebody who must not come in any more is not kept waiting by a hundred others."""
    await household(store, *[(PHOTO,)] * (2 * MOST))
    plain = server.put_many

    async def changing(people: People) -> Collection[str]:
        sync.changed()
        return await plain(people)

    sync._put_many = changing
    assert not await sync.run(full=True)
    assert (len(server.batches), server.asked("put")) == (1, [])
    assert sync.progress.held == MOST


async def test_a_new_name_needs_no_batch(store: PeopleStore, server: FakeServer, sync: Synchroniser) -> None:
    """Only faces go in one."""
    await household(store, (PHOTO,), (PHOTO,))
    assert await sync.run(full=True)
    for one in list(store.profiles.values()):
        await store.update(replace(one, name="New"))
    assert await sync.run(full=False)
    assert len(server.batches) == 1
    assert len(server.asked("put facts")) == 2
