"""The simulated terminal against the vendor's document, by plain HTTP; no code of the integration takes part."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
import hashlib
from io import BytesIO
import json
from pathlib import Path
import re
import sys
from typing import Any
import wave

import aiohttp
from aiohttp import web
from PIL import Image
import pytest

from simulators._terminal import aes, pictures
from simulators._terminal.commands import ANSWER_CMD, HANDLERS, WITH_DESC, WITHOUT_REPLY
from simulators._terminal.fields import FIRMWARE_KEYS, REQUESTS
from simulators.terminal import Person, SimulatedTerminal, Timings

pytestmark = pytest.mark.usefixtures("socket_enabled")

FAST = Timings(
    command=0.005,
    push_timeout=1,
    push_resend=0.03,
    realtime=0.5,
    heartbeat_wait=0.5,
    heartbeat_retry=0.03,
    instant=0.15,
    reconnect=0.01,
    upload_heartbeat=0.05,
    down_after=0.02,
    reboot=0.1,
    restart=0.1,
    sip_ring=0.03,
    sip_no_answer=0.3,
)
JPG = base64.b64encode(pictures.sample()).decode()
NORM = base64.b64encode(bytes(150 * 150 * 3)).decode()


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


@pytest.fixture
async def terminal() -> AsyncIterator[SimulatedTerminal]:
    simulated = SimulatedTerminal(timings=FAST, page_port=0, utc_offset=3600, relays=2, aes_key=b"12345")
    await simulated.start()
    yield simulated
    await simulated.stop()


class Peer:
    """The other side: keeps what it was sent and answers with what `reply` makes of it."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.files: dict[str, bytes] = {}
        self.reply: Callable[[dict[str, Any]], Any] = acknowledge
        self.url = ""
        self.closing = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.raw.append(raw)
        body = json.loads(raw)
        self.bodies.append(body)
        reply = self.reply(body)
        if asyncio.iscoroutine(reply):
            reply = await reply
        return reply if isinstance(reply, web.StreamResponse) else web.json_response(reply)

    async def file(self, request: web.Request) -> web.Response:
        if request.path not in self.files:
            raise web.HTTPNotFound
        return web.Response(body=self.files[request.path])

    async def silence(self) -> web.Response:
        await self.closing.wait()
        return web.Response()

    def of(self, cmd: str) -> list[dict[str, Any]]:
        return [body for body in self.bodies if body.get("cmd") == cmd and "reply" not in body]

    async def until(self, condition: Callable[[], Any], seconds: float = 3) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 (what is waited for has no event)
                await asyncio.sleep(0.005)


