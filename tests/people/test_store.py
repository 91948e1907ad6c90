"""The store keeps people whole, gives them back after a hard stop, and forgets them for good."""

import asyncio
from dataclasses import replace
from pathlib import Path
import sqlite3
import subprocess
import sys

import pytest

from custom_components.face_access.people.holding import Holding, HoldingState
from custom_components.face_access.people.model import PersonError, digest
from custom_components.face_access.people.refusal import Refusal
from custom_components.face_access.people.store import PeopleStore

from .conftest import PHOTO, profile


async def reopened(store: PeopleStore) -> PeopleStore:
    """Open the same file once more."""
    again = PeopleStore(store._file.path)
    await again.open()
    return again


async def test_people_survive_a_restart(store: PeopleStore) -> None:
    anna = await store.add(profile(card=7), (PHOTO, b"second"))
    assert anna.photos == (digest(PHOTO), digest(b"second"))
    again = await reopened(store)
    assert dict(again.profiles) == {"anna": anna}
    assert await again.photos("anna") == (PHOTO, b"second")
    await again.close()


async def test_ids_are_unique_and_case_sensitive(store: PeopleStore) -> None:
    await store.add(profile("anna"))
    await store.add(profile("Anna"))
    with pytest.raises(PersonError, match="person_exists"):
        await store.add(profile("anna", name="Another"))
    assert store.profiles["anna"].name == "Anna"
    assert len(store.profiles) == 2


async def test_an_update_keeps_the_key_and_what_is_not_given(store: PeopleStore) -> None:
    anna = await store.add(profile(), (PHOTO,))
    changed = await store.update(replace(anna, name="Anna B", key="stolen"))
    assert (changed.name, changed.key, changed.photos) == ("Anna B", anna.key, anna.photos)
    assert await store.photos("anna") == (PHOTO,)
    changed = await store.update(changed, (b"other",))
    assert await store.photos("anna") == (b"other",)
    assert changed.photos == (digest(b"other"),)
    with pytest.raises(PersonError, match="person_unknown"):
        await store.update(profile("nobody"))


async def test_what_is_refused_changes_nothing(store: PeopleStore) -> None:
    await store.add(profile(), (PHOTO,))
    with pytest.raises(PersonError, match="person_photo_twice"):
        await store.update(store.profiles["anna"], (b"same", b"same"))
    with pytest.raises(PersonError, match="person_id_invalid"):
        await store.add(profile("no good"))
    assert await store.photos("anna") == (PHOTO,)
    assert list(store.profiles) == ["anna"]


async def test_a_removed_person_is_gone_from_the_file(store: PeopleStore) -> None:
    """Overwritten, in the file and in the log beside it."""
    secret = b"\xff\xd8\xff" + b"nobody may find this" * 3000
    await store.add(profile(), (secret,))
    await store.remove("anna")
    assert "anna" not in store.profiles
    assert await store.photos("anna") == ()
    for file in store._file.path.parent.iterdir():
        assert b"nobody may find this" not in file.read_bytes()
    with pytest.raises(PersonError, match="person_unknown"):
        await store.remove("anna")


async def test_photos_make_way_for_smaller_ones_or_none(store: PeopleStore) -> None:
    anna = await store.add(profile(), (PHOTO, b"second"))
    await store.keep_instead("anna", {anna.photos[0]: b"small", anna.photos[1]: None})
    assert await store.photos("anna") == (b"small",)
    await store.keep_instead("anna", {anna.photos[0]: None})
    assert await store.named_photos("anna") == {}
    assert await store.named_photos("nobody") == {}
    assert store.profiles["anna"].photos == anna.photos
    with pytest.raises(PersonError, match="person_unknown"):
        await store.keep_instead("nobody", {})


async def test_holdings_survive_a_restart_and_the_person(store: PeopleStore) -> None:
    """What a target was given must be known until the target has forgotten it."""
    await store.add(profile())
    no = Refusal("face_too_small", "only 12 pixels", "photo")
    one = Holding(target="t", key="k", person="anna", alias="k", facts="f", photos="p", state=HoldingState.HELD)
    two = Holding(target="t", key="l", person="bob", alias="Bob", state=HoldingState.REFUSED, refusal=no)
    await store.keep([one, two, replace(one, target="u")])
    await store.remove("anna")
    again = await reopened(store)
    assert dict(again.holdings("t")) == {"k": one, "l": two}
    await again.drop("t", "k")
    assert list(again.holdings("t")) == ["l"]
    assert again.targets == {"t", "u"}
    await again.drop_target("t")
    await again.close()
    again = await reopened(store)
    assert again.targets == {"u"}
    await again.close()


