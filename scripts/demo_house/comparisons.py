"""Steps of the check: servers that only compare two pictures, and the records that one of them keeps."""

from typing import Final

from .api import Api, ApiError, Json
from .drawings import Album, drawn
from .servers import FaceScan, Kby, Server
from .stations import DOMAIN
from .steps import CheckError, expect, step

_WHO: Final = "Clara"
_OTHER: Final = "Viktor"
# How the older and the newer version of the vendor's engine answer.
_VERSIONS: Final = ("2023", "2025")


async def _ask(api: Api, server: Server, action: str, **data: object) -> Json:
    return await api.action(f"{DOMAIN}.{action}", {"engine": server.entry, **data}, response=True)


async def _compares(api: Api, server: Server, album: Album) -> None:
    """Two pictures of one person, and of two, by each version of the engine."""
    async with step(f"{server.name}: says who is the same, in both versions of its answers") as measured:
        who = album.put(_WHO, drawn(_WHO))
        for version in _VERSIONS:
            await server.main.scene("upgrade", shape=version)
            same = await _ask(api, server, "compare_faces", path=who, other_path=who)
            expect(same["compare_result"], "Same person", f"one person twice ({version})")
            other = await _ask(api, server, "compare_faces", path=who, other_path=album.put(_OTHER, drawn(_OTHER)))
            expect(other["compare_result"], "Different person", f"two people ({version})")
        measured.append(f"{same['compare_similarity']:.2f} and {other['compare_similarity']:.2f}")


async def play_kby(api: Api, server: Kby, album: Album) -> None:
    """Play the part of KBY-AI's images; the first thing that is not as it must be raises."""
    await _compares(api, server, album)
    async with step(f"{server.name}: live, a printed photo, and a face too small to tell"):
        for name, content, liveness in (
            ("live", drawn(_WHO), "live"),
            ("printed", drawn(_WHO, printed=True), "spoof"),
            ("small", drawn(_WHO, factor=0.5), "unknown"),
        ):
            answer = await _ask(api, server, "check_liveness", path=album.put(f"{_WHO}-{name}", content))
            expect(answer["liveness"], liveness, f"the liveness of the picture {name}")


async def consents(api: Api, server: FaceScan) -> None:
    """Nobody's pictures leave the house by a form that was only sent off."""
    async with step(f"{server.name}: without consent to pictures leaving the house it is not added"):
        menu = await api.flow_next(await api.flow_start(DOMAIN), {"next_step_id": "server"})
        form = await api.flow_next(menu, {"next_step_id": f"server_{server.kind}"})
        (asked,) = (field for field in form["data_schema"] if field["name"] == "pictures_leave_house")
        expect(asked["default"], False, "what the form suggests")
        try:
            await api.flow_next(form, {**server.answers, "pictures_leave_house": False})
        except ApiError as err:
            expect("consent_missing" in str(err), True, "whether the form says why")
        else:
            raise CheckError("it went on")
        await api.request("DELETE", f"/api/config/config_entries/flow/{form['flow_id']}")


async def play_face_scan(api: Api, server: FaceScan, album: Album) -> None:
    """Play the part of the face scan service; the first thing that is not as it must be raises."""
    await _compares(api, server, album)
    async with step(f"{server.name}: a scan is recorded, read, changed and listed") as measured:
        who = album.put(_WHO, drawn(_WHO))
        made = await _ask(api, server, "create_scan", path=who, other_path=who, reference="the door", channel="WEB")
        expect((made["similarity"], made["reference"]), (1, "the door"), "what was recorded")
        read = await _ask(api, server, "get_scan", scan_id=made["id"])
        expect((read["id"], read["sales_channel"]), (made["id"], "WEB"), "the record")
        await _ask(api, server, "update_scan", scan_id=made["id"], compare_result="Let in")
        read = await _ask(api, server, "get_scan", scan_id=made["id"])
        expect((read["sales_channel"], read["compare_result"]), ("WEB", "Let in"), "the changed record")
        listed = await _ask(api, server, "list_scans")
        expect(made["id"] in [scan["id"] for scan in listed["scans"]], True, "whether it is on the list")
        measured.append(f"{len(listed['scans'])} records")
    async with step(f"{server.name}: a sign-in that ended is renewed by itself"):
        await server.main.scene("end_tokens")
        await _ask(api, server, "list_scans")
        granted = (await server.main.state())["granted"]
        expect(granted, ["authorization_code", "refresh_token"], "how tokens were given")