def acknowledge(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The answer of 2.2.1.2."""
    kept = {key: body[key] for key in ("sequence_no", "cap_time") if key in body}
    return {"reply": "ACK", "cmd": "face ", "code": 0, **kept, **changes}


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    server = Peer()
    app = web.Application(client_max_size=2**25)
    app.router.add_post("/{path:.*}", server.handle)
    app.router.add_get("/{path:.*}", server.file)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    server.closing.set()
    await runner.cleanup()


@pytest.fixture
async def uploading(terminal: SimulatedTerminal, peer: Peer) -> SimulatedTerminal:
    """A terminal that pushes to the peer."""
    terminal.app["remote_upgrader"]["enable"] = False
    terminal.connect(upload_url=f"{peer.url}/push")
    return terminal


def run(terminal: SimulatedTerminal, cmd: str, **fields: Any) -> dict[str, Any]:
    """A command without the network."""
    return terminal.execute(json.dumps({"version": "0.2", "cmd": cmd, **fields}).encode())


def code(terminal: SimulatedTerminal, cmd: str, **fields: Any) -> int:
    return run(terminal, cmd, **fields)["code"]


def wav(seconds: float = 0.5) -> bytes:
    buffer = BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(int(16000 * seconds)))
    return buffer.getvalue()


ADD = {"id": "7", "name": "Eve", "role": 1, "kind": 0, "term": "forever", "customer_text": "", "cover": False}
ADD_JPG = {**ADD, "image_num": 1, "reg_images": [{"format": "jpg", "image_data": JPG}]}
ADD_NORM = {
    **ADD_JPG,
    "feature_unit_size": 0,
    "feature_num": 0,
    "feature_data": [],
    "norm_image_num": 1,
    "norm_images": [{"width": 150, "height": 150, "image_data": NORM}],
}
PAGE = {"page_no": 1, "page_size": 20}
PEOPLE = {"role": -1, **PAGE, "feature_flag": 0, "image_flag": 0}
RECORDS = {**PAGE, "face_image_flag": 0, "reg_image_flag": 0}
TEXT = {
    "position": {"x": 0, "y": 500},
    "alive_time": 1000,
    "font_size": 100,
    "font_spacing": 1,
    "font_color": "0xffffffff",
    "text": "Hello",
}
NINE = {"start": {"hour": 8, "minute": 10}, "end": {"hour": 18, "minute": 10}}
RULE = {"name": "office", "kind": 1, "mode": "daily", "days": [{"sections": [NINE]}]}
CHUNK = b"chunk of a file"
UPLOAD = {
    "path": "/data_fs/screensaver/NO1.news.png",
    "total_size": len(CHUNK),
    "offset": 0,
    "size": len(CHUNK),
    "data": base64.b64encode(CHUNK).decode(),
    "md5sum": hashlib.md5(CHUNK).hexdigest(),
}
# One valid request for every command of chapter 2 (those that need a state before them come later).
VALID: dict[str, dict[str, Any]] = {
    "request persons": PEOPLE,
    "upload person": {"id": "7"},
    "add person": ADD_NORM,
    "add person jpg": ADD_JPG,
    "update person": {"id": "0001", "update_flags": 3, "name": "Al", "role": 0},
    "update person jpg": {"id": "0001", "update_flags": 0x40, "customer_text": "x"},
    "delete person(s)": {"flag": -1, "id": "0001"},
    "request records": RECORDS,
    "request app params": {},
    "update app params": {"face": {"match_score": 85}},
    "reset app params": {},
    "request stream params": {},
    "update stream params": {"image": {"brightness": 50}},
    "reset stream params": {},
    "request schedule params": {},
    "update schedule params": {"kinds": [RULE]},
    "add schedule kind": {"kinds": [RULE]},
    "snapshot": {},
    "gpio control": {"port": 2, "ctrl_type": "on", "ctrl_mode": "force"},
    "wiegand control": {"wiegand_card_no": 0, "long_card_id": 2**63 - 1, "ctrl_mode": "force"},
    "heart beat": {"ip": "", "device_sn": "", "device_no": "", "addr_no": "", "addr_name": ""},
    "request customer auth code": {},
    "request date time": {},
    "update date time": {"date_time": "2026/11/20 08:00:00"},
    "reboot": {},
    "restart application": {},
    "request lcd screensaver": {},
    "update lcd screensaver": {"screensaver_mode": "media"},
    "request lcd media": {},
    "update lcd media": {"screensaver_media_list": [{"sequence": 1, "media_name": "news.png"}]},
    "text display": {"text_list": [TEXT]},
    "image display": {"position": {"x": 0, "y": 5}, "alive_time": 0, "format": "jpg", "image_data": JPG},
    "tts play": {"text": "认证成功"},
    "play audio stream": {"audio": {"format": "wav", "data": base64.b64encode(wav()).decode()}},
    "browse audio list": {},
    "play audio": {"audio_no": 0, "audio_name": "NO0.pass.wav"},
    "get hardware info": {},
    "set hardware info": {"Lcd": {"manu": "", "model": "LCD_WY_1280x800"}, "FourG": {"moduler_4g": "NO"}},
    "upload file": UPLOAD,
    "updata aes": {"ori_key": base64.b64encode(b"12345\0\0").decode(), "enable": True},
    "request aes": {},
    "sip register": {"domain": "192.168.0.12", "port": 5060, "username": "door"},
    "sip call": {"url": "sip:someone@192.168.0.188:5060"},
    "request 4g infor": {},
    "traffic statistics": {"month": 1, "day": "1-9"},
    "camera volume": {"method": "SET", "volume": 100},
}


# The device as server.


@pytest.mark.parametrize("cmd", VALID)
async def test_every_command_is_answered_as_printed(terminal: SimulatedTerminal, cmd: str) -> None:
    answer = run(terminal, cmd, command_id="job-1", **VALID[cmd])
    assert answer["code"] == 0
    assert answer["cmd"] == ANSWER_CMD.get(cmd, cmd)
    assert ("reply" in answer) == (cmd not in WITHOUT_REPLY)
    assert answer.get("desc") == ("OK" if cmd in WITH_DESC else None)
    assert answer["command_id"] == "job-1"
    assert terminal.violations == []


def test_every_command_has_a_table_and_a_valid_example() -> None:
    assert HANDLERS.keys() == REQUESTS.keys()
    assert REQUESTS.keys() - VALID.keys() == {"delete lcd media", "download file", "sip hangup"}


def test_odd_spellings_of_answers() -> None:
    assert ANSWER_CMD["gpio control"] == " gpio control"
    assert ANSWER_CMD["text display"] == " text display "
    assert ANSWER_CMD["update person jpg"] == "update person"
    assert ANSWER_CMD["upload file"] == "set hardware info"


async def test_http_rules(terminal: SimulatedTerminal) -> None:
    body = json.dumps({"version": "0.2", "cmd": "request date time"}).encode()
    kind = {"Content-Type": "application/json; charset=utf-8"}

    async def pieces() -> AsyncIterator[bytes]:
        yield body

    async with aiohttp.ClientSession() as session:
        async with session.post(terminal.url, data=body, headers=kind) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == kind["Content-Type"]
            assert int(response.headers["Content-Length"]) == len(await response.read())
            assert "Transfer-Encoding" not in response.headers
        assert terminal.violations == []
        async with session.post(terminal.url, data=pieces(), headers=kind) as response:
            assert response.status == 411
            assert response.headers["Connection"] == "close"
        async with session.get(terminal.url) as response:
            assert response.status == 405
        async with session.post(terminal.url, data=body) as response:
            assert response.status == 200
    assert len(terminal.violations) == 3
    assert terminal.commands == ["request date time"] * 2


async def test_second_request_at_once_is_busy(terminal: SimulatedTerminal) -> None:
    async with aiohttp.ClientSession() as session:

        async def ask() -> int:
            async with session.post(terminal.url, json={"version": "0.2", "cmd": "request date time"}) as response:
                return (await response.json())["code"]

        assert sorted(await asyncio.gather(ask(), ask())) == [0, 5]
    assert terminal.violations == ["a request was sent while another was unanswered"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"cmd": NaN}', b"\xff\xfe", b"null"])
async def test_no_json_object_is_code_3_without_cmd(terminal: SimulatedTerminal, body: bytes) -> None:
    answer = terminal.execute(body)
    assert (answer["code"], answer["cmd"]) == (3, "")
    assert terminal.violations


async def test_general_errors(terminal: SimulatedTerminal) -> None:
    assert terminal.execute(b'{"version": "1.0", "cmd": "reboot"}') == {
        "reply": "ACK",
        "cmd": "reboot",
        "code": 1,
        "device_sn": terminal.serial,
        "version": "0.2",
    }
    assert terminal.execute(b'{"cmd": "reboot"}')["code"] == 3
    assert terminal.execute(b'{"version": "0.2"}')["code"] == 3
    assert code(terminal, "make coffee") == 2
    assert code(terminal, "update customer auth code", customer_auth_code="AAAA") == 2
    assert code(terminal, "request aes", unknown=1) == 3


@pytest.mark.parametrize(
    ("cmd", "change"),
    [
        ("upload person", {"id": "x" * 20}),
        ("upload person", {"id": ""}),
        ("upload person", {"id": "7", "name": "ü" * 32}),
        ("upload person", {"id": "7", "customer_text": "ü" * 34 + "x"}),
        ("upload person", {"id": "7", "role": 0}),
        ("upload person", {"id": "7", "kind": 16}),
        ("upload person", {"id": "7", "wg_card_id": 2**32}),
        ("upload person", {"id": "7", "long_card_id": 2**64}),
        ("upload person", {"id": "7", "term": "soon"}),
        ("upload person", {"id": "7", "term": "2026/02/30 00:00:00"}),
        ("upload person", {"id": "7", "reg_image": "not base64!"}),
        ("upload person", {"id": 7}),
        ("add person jpg", {"name": "x" * 16}),
        ("add person jpg", {"cover": 0}),
        ("add person", {"feature_num": 1}),
        ("add person", {"norm_image_num": 2}),
        ("update person", {"update_flags": 4}),
        ("delete person(s)", {"flag": -1, "id": ""}),
        ("request persons", {"page_size": 21}),
        ("request persons", {"page_no": 0}),
        ("request persons", {"condition": {"term": "forever", "term_start": "never"}}),
        ("request persons", {"condition": {"term_start_start": "useless"}}),
        ("request persons", {"condition": {"wg_card_no": 1, "long_card_no": 1}}),
        ("request records", {"time_start": 1}),
        ("request records", {"score_end": 1}),
        ("request records", {"page_no": -1}),
        ("update app params", {"face": {"derep_timeout": 5}}),
        ("update app params", {"face": {"match_score": 69}}),
        ("update app params", {"face": {"enable_match": 1}}),
        ("update app params", {"face": {"remote_upgrader": {"enable": True}}}),
        ("update app params", {"device_info": {"device_no": "x" * 32}}),
        ("update app params", {"device_info": {"addr_name": "x" * 96}}),
        ("update app params", {"gate_control": {"gate_mode": 14}}),
        ("update app params", {"gate_control": {"gpio_retention_time": 499}}),
        ("update app params", {"upload_info": {"method": "http"}}),
        ("update app params", {"upload_info": {"method": "none", "server_port": 80}}),
        ("update app params", {"extranet": {"enable": False, "mode": "http"}}),
        ("update stream params", {"video": {"bitrate": 1000}}),
        ("update schedule params", {"kinds": [RULE, RULE]}),
        ("update schedule params", {"kinds": [{**RULE, "mode": "weekly"}]}),
        ("update schedule params", {"kinds": [{**RULE, "kind": 0}]}),
        ("add schedule kind", {"kinds": []}),
        ("gpio control", {"ctrl_type": "off"}),
        ("gpio control", {"port": 3}),
        ("wiegand control", {"wiegand_card_no": 5}),
        ("update date time", {"date_time": "2026-11-20 08:00:00"}),
        ("text display", {"text_list": [{**TEXT, "font_color": "#ffffff"}]}),
        ("image display", {"format": "gif"}),
        ("tts play", {"text": "认" * 22}),
        ("play audio stream", {"audio": {"format": "mp3", "data": ""}}),
        ("upload file", {"size": 204801}),
        ("upload file", {"size": 1}),
        ("sip call", {"url": "sip:someone@192.168.0.188"}),
        ("traffic statistics", {"day": "9-1"}),
        ("camera volume", {"volume": 101}),
        ("set hardware info", {"Lcd": {"manu": "", "model": "LCD_NONE"}}),
    ],
)
async def test_illegal_fields_are_code_3(terminal: SimulatedTerminal, cmd: str, change: dict[str, Any]) -> None:
    assert code(terminal, cmd, **{**VALID[cmd], **change}) == 3
    assert len(terminal.violations) == 1


@pytest.mark.parametrize("cmd", ["add person", "add person jpg", "gpio control", "sip register", "request records"])
async def test_every_field_is_required(terminal: SimulatedTerminal, cmd: str) -> None:
    for key in VALID[cmd]:
        assert code(terminal, cmd, **{name: value for name, value in VALID[cmd].items() if name != key}) == 3


async def test_wrong_spelling_is_named(terminal: SimulatedTerminal) -> None:
    run(terminal, "update app params", face={"derep_timeout": 5})
    assert "wrong spelling of 'derep_timeout '" in terminal.violations[0]
    assert code(terminal, "update app params", face={"derep_timeout ": 5, "enable_dereplication": True}) == 0
    assert run(terminal, "request app params")["face"]["derep_timeout "] == 5


async def test_app_parameters_exist_when_their_switch_says_so(terminal: SimulatedTerminal) -> None:
    app = run(terminal, "request app params")
    assert app["upload_info"] == {"method": "none"}
    assert app["extranet"] == {"enable": False}
    assert "derep_timeout " not in app["face"]
    assert app["face"]["remote_upgrader"] == {"enable": True}
    link = {"method": "http", "server_domain": "house.example", "server_port": 8123, "service_url": "x" * 101}
    assert code(terminal, "update app params", upload_info=link, face={"enable_match": False}) == 0
    app = run(terminal, "request app params")
    assert app["upload_info"] == link
    assert "match_score" not in app["face"]
    assert terminal.upload_url() == f"http://house.example:8123/{'x' * 101}"
    assert code(terminal, "update app params", upload_info={"server_ip": "https://10.0.0.1"}) == 0
    assert "server_domain" not in run(terminal, "request app params")["upload_info"]
    assert terminal.upload_url() == f"https://10.0.0.1:8123/{'x' * 101}"
    assert code(terminal, "update app params", upload_info={"server_ip": "house.example"}) == 3
    assert code(terminal, "reset app params") == 0
    assert run(terminal, "request app params")["upload_info"] == {"method": "none"}


async def test_nothing_changes_when_anything_is_wrong(terminal: SimulatedTerminal) -> None:
    bad = {"lcd_control": {"lcd_title": "New"}, "led_control": {"led_brightness": 0}}
    assert code(terminal, "update app params", **bad) == 3
    assert terminal.app["lcd_control"]["lcd_title"] == "Face Recognition"


async def test_people_are_added_changed_listed_and_deleted(terminal: SimulatedTerminal) -> None:
    assert code(terminal, "upload person", id="7", name="ü" * 31 + "x", wg_card_id=8, upload_mode=2) == 22
    assert run(terminal, "upload person", id="7", name="ü" * 31 + "x", wg_card_id=8, reg_image=JPG)["id"] == "7"
    assert code(terminal, "upload person", id="7", upload_mode=1) == 21
    assert code(terminal, "upload person", id="7", long_card_id=2**64 - 1, upload_mode=2) == 0
    assert code(terminal, "add person jpg", **ADD_JPG) == 21
    person = run(terminal, "request persons", **{**PEOPLE, "condition": {"person_id": "7"}, "image_flag": 1})
    assert (person["total"], person["count"]) == (1, 1)
    entry = person["persons"][0]
    assert (entry["name"], entry["long_card_id"], entry["term"]) == ("ü" * 31 + "x", 2**64 - 1, "forever")
    assert "wg_card_id" not in entry
    assert Image.open(BytesIO(base64.b64decode(entry["reg_images"][0]["image_data"]))).format == "JPEG"
    assert code(terminal, "add person jpg", **{**ADD_JPG, "cover": True}) == 0
    assert terminal.people["7"].name == "Eve"
    assert code(terminal, "update person", id="7", update_flags=1, name="Eva", role=2) == 0
    assert (terminal.people["7"].name, terminal.people["7"].role) == ("Eva", 1)
    assert code(terminal, "update person", id="8", update_flags=1, name="Eva") == 22
    assert run(terminal, "delete person(s)", flag=2)["id"] == ""
    assert sorted(terminal.people) == ["0001", "0002", "7"]
    assert code(terminal, "delete person(s)", flag=-1, id="8") == 22
    assert code(terminal, "delete person(s)", flag=3) == 0
    assert run(terminal, "request persons", **PEOPLE)["persons"] == []


async def test_people_by_page_and_condition(terminal: SimulatedTerminal) -> None:
    for number in range(30):
        run(terminal, "upload person", id=f"p{number:02}", name=f"Guest {number}", long_card_id=number + 1)

    def ids(**changes: Any) -> list[str]:
        return [person["id"] for person in run(terminal, "request persons", **{**PEOPLE, **changes})["persons"]]

    assert len(ids()) == 20
    assert len(ids(page_no=2)) == 13
    assert ids(page_no=3) == []
    assert len(ids(page_no=-1)) == 33
    assert ids(role=2) == ["0003"]
    assert ids(query_mode=1, condition={"person_name": "Guest 2"}) == ["p02", *(f"p2{n}" for n in range(10))]
    assert ids(condition={"long_card_no": 5}) == ["p04"]
    assert ids(condition={"wg_card_no": 12345678}) == ["0002"]
    fuzzy = {**PEOPLE, "query_mode": 1, "condition": {"wg_card_no": 12345678}}
    assert code(terminal, "request persons", **fuzzy) == 30
    run(terminal, "upload person", id="p01", term="2026/12/24 00:00:00")
    bounds = {"term_start": "2026/12/01 00:00:00", "term ": "2026/12/31 00:00:00"}
    assert ids(condition=bounds) == ["p01"]
    assert terminal.violations == []


async def test_full_device() -> None:
    terminal = SimulatedTerminal(capacity=3)
    assert code(terminal, "upload person", id="7") == 20
    assert code(terminal, "upload person", id="0001", name="A") == 0


@pytest.mark.parametrize(
    ("picture", "expected"),
    [("good", 0), ("empty", 25), ("small", 38), ("poor", 39), ("two", 40), ("cut", 41)],
)
async def test_registration_pictures(terminal: SimulatedTerminal, picture: str, expected: int) -> None:
    data = base64.b64encode(pictures.sample(picture)).decode()
    answer = run(terminal, "upload person", id="7", reg_image=data)
    assert answer["code"] == expected
    assert ("desc" in answer) == (expected != 0)
    assert ("7" in terminal.people) == (expected == 0)
    jpg = {**ADD_JPG, "cover": True, "reg_images": [{"format": "jpg", "image_data": data}]}
    assert code(terminal, "add person jpg", **jpg) == expected
    assert terminal.violations == []


async def test_pictures_that_do_not_decode(terminal: SimulatedTerminal) -> None:
    half = base64.b64encode(pictures.sample()[:2000]).decode()
    huge = base64.b64encode(pictures.sample() + bytes(10 * 2**20)).decode()
    png = BytesIO()
    Image.open(BytesIO(pictures.sample())).save(png, "PNG")
    as_png = base64.b64encode(png.getvalue()).decode()
    assert code(terminal, "upload person", id="7", reg_image=half) == 35
    assert code(terminal, "upload person", id="7", reg_image=huge) == 36
    assert code(terminal, "upload person", id="7", normal_image=JPG) == 37
    assert code(terminal, "upload person", id="7", normal_image=NORM, reg_image=half, thumb_image=JPG) == 0
    assert code(terminal, "upload person", id="7", reg_image=as_png) == 0
    wrong = [{"format": "jpg", "image_data": as_png}]
    assert code(terminal, "add person jpg", **{**ADD_JPG, "cover": True, "reg_images": wrong}) == 35


async def test_schedule(terminal: SimulatedTerminal) -> None:
    assert code(terminal, "update schedule params", kinds=[{**RULE, "kind": n} for n in range(1, 15)]) == 0
    assert code(terminal, "add schedule kind", kinds=[{**RULE, "kind": 14}]) == 21
    assert code(terminal, "add schedule kind", kinds=[{**RULE, "kind": 15}]) == 0
    assert [rule["kind"] for rule in run(terminal, "request schedule params")["kinds"]] == list(range(1, 16))
    terminal.schedule = [*terminal.schedule[1:], {**RULE, "kind": 16}]
    assert code(terminal, "add schedule kind", kinds=[RULE]) == 20


async def test_clock_is_local_and_can_be_set(terminal: SimulatedTerminal) -> None:
    assert code(terminal, "update date time", date_time="2020/02/29 23:59:00") == 0
    assert run(terminal, "request date time")["date_time"].startswith("2020/02/29 23:59:0")
    capture = await terminal.present_stranger()
    assert capture is not None
    assert capture.cap_time.startswith("2020/02/29 23:59:")
    expected = datetime.fromisoformat("2020-02-29T22:59:00+00:00").timestamp()
    assert capture.stamp == pytest.approx(expected, abs=5)


async def test_outputs(terminal: SimulatedTerminal) -> None:
    force = {"port": 2, "ctrl_type": "on", "ctrl_mode": "force"}
    assert code(terminal, "gpio control", **force) == 0
    assert [relay["open"] for relay in terminal.state["relays"]] == [False, True]
    assert code(terminal, "update app params", gate_control={"output_mode": "wiegand"}) == 0
    assert code(terminal, "gpio control", **{**force, "ctrl_mode": "scene"}) == 0
    assert len(terminal.openings) == 1
    assert terminal.openings[0].reason == "gpio control force"
    assert code(terminal, "wiegand control", wiegand_card_no=5, ctrl_mode="scene") == 0
    assert terminal.doors.wiegand[0]["number"] == 5
    assert code(terminal, "update app params", gate_control={"gpio_state": 1}) == 0
    assert [relay["open"] for relay in terminal.state["relays"]] == [True, True]
    assert code(terminal, "update app params", gate_control={"gpio_state": 0}) == 0
    assert terminal.state["relays"][0]["open"] is False


async def test_relay_closes_after_its_time(terminal: SimulatedTerminal) -> None:
    assert code(terminal, "update app params", gate_control={"gpio_retention_time": 500}) == 0
    assert code(terminal, "gpio control", port=1, ctrl_type="on", ctrl_mode="force") == 0
    await asyncio.sleep(0.3)
    assert terminal.doors.is_open(1)
    await asyncio.sleep(0.25)
    assert not terminal.doors.is_open(1)


async def test_files_and_media(terminal: SimulatedTerminal) -> None:
    media = run(terminal, "update lcd media", screensaver_media_list=[{"sequence": 2, "media_name": "a.png"}])
    path = media["screensaver_media_list"][0]["path"]
    assert path == "/data_fs/screensaver/NO2.a.png"
    content = bytes(range(256)) * 1000

    def send(offset: int, data: bytes, **changes: Any) -> int:
        return code(
            terminal,
            "upload file",
            path=changes.get("path", path),
            total_size=len(content),
            offset=offset,
            size=len(data),
            data=base64.b64encode(data).decode(),
            md5sum=changes.get("md5sum", hashlib.md5(data).hexdigest()),
        )

    assert send(0, content[:200_000], md5sum="0" * 32) == 11
    assert send(0, content[:200_000], path="/etc/passwd") == 23
    assert send(200_000, content[200_000:]) == 23
    assert send(0, content[:200_000]) == 0
    assert send(0, content[:200_000]) == 0
    assert send(200_000, content[200_000:]) == 0
    received = b""
    while len(received) < len(content):
        part = run(terminal, "download file", path=path, offset=len(received), size=10240)
        chunk = base64.b64decode(part["data"])
        assert (part["total_size"], part["size"]) == (len(content), len(chunk))
        assert part["md5sum"] == hashlib.md5(chunk).hexdigest()
        received += chunk
    assert received == content
    assert code(terminal, "download file", path=path, offset=0, size=10241) == 3
    assert code(terminal, "delete lcd media", screensaver_media_list=[{"sequence": 2, "media_name": "b.png"}]) == 22
    assert code(terminal, "delete lcd media", screensaver_media_list=[{"sequence": 2, "media_name": "a.png"}]) == 0
    assert code(terminal, "download file", path=path, offset=0, size=10) == 22
    assert run(terminal, "request lcd media")["screensaver_media_list"] == []


async def test_screen_and_sound(terminal: SimulatedTerminal) -> None:
    for cmd in ("text display", "image display", "tts play", "play audio stream", "play audio"):
        assert code(terminal, cmd, **VALID[cmd]) == 0
    state = terminal.state
    assert state["texts"][0]["text"] == "Hello"
    assert state["texts"][0]["visible"]
    assert state["images"][0]["visible"]
    assert state["spoken"][0]["text"] == "认证成功"
    assert state["audio"] == {"count": 2, "seconds": 1.5, "plays": state["audio"]["plays"]}
    cut = {"format": "wav", "data": base64.b64encode(wav()[:-100]).decode()}
    assert code(terminal, "play audio stream", audio=cut) == 35
    assert code(terminal, "play audio", audio_no=1, audio_name="NO0.pass.wav") == 22
    assert code(terminal, "image display", **{**VALID["image display"], "format": "png"}) == 35


async def test_volume_aes_traffic_hardware(terminal: SimulatedTerminal) -> None:
    assert code(terminal, "camera volume", method="SET", volume=0) == 0
    assert run(terminal, "camera volume", method="GET")["volume"] == 0
    wrong = base64.b64encode(b"wrong").decode()
    assert code(terminal, "updata aes", ori_key=wrong) == 4
    assert code(terminal, "updata aes", ori_key=base64.b64encode(b"x" * 17).decode()) == 3
    old = base64.b64encode(b"12345").decode()
    assert code(terminal, "updata aes", ori_key=old, new_key=base64.b64encode(b"k" * 16).decode()) == 0
    assert code(terminal, "updata aes", ori_key=old) == 4
    assert run(terminal, "request aes")["enable"] is False
    days = [day["date"] for day in run(terminal, "traffic statistics", month=1, day="1-9")["statistics"]]
    assert days == [f"1-{day}" for day in range(1, 10)]
    assert len(run(terminal, "traffic statistics", month=1)["statistics"]) in (31, terminal.local().day)
    assert run(terminal, "request 4g infor")["module_ready"] is True
    assert code(terminal, "set hardware info", **VALID["set hardware info"]) == 0
    assert run(terminal, "request 4g infor")["module_ready"] is False
    assert run(terminal, "get hardware info")["Lcd"]["model"] == "LCD_WY_1280x800"


async def test_snapshot_key_has_its_space(terminal: SimulatedTerminal) -> None:
    picture = run(terminal, "snapshot")["image "]
    assert picture["format"] == "jpg"
    assert Image.open(BytesIO(base64.b64decode(picture["image_data"]))).size == pictures.PANORAMA


async def test_reboot_leaves_the_network(terminal: SimulatedTerminal) -> None:
    async with aiohttp.ClientSession() as session:

        async def ask(cmd: str) -> int:
            async with session.post(terminal.url, json={"version": "0.2", "cmd": cmd}) as response:
                return (await response.json())["code"]

        assert await ask("reboot") == 0
        await asyncio.sleep(0.06)
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask("request date time")
        await asyncio.sleep(0.15)
        assert await ask("request date time") == 0


# The device as data client.


async def test_push_is_spelled_as_printed(uploading: SimulatedTerminal, peer: Peer) -> None:
    uploading.app["face"]["body_temperature"]["enable"] = True
    uploading.app["face"]["mask"]["enable"] = True
    uploading.app["face"]["enable_output_reg"] = True
    capture = await uploading.present_known("0001", temperature=36.7, mask=True)
    assert capture is not None
    await capture.wait()
    push = peer.bodies[0]
    assert push["cmd"] == "face"
    assert (push["sequence_no"], push["is_realtime"], push["device_sn"]) == (1, 1, uploading.serial)
    assert re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3}", push["cap_time"])
    assert (push["match_failed_reson"], push["match_result"]) == (0, 93)
    assert push["person"]["temperatur"] == 36.7
    assert push["person"]["has_mask"] is True
    assert push["match"]["person_name"] == "Alice Gardner"
    assert push["match"]["origin "] == "software"
    assert base64.b64decode(push["match"]["image"])
    picture = Image.open(BytesIO(base64.b64decode(push["overall_pic"]["data"])))
    assert picture.size == pictures.PANORAMA
    assert uploading.openings[0].reason == "local match"
    assert capture.uploaded
    assert uploading.violations == []


async def test_push_without_match_and_pictures(uploading: SimulatedTerminal, peer: Peer) -> None:
    uploading.app["face"]["pic_form"] = "none"
    await uploading.present_stranger()
    await uploading.idle()
    push = peer.bodies[0]
    assert (push["match_result"], push["match_failed_reson"]) == (-1, -11)
    assert push["overall_pic_flag"] is push["closeup_pic_flag"] is False
    assert not {"match", "overall_pic", "closeup_pic", "video", "qr_code"} & push.keys()
    assert uploading.openings == []


async def test_large_pictures(uploading: SimulatedTerminal, peer: Peer) -> None:
    await uploading.present_known("0002", picture_bytes=200_000)
    await uploading.idle()
    assert 170_000 < len(base64.b64decode(peer.bodies[0]["overall_pic"]["data"])) <= 200_000


@pytest.mark.parametrize(
    "change",
    [
        {"reply": "ack"},
        {"cmd": "faces"},
        {"code": 1},
        {"code": False},
        {"sequence_no": 2},
        {"sequence_no": "1"},
        {"cap_time": "2026-11-21T10:00:00"},
    ],
)
async def test_wrong_acknowledgement_is_resent(
    uploading: SimulatedTerminal, peer: Peer, change: dict[str, Any]
) -> None:
    peer.reply = lambda body: acknowledge(body, **change) if len(peer.bodies) < 3 else acknowledge(body)
    first, second = await uploading.present_known("0001"), await uploading.present_stranger()
    assert first is not None
    assert second is not None
    await second.wait()
    assert [body["sequence_no"] for body in peer.bodies] == [1, 1, 1, 2]
    assert [body["is_realtime"] for body in peer.bodies[:3]] == [1, 0, 0]
    assert len({body["cap_time"] for body in peer.bodies[:3]}) == 1
    assert len(uploading.violations) == 2
    assert (first.attempts, second.attempts) == (3, 1)


async def test_chunked_answer_is_no_acknowledgement(uploading: SimulatedTerminal, peer: Peer) -> None:
    def reply(body: dict[str, Any]) -> web.Response:
        response = web.json_response(acknowledge(body))
        if len(peer.bodies) == 1:
            response.enable_chunked_encoding()
        return response

    peer.reply = reply
    await uploading.present_known("0001")
    await uploading.idle()
    assert len(peer.bodies) == 2
    assert uploading.violations == ["answer to push 1: the answer is chunked"]


async def test_outage_is_no_violation(uploading: SimulatedTerminal, peer: Peer) -> None:
    down = [web.Response(status=503), web.Response(), web.Response(status=404)]
    peer.reply = lambda body: down.pop() if down else acknowledge(body)
    await uploading.present_known("0001")
    await uploading.idle()
    assert len(peer.bodies) == 4
    assert uploading.violations == []


async def test_backlog_after_cut_network(uploading: SimulatedTerminal, peer: Peer) -> None:
    await uploading.cut_network()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.post(uploading.url, json={})
    for person in ("0001", "0002", "0001"):
        await uploading.present_known(person)
    assert uploading.state["pushes"] == {"pending": 3, "delivered": 0, "sequence": 3}
    await uploading.restore_network()
    await uploading.idle()
    assert [(body["sequence_no"], body["is_realtime"]) for body in peer.of("face")] == [(1, 0), (2, 0), (3, 0)]
    await uploading.present_known("0002")
    await uploading.idle()
    assert peer.bodies[-1]["is_realtime"] == 1
    assert len(uploading.openings) == 4
    assert uploading.violations == []


async def test_records_not_pushed_stay_not_uploaded(terminal: SimulatedTerminal) -> None:
    start = int(terminal.timestamp())
    for _ in range(25):
        await terminal.present_known("0001", score=90)
    await terminal.present_stranger()
    answer = run(terminal, "request records", **RECORDS)
    assert (answer["total"], answer["count"]) == (26, 20)
    assert [record["sequence"] for record in answer["records"]] == list(range(1, 21))
    last = run(terminal, "request records", **{**RECORDS, "page_no": 2, "face_image_flag": 1})["records"]
    assert [record["sequence"] for record in last] == list(range(21, 27))
    assert (last[-1]["score"], last[-1]["match_failed_reson"], last[-1]["upload_state"]) == (-1, -11, 0)
    assert "id" not in last[-1]
    assert base64.b64decode(last[-1]["face_image"])

    def total(**condition: Any) -> int:
        return run(terminal, "request records", **RECORDS, **condition)["total"]

    assert total(upload_state=1) == 0
    assert total(score_start=85, score_end=92) == 25
    assert total(time_start=start, time_end=start + 60) == 26
    assert total(time_start=0, time_end=start - 1) == 0
    assert total(id="00", fuzzy_flag=1) == 25
    assert total(name="Alice") == 0


GATE = {"device_type": "gpio", "device_no": 1, "ctrl_mode": "force", "person_id": "0001"}


async def test_online_mode_obeys_the_answer(uploading: SimulatedTerminal, peer: Peer) -> None:
    uploading.app["gate_control"]["match_mode"] = 2
    await uploading.present_known("0001")
    await uploading.idle()
    assert uploading.openings == []
    extras = {"gateway_ctrl": GATE, "tts": {"text": "Welcome"}, "Text_display": TEXT}
    peer.reply = lambda body: acknowledge(body, **extras)
    await uploading.present_known("0001")
    await uploading.idle()
    assert [(opening.reason, opening.person_id) for opening in uploading.openings] == [("online gateway force", "0001")]
    assert uploading.spoken[-1]["text"] == "Welcome"
    assert uploading.texts[-1]["text"] == "Hello"
    assert uploading.violations == []


async def test_other_modes_decide_alone(uploading: SimulatedTerminal, peer: Peer) -> None:
    peer.reply = lambda body: acknowledge(body, gateway_ctrl=GATE)
    await uploading.present_stranger()
    await uploading.idle()
    assert uploading.openings == []


@pytest.mark.parametrize(
    "extras",
    [
        {"gateway_ctrl": {**GATE, "device_no": 3}},
        {"gateway_ctrl": {**GATE, "ctrl_mode": "open"}},
        {"gateway_ctrl": {**GATE, "device_type": "wiegand", "device_no": 5, "long_card_id": 6}},
        {"tts": {"text": "x" * 65}},
        {"text_display": TEXT},
        {"Text_display": {**TEXT, "alive_time": "1000"}},
    ],
)
async def test_wrong_extras_are_not_obeyed(uploading: SimulatedTerminal, peer: Peer, extras: dict[str, Any]) -> None:
    uploading.app["gate_control"]["match_mode"] = 2
    peer.reply = lambda body: acknowledge(body, **extras)
    await uploading.present_known("0001")
    await uploading.idle()
    assert len(uploading.violations) == 1
    assert (uploading.openings, uploading.spoken, uploading.texts) == ([], [], [])


async def test_the_devices_own_no(uploading: SimulatedTerminal, peer: Peer) -> None:
    app = uploading.app
    app["face"]["body_temperature"]["enable"] = True
    app["face"]["mask"] |= {"enable": True, "must_wear_mask": True}
    yesterday = (uploading.local() - timedelta(days=1)).strftime("%Y/%m/%d %H:%M:%S")
    uploading.people["late"] = Person(id="late", term=yesterday, drawn=True)
    uploading.people["never"] = Person(id="never", term="never", drawn=True)
    uploading.people["off"] = Person(id="off", kind=3, drawn=True)
    await uploading.present_known("0003", mask=True)
    await uploading.present_known("late", mask=True)
    await uploading.present_known("never", mask=True)
    await uploading.present_known("off", mask=True)
    await uploading.present_known("0001", mask=True, temperature=39.0)
    await uploading.present_known("0001", mask=False)
    await uploading.swipe_card(99)
    await uploading.present_known("0001", mask=True, score=60)
    await uploading.idle()
    reasons = [body["match_failed_reson"] for body in peer.of("face")]
    assert reasons == [-2, -3, -3, -4, -6, -7, -9, -11]
    assert uploading.openings == []
    await uploading.present_known("0001", mask=True)
    assert len(uploading.openings) == 1


async def test_schedule_decides_the_time(terminal: SimulatedTerminal) -> None:
    terminal.people["shift"] = Person(id="shift", kind=1, drawn=True)
    run(terminal, "update schedule params", kinds=[RULE])
    for time, reason in (("08:09:59", -4), ("08:10:00", 0), ("18:09:59", 0), ("18:10:00", -4)):
        run(terminal, "update date time", date_time=f"2026/11/20 {time}")
        capture = await terminal.present_known("shift")
        assert capture is not None
        assert capture.reason == reason
    weekly = {**RULE, "mode": "weekly", "days": [{"sections": [NINE] if day == 5 else []} for day in range(7)]}
    run(terminal, "update schedule params", kinds=[weekly])
    for day, reason in (("20", -4), ("21", 0)):
        run(terminal, "update date time", date_time=f"2026/11/{day} 12:00:00")
        capture = await terminal.present_known("shift")
        assert capture is not None
        assert capture.reason == reason


async def test_photo_and_liveness(terminal: SimulatedTerminal) -> None:
    capture = await terminal.present_photo("0001")
    assert capture is not None
    assert (capture.score, capture.reason, capture.person_id) == (-1, -11, None)
    assert terminal.openings == []
    terminal.app["face"]["enable_alive"] = False
    capture = await terminal.present_photo("0001")
    assert capture is not None
    assert (capture.score, capture.person_id) == (93, "0001")
    assert len(terminal.openings) == 1


async def test_card_and_code(uploading: SimulatedTerminal, peer: Peer) -> None:
    await uploading.swipe_card(12345678)
    assert uploading.openings == []
    uploading.app["gate_control"]["gate_mode"] = 7
    await uploading.swipe_card(12345678)
    await uploading.show_qr("visitor")
    assert await uploading.show_qr("visitor") is None
    await uploading.idle()
    assert [opening.person_id for opening in uploading.openings] == ["0002"]
    card, _, code_push = peer.of("face")
    assert card["person"]["wg_card_id"] == 12345678
    assert card["match"]["person_id"] == "0002"
    assert code_push["qr_code"] == {"qr_type": "QR-Code", "qr_data": "visitor"}


async def test_same_face_twice(terminal: SimulatedTerminal) -> None:
    terminal.app["face"]["enable_dereplication"] = True
    assert await terminal.present_known("0001") is not None
    assert await terminal.present_known("0001") is None
    assert await terminal.present_known("0002") is not None


async def test_encrypted_push(uploading: SimulatedTerminal, peer: Peer) -> None:
    uploading.aes_enabled = True
    await uploading.present_known("0001")
    await uploading.idle()
    match = peer.bodies[0]["match"]
    assert match["is_encryption"] is True
    assert base64.b64decode(match["person_id"]) == aes.encrypt(b"0001", b"12345")
    assert len(base64.b64decode(match["person_name"])) == 16


def test_aes_known_answer() -> None:
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert aes.encrypt(plain, bytes(range(16))).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


async def test_same_push_again_and_garbage(uploading: SimulatedTerminal, peer: Peer) -> None:
    await uploading.present_known("0001")
    await uploading.idle()
    assert (await uploading.resend_last())["acknowledged"] is True
    assert peer.raw[0] == peer.raw[1]
    assert (await uploading.push_raw(b'{"cmd": "face"}'))["status"] == 200
    assert peer.raw[2] == b'{"cmd": "face"}'


async def test_sip_call(uploading: SimulatedTerminal, peer: Peer) -> None:
    assert code(uploading, "sip hangup") == 22
    assert await uploading.ring() is True
    assert await uploading.ring() is False
    assert code(uploading, "sip call", url="sip:a@b:5060") == 5
    await peer.until(lambda: len(peer.of("sip event")) == 2)
    assert await uploading.answer_call() is True
    assert code(uploading, "sip hangup") == 0
    await peer.until(lambda: len(peer.of("sip event")) == 4)
    assert [body["sip_event"] for body in peer.of("sip event")] == [1, 2, 4, 0]
    assert code(uploading, "sip call", url="sip:a@b:5060") == 0
    await peer.until(lambda: uploading.phone.state == "idle")
    assert uploading.phone.events[4:] == [1, 2, 0]
    assert await uploading.incoming_call() is True
    assert await uploading.answer_call() is True
    assert await uploading.hang_up() is True
    assert uploading.phone.events[7:] == [5, 6, 0]
    assert uploading.violations == []


async def test_upload_heartbeat(peer: Peer) -> None:
    terminal = SimulatedTerminal(timings=FAST, upload_heartbeat=True)
    terminal.app["remote_upgrader"]["enable"] = False
    await terminal.start()
    peer.reply = lambda body: {"reply": "ACK", "cmd": body["cmd"], "code": 0}
    terminal.connect(upload_url=f"{peer.url}/one")
    await peer.until(lambda: len(peer.of("heart beat")) > 1)
    assert "gps" not in peer.bodies[0]
    assert terminal.violations == []
    terminal.connect(control_url=f"{peer.url}/one")
    await peer.until(lambda: any("one URL" in text for text in terminal.violations))
    await terminal.stop()


# The device as configuration client.


async def test_commands_in_heartbeat_answers(terminal: SimulatedTerminal, peer: Peer) -> None:
    terminal.app["remote_upgrader"]["enable"] = False
    command = {"version": "0.2", "cmd": "tts play", "text": "Hi", "command_id": "job-1"}

    async def reply(body: dict[str, Any]) -> Any:
        if len(peer.bodies) == 1:
            return command
        await asyncio.sleep(0.2)
        return web.Response()

    peer.reply = reply
    terminal.connect(f"{peer.url}/control?id=1")
    await peer.until(lambda: len(peer.bodies) == 4)
    assert [body["cmd"] for body in peer.bodies] == ["heart beat", " tts play ", "heart beat", "heart beat"]
    assert peer.bodies[0]["device_sn"] == terminal.serial
    assert peer.bodies[0]["gps"]["strength"] == 7
    assert peer.bodies[1] == {
        "reply": "ACK",
        "cmd": " tts play ",
        "code": 0,
        "device_sn": terminal.serial,
        "desc": "OK",
        "command_id": "job-1",
    }
    assert terminal.spoken[0]["text"] == "Hi"
    assert terminal.violations == []


async def test_instant_empty_answer_is_a_violation(terminal: SimulatedTerminal, peer: Peer) -> None:
    terminal.app["remote_upgrader"]["enable"] = False
    peer.reply = lambda _body: {"reply": "ACK", "cmd": "heart beat", "code": 0}
    terminal.connect(f"{peer.url}/control")
    await peer.until(lambda: terminal.control.instant > 1)
    assert "answered without a command" in terminal.violations[0]


async def test_no_answer_means_ask_again(terminal: SimulatedTerminal, peer: Peer) -> None:
    terminal.app["remote_upgrader"]["enable"] = False
    peer.reply = lambda _body: peer.silence()
    terminal.connect(f"{peer.url}/control")
    await peer.until(lambda: len(peer.bodies) == 2)
    assert terminal.control.heartbeats == 2
    assert terminal.violations == []
    terminal.disconnect()


async def test_result_of_a_reset_still_arrives(terminal: SimulatedTerminal, peer: Peer) -> None:
    terminal.app["remote_upgrader"]["enable"] = False
    commands = [{"version": "0.2", "cmd": "reset app params", "command_id": 1}, {"version": "0.2", "cmd": "reboot"}]
    peer.reply = lambda _body: commands.pop(0) if len(commands) == 2 else web.Response()
    terminal.connect(f"{peer.url}/control")
    await peer.until(lambda: len(peer.bodies) == 2)
    assert (peer.bodies[1]["cmd"], peer.bodies[1]["command_id"]) == ("reset app params", 1)
    await asyncio.sleep(0.1)
    assert len(peer.bodies) == 2
    peer.reply = lambda _body: commands.pop(0) if commands else asyncio.sleep(0.3, web.Response())
    terminal.connect(f"{peer.url}/control")
    expected = ["heart beat", "reboot", "heart beat"]
    await peer.until(lambda: [b["cmd"] for b in peer.bodies[2:] if b["cmd"] != "ask_upgrade"] == expected)
    assert terminal.violations == []


async def test_answers_that_are_no_commands(terminal: SimulatedTerminal, peer: Peer) -> None:
    terminal.app["remote_upgrader"]["enable"] = False
    answers: list[Any] = [web.Response(text="hello"), {"version": "0.2", "cmd": "make coffee"}]
    peer.reply = lambda _body: answers.pop(0) if answers else asyncio.sleep(0.3, web.Response())
    terminal.connect(f"{peer.url}/control")
    await peer.until(lambda: len(peer.bodies) == 3)
    assert [(body["cmd"], body["code"]) for body in peer.bodies[1:]] == [("", 3), ("make coffee", 2)]
    assert len(terminal.violations) == 2


# Upgrade, page, state file, process.


@pytest.mark.parametrize(
    ("kind", "change", "expected", "version"),
    [
        ("normal", {}, 0, "9.9"),
        ("none", {}, 0, "0.10.2"),
        ("normal", {"appversion": "0.10.1"}, 0, "0.10.2"),
        ("force", {"appversion": "0.9"}, 0, "0.9"),
        ("normal", {"platform": "other"}, 9, "0.10.2"),
        ("normal", {"url": "/gone"}, 10, "0.10.2"),
        ("normal", {"md5sum": "0" * 32}, 11, "0.10.2"),
    ],
)
async def test_upgrade(
    uploading: SimulatedTerminal, peer: Peer, *, kind: str, change: dict[str, str], expected: int, version: str
) -> None:
    peer.files["/package"] = b"firmware" * 1000
    digest = change.get("md5sum", hashlib.md5(peer.files["/package"]).hexdigest())
    firmware = {**uploading.firmware, "appversion": "9.9"}
    firmware |= {key: value for key, value in change.items() if key in FIRMWARE_KEYS}
    peer.reply = lambda _body: {
        "reply": "ACK",
        "cmd": "ask_upgrade",
        "code": 0,
        "upgrade_type": kind,
        "upgrade_file": {"url": peer.url + change.get("url", "/package"), "md5sum": digest},
        "firmware": firmware,
    }
    assert await uploading.ask_upgrade() is False
    assert peer.bodies == []
    uploading.app["remote_upgrader"]["enable"] = True
    installed = await uploading.ask_upgrade()
    assert installed == (version != "0.10.2")
    assert (uploading.last_upgrade_code, uploading.firmware["appversion"]) == (expected, version)
    assert peer.bodies[0]["firmware"]["appversion"] == "0.10.2"
    if installed:  # after its restart the device asks again and reports
        await peer.until(lambda: len(peer.bodies) >= 2)
        assert (peer.bodies[1]["last_upgrade_code"], peer.bodies[1]["firmware"]["appversion"]) == (0, version)
    assert uploading.violations == []


async def test_lost_push_is_in_the_records(uploading: SimulatedTerminal, peer: Peer) -> None:
    await uploading.cut_network()
    await uploading.present_known("0001")
    assert await uploading.lose_push() is False
    await uploading.present_stranger()
    assert await uploading.lose_push() is True
    await uploading.present_known("0002")
    await uploading.restore_network()
    await uploading.wait_for_pushes(5)
    assert [body["sequence_no"] for body in peer.of("face")] == [1, 3]
    assert [record.uploaded for record in uploading.records] == [True, False, True]


async def test_changes_made_at_the_device(terminal: SimulatedTerminal) -> None:
    await terminal.put_on_schedule("0002", 1)
    capture = await terminal.present_known("0002")
    assert capture is not None
    assert capture.reason == -4
    with pytest.raises(ValueError, match="nobody"):
        await terminal.put_on_schedule("9999", 1)
    before = terminal.timestamp()
    await terminal.set_clock(ahead=900)
    assert 899 < terminal.timestamp() - before < 902


async def test_page_and_control_api(uploading: SimulatedTerminal) -> None:
    async with aiohttp.ClientSession(uploading.page_url) as session:
        async with session.get("/") as response:
            assert "Simulated face terminal" in await response.text()
        async with session.get("/picture") as response:
            assert response.content_type == "image/jpeg"
        async with session.get("/face") as response:
            assert response.status == 404
        async with session.post("/scene/present_known", json={"person_id": "0002", "wait": 2}) as response:
            assert (await response.json())["result"]["uploaded"] is True
        async with session.get("/face") as response:
            assert await response.read() == pictures.closeup("0002")
        async with session.get("/state") as response:
            state = await response.json()
        assert (state["openings"][0]["person_id"], state["pushes"]["pending"]) == ("0002", 0)
        for path, body, status in (
            ("/scene/stop", b"{}", 404),
            ("/scene/ring", b"{", 400),
            ("/scene/ring", b'{"nobody": 1}', 400),
            ("/scene/ring", b"[]", 400),
        ):
            async with session.post(path, data=body) as response:
                assert response.status == status


async def test_state_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    terminal = SimulatedTerminal(timings=FAST, state_file=path)
    await terminal.start()
    run(terminal, "upload person", id="7", reg_image=JPG)
    run(terminal, "update lcd media", screensaver_media_list=[{"sequence": 1, "media_name": "a"}])
    run(terminal, "upload file", **UPLOAD)
    run(terminal, "camera volume", method="SET", volume=7)
    run(terminal, "updata aes", ori_key="", new_key=base64.b64encode(b"key").decode())
    await terminal.present_known("0001")
    await terminal.stop()
    again = SimulatedTerminal(timings=FAST, state_file=path)
    assert again.people["7"].picture == terminal.people["7"].picture
    assert again.aes_key == b"key"
    assert (again.volume, again.media, again.files) == (7, {1: "a"}, terminal.files)
    assert (again.sequence, again.records[0].person_id, again.records[0].uploaded) == (1, "0001", False)
    assert len(again.openings) == 1


async def test_restart_keeps_the_backlog_and_nothing_else(tmp_path: Path, peer: Peer) -> None:
    path = tmp_path / "state.json"
    terminal = SimulatedTerminal(timings=FAST, state_file=path)
    await terminal.start()
    terminal.app["remote_upgrader"]["enable"] = False
    await terminal.present_known("0001")  # never to be pushed: there is no upload URL yet
    terminal.connect(upload_url=f"{peer.url}/push")
    await terminal.cut_network()
    await terminal.present_known("0002")
    await terminal.stop()
    again = SimulatedTerminal(timings=FAST, state_file=path)
    await again.start()
    await again.idle()
    await again.stop()
    assert [(body["sequence_no"], body["is_realtime"]) for body in peer.of("face")] == [(2, 0)]


async def test_process(peer: Peer, tmp_path: Path) -> None:
    arguments = ["--port", "0", "--page-port", "0", "--serial", "SN-1", "--name", "Garden gate"]
    arguments += ["--state", str(tmp_path / "state.json")]
    links = ["--upload-url", f"{peer.url}/push", "--time-reboot", "0.1"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.terminal", *arguments, *links, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode().split() for _ in range(3)]
    assert [line[0] for line in lines] == ["terminal", "commands", "page"]
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{lines[2][1]}scene/present_stranger", json={"wait": 5}) as response:
            assert (await response.json())["result"]["uploaded"] is True
        async with session.get(f"{lines[2][1]}state") as response:
            assert (await response.json())["app"]["device_info"]["addr_name"] == "Garden gate"
        async with session.post(lines[1][1], json={"version": "0.2", "cmd": "request aes"}) as response:
            assert (await response.json())["device_sn"] == "SN-1"
    process.terminate()
    assert await process.wait() == 0
