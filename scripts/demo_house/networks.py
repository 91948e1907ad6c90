"""Steps of the check: local recognition whose networks run at an inference server, and here while that is away."""

import json
from pathlib import Path
from typing import Final

from .api import Api, Json
from .cameras import NO_NETWORKS, models_folder
from .drawings import Album, drawn
from .film import entity_of
from .house import ROOT
from .patience import until
from .servers import Inference
from .stations import DOMAIN
from .steps import CheckError, expect, step

_RUNTIME: Final = "inference_server"


def networks() -> dict[str, Path]:
    """Find the files of the networks that local recognition takes by default; empty unless all are here."""
    folder = models_folder()
    if folder is None:
        return {}
    manifest = json.loads((ROOT / "models" / "manifest.json").read_text())["models"]
    names = {model["id"]: [file["name"] for file in model["files"]] for model in manifest if model["default"]}
    found = {model: [folder / name for name in files if (folder / name).is_file()] for model, files in names.items()}
    return {model: files[0] for model, files in found.items()} if all(found.values()) else {}


async def play_networks(api: Api, server: Inference, album: Album) -> None:
    """Play the part of the inference server; the first thing that is not as it must be raises."""
    if not server.models:
        print(f"- {server.name}: what it runs is left out, there are {NO_NETWORKS}", flush=True)
        return
    online = await entity_of(api, server.entry, "binary_sensor")
    async with step(f"{server.name}: the networks of Home Assistant's own recognition run there") as measured:
        here = await _looked(api, album)
        expect(here["runtime"], _RUNTIME, "where they ran")
        ran = {name: number for name, number in (await server.main.state())["pictures"].items() if number}
        measured.append(", ".join(f"{name}: {number}" for name, number in ran.items()))
    async with step(
        f"{server.name}: goes away: they run inside Home Assistant, and a repair issue says so"
    ) as measured:
        await server.stop()
        away = await _looked(api, album)
        expect(_RUNTIME in away["runtime"], False, "whether they ran there")
        expect(len(away["faces"]), len(here["faces"]), "the number of faces that were found")
        await api.action("homeassistant.update_entity", {"entity_id": online})
        expect((await api.state(online))["state"], "off", "whether the server is online")
        await until(lambda: _said(api), "a repair issue")
        measured.append(away["runtime"])
    async with step(f"{server.name}: comes back: they run there again"):
        await server.start()
        await api.action("homeassistant.update_entity", {"entity_id": online})
        await until(lambda: _unsaid(api), "an end of the repair issue")
        expect((await _looked(api, album))["runtime"], _RUNTIME, "where they ran")


async def _looked(api: Api, album: Album) -> Json:
    """Have a picture looked at by Home Assistant itself."""
    path = album.put("local", drawn("Nora"))
    answer = await api.action(f"{DOMAIN}.recognize", {"path": path, "far_faces": True}, response=True)
    if not answer["runtime"]:
        raise CheckError("no network ran")
    return answer


async def _said(api: Api) -> bool:
    async with api.socket() as socket:
        issues = (await socket.command("repairs/list_issues"))["issues"]
    return any(issue["translation_key"] == "networks_here" for issue in issues)


async def _unsaid(api: Api) -> bool:
    return not await _said(api)