async def test_a_file_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    """Without the columns for a target's own words; a code may be left of a refusal that is over."""
    path = tmp_path / "people.db"
    connection = sqlite3.connect(path)
    connection.executescript("""
        CREATE TABLE holding (target TEXT NOT NULL, key TEXT NOT NULL, person TEXT NOT NULL, alias TEXT NOT NULL,
            facts TEXT NOT NULL, photos TEXT NOT NULL, state TEXT NOT NULL, code TEXT, PRIMARY KEY (target, key));
        INSERT INTO holding VALUES ('t', 'k', 'anna', 'k', 'f', 'p', 'held', NULL);
        INSERT INTO holding VALUES ('t', 'l', 'bob', 'l', '', '', 'refused', 'face_too_small');
        INSERT INTO holding VALUES ('t', 'm', 'carla', 'm', '', '', 'pending', 'face_too_small');
    """)
    connection.close()
    store = PeopleStore(path)
    await store.open()
    there = store.holdings("t")
    assert (there["k"].state, there["k"].facts, there["k"].refusal) == (HoldingState.HELD, "f", None)
    assert (there["l"].state, there["l"].refusal) == (HoldingState.REFUSED, Refusal("face_too_small"))
    assert (there["m"].state, there["m"].refusal) == (HoldingState.PENDING, None)
    said = replace(there["l"], refusal=Refusal("face_too_small", "only 12 pixels", "photo"))
    await store.keep([said])
    again = await reopened(store)
    assert again.holdings("t")["l"] == said
    await again.close()
    await store.close()


async def test_a_target_goes_with_what_was_just_written_down_of_it(store: PeopleStore) -> None:
    one = Holding(target="t", key="k", person="anna", alias="k")
    keeping = asyncio.create_task(store.keep([one]))
    await asyncio.sleep(0)
    await store.drop_target("t")
    await keeping
    assert store.targets == frozenset()
    again = await reopened(store)
    assert again.targets == frozenset()
    await again.close()


async def test_a_change_is_whole_even_if_nobody_waits_for_it(store: PeopleStore) -> None:
    task = asyncio.create_task(store.add(profile(), (PHOTO,)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The next write comes after it.
    await store.add(profile("bob"))
    again = await reopened(store)
    assert set(again.profiles) == set(store.profiles)
    await again.close()


async def test_the_file_is_for_its_owner_alone(store: PeopleStore) -> None:
    assert store._file.path.stat().st_mode & 0o777 == 0o600


async def test_another_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 10)
    store = PeopleStore(path)
    with pytest.raises(sqlite3.Error):
        await store.open()
    await store.close()


async def test_people_of_another_version_are_an_error(store: PeopleStore) -> None:
    await store.add(profile())
    store._file.connection.execute("""UPDATE person SET profile = '{"id": "anna"}'""")
    again = PeopleStore(store._file.path)
    with pytest.raises(ValueError, match="another version"):
        await again.open()
    await again.close()
    with pytest.raises(sqlite3.ProgrammingError):
        await again.photos("anna")


BURST = """
import asyncio, sys
from pathlib import Path
from custom_components.face_access.people.model import Profile, new_key
from custom_components.face_access.people.store import PeopleStore

async def main():
    store = PeopleStore(Path(sys.argv[1]))
    await store.open()
    number = 0
    while True:
        number += 1
        photo = b"photo %d " % number * 500
        await store.add(Profile(id=f"p{number}", key=new_key(), name="x"), (photo,))
        print(number, flush=True)

asyncio.run(main())
"""


async def test_a_kill_in_the_middle_loses_nobody_who_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", BURST, str(path)], stdout=subprocess.PIPE, text=True
    )
    acknowledged = 0
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == 25:
            process.kill()
            break
    rest = process.stdout.read().split()
    process.wait()
    acknowledged = max([acknowledged, *map(int, rest)])
    store = PeopleStore(path)
    await store.open()
    assert [f"p{number}" for number in range(1, acknowledged + 1)] == list(store.profiles)[:acknowledged]
    for person in store.profiles:
        assert await store.photos(person) == (b"photo %d " % int(person[1:]) * 500,)
    await store.close()
