"""A tour through all operations of a server, with everything that a client can send; and where they are."""

from typing import Final

from custom_components.face_access.recognition.smartface import (
    DetectorResource,
    MemberFacts,
    SmartFaceClient,
    SpoofDetector,
    TemplateResource,
    Tuning,
)
from custom_components.face_access.recognition.smartface.paging import PageQuery

from .conftest import LIST, doorstep, portrait

TUNING: Final = Tuning(
    min_face=30,
    max_face=900,
    max_faces=4,
    confidence=400,
    detector=DetectorResource.ACCURATE_CPU,
    template=TemplateResource.ANY,
    spoof=(SpoofDetector.DISTANT_CPU, SpoofDetector.NEARBY_ANY),
)
PAGE: Final = PageQuery(size=5, ascending=True, total=True)
# The path of each operation, and its methods.
OPERATIONS: Final = {
    "Faces/SpoofCheck": ("POST",),
    "Faces/Verify": ("POST",),
    "Images/{id}": ("GET",),
    "Version": ("GET",),
    "Watchlists": ("GET", "POST", "PUT"),
    "Watchlists/{id}": ("GET", "DELETE"),
    "Watchlists/{id}/WatchlistMembers": ("GET",),
    "Watchlists/Search": ("POST",),
    "WatchlistMembers": ("GET", "POST", "PUT"),
    "WatchlistMembers/{id}": ("GET", "DELETE"),
    "WatchlistMembers/{id}/Faces": ("GET",),
    "WatchlistMembers/LinkToWatchlist": ("POST",),
    "WatchlistMembers/UnlinkFromWatchlist": ("POST",),
    "WatchlistMembers/Register": ("POST",),
    "WatchlistMembers/{id}/AddFaceFromSystem": ("POST",),
    "WatchlistMembers/{id}/AddNewFace": ("POST",),
    "WatchlistMembers/{id}/RemoveFace": ("POST",),
}
ALL: Final = {(method, path) for path, methods in OPERATIONS.items() for method in methods}


def operation_of(method: str, path: str) -> tuple[str, str]:
    """Find the operation of a request below `/api/v1/`."""
    parts = path.removeprefix("/api/v1/").split("/")
    fixed = "/".join(parts)
    if fixed not in OPERATIONS and len(parts) > 1:
        parts[1] = "{id}"
    return method, "/".join(parts)


async def every_operation(client: SmartFaceClient) -> None:
    """Use each of the 23 operations at least once, and read its answer."""
    assert (await client.version()).full
    await _lists(client)
    await _people(client)
    await _pictures(client)
    await client.members.unlink(LIST, ["bert"])
    await client.members.delete("bert")
    await client.watchlists.delete(LIST)


async def _lists(client: SmartFaceClient) -> None:
    await client.watchlists.create("Neighbours", "All neighbours", threshold=45, colour="#012abc")
    await client.watchlists.put(LIST, "Home")
    assert (await client.watchlists.get(LIST)).id
    assert (await client.watchlists.page(PAGE)).items


async def _people(client: SmartFaceClient) -> None:
    facts = MemberFacts(name="Anna", full_name="Anna Ax", labels={"person": "person.anna"})
    registered = await client.members.register("anna", [portrait("anna"), doorstep("anna")], [LIST], facts, TUNING)
    assert registered.faces
    assert registered.watchlists
    await client.members.create(MemberFacts(name="Guest", full_name="A guest", note="until Monday"))
    await client.members.put("bert", MemberFacts(name="Bert", note="rings twice", labels={}))
    assert (await client.members.get("bert")).id
    assert (await client.members.page(PAGE)).items
    await client.members.link(LIST, ["bert"])
    assert (await client.watchlists.members_page(LIST, PAGE)).items
    added = await client.members.add_face("bert", portrait("bert"), TUNING)
    assert (await client.members.faces_page("bert", PAGE)).items
    await client.members.remove_face("bert", added.id)
    await client.members.add_known_face("bert", added.id)
    image = registered.faces[0].image_id
    assert image is not None
    assert await client.images.get(image, min_size=100, max_size=300)


async def _pictures(client: SmartFaceClient) -> None:
    picture = doorstep("anna")
    for liveness, features in ((False, True), (True, False)):
        found = await client.faces.search(
            picture, [LIST], TUNING, limit=3, liveness=liveness, features=features, mask_threshold=3000
        )
        assert found[0].matches
    assert await client.faces.verify(picture, portrait("anna"), TUNING)
    assert (await client.faces.spoof_check(picture, TUNING)).performed
