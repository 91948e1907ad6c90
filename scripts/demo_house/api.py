"""A client of a running Home Assistant: its REST and WebSocket API, as a browser would use them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, Final, Self

from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, FormData, WSMsgType

type Json = dict[str, Any]

_REQUEST_TIMEOUT: Final = ClientTimeout(total=60)


class ApiError(Exception):
    """Home Assistant refused a request, or answered otherwise than its API says."""


class Api:
    """Home Assistant at one address, signed in by `onboard` or `sign_in`."""

    def __init__(self, session: ClientSession, base: str) -> None:
        """Take an address without a slash at its end."""
        self._session = session
        self.base = base
        self.token = ""

    async def request(self, method: str, path: str, *, json: Any = None, form: Json | FormData | None = None) -> Any:
        """Return the decoded answer to a request (bytes if it is not JSON); ApiError unless it is a success."""
        # The frontend says where it was loaded from: to there a sign-in at somebody else's page leads back.
        headers = {"HA-Frontend-Base": self.base} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        async with self._session.request(
            method, self.base + path, json=json, data=form, headers=headers, timeout=_REQUEST_TIMEOUT
        ) as response:
            if not response.ok:
                raise ApiError(f"{method} {path} answered {response.status}: {(await response.text())[:500]}")
            return await response.json() if response.content_type == "application/json" else await response.read()

    async def get(self, path: str) -> Any:
        """GET a path."""
        return await self.request("GET", path)

    async def post(self, path: str, body: Json | None = None) -> Any:
        """POST a JSON object to a path."""
        return await self.request("POST", path, json=body or {})

    # Signing in

    async def onboard(self, name: str, username: str, password: str) -> None:
        """Create the owner and sign in as they."""
        client = {"client_id": f"{self.base}/", "language": "en"}
        answer = await self.post(
            "/api/onboarding/users", {"name": name, "username": username, "password": password, **client}
        )
        await self._exchange(answer["auth_code"])

    async def sign_in(self, username: str, password: str) -> None:
        """Sign in as an existing user, by the login form's flow."""
        client = f"{self.base}/"
        start = {"client_id": client, "handler": ["homeassistant", None], "redirect_uri": client}
        form = await self.post("/auth/login_flow", start)
        answer = await self.post(
            f"/auth/login_flow/{form['flow_id']}", {"client_id": client, "username": username, "password": password}
        )
        if answer["type"] != "create_entry":
            raise ApiError(f"{username} could not sign in: {answer.get('errors')}")
        await self._exchange(answer["result"])

    async def _exchange(self, code: str) -> None:
        form = {"grant_type": "authorization_code", "client_id": f"{self.base}/", "code": code}
        self.token = (await self.request("POST", "/auth/token", form=form))["access_token"]

    # Config flows

    async def flow_start(self, handler: str, *, entry_id: str | None = None) -> Json:
        """Start a config flow, or with `entry_id` the reconfiguration of that entry; its first step."""
        again = {} if entry_id is None else {"entry_id": entry_id}
        return await self._step("/api/config/config_entries/flow", {"handler": handler, **again})

    async def flow_next(self, step: Json, answers: Json, *, ends: str | None = None) -> Json:
        """Answer a step of a config flow; the next one. Errors raise ApiError, as does an end other than `ends`."""
        return await self._step(f"/api/config/config_entries/flow/{step['flow_id']}", answers, ends)

    async def options(self, entry_id: str, **changes: Any) -> None:
        """Change some options of an entry by its options flow; the rest stays as the form shows it."""
        path = "/api/config/config_entries/options/flow"
        step = await self._step(path, {"handler": entry_id})
        shown: Json = {}
        for field in step["data_schema"]:
            value = (field.get("description") or {}).get("suggested_value", field.get("default"))
            if value is not None:
                shown[field["name"]] = value
        await self._step(f"{path}/{step['flow_id']}", {**shown, **changes})

    async def subentry(self, entry_id: str, kind: str, answers: Json, *, of: str | None = None) -> Json:
        """Fill in the form of a new subentry, or with `of` the one of an existing one; what the flow ended with."""
        path = "/api/config/config_entries/subentries/flow"
        again = {} if of is None else {"subentry_id": of}
        form = await self._step(path, {"handler": [entry_id, kind], **again})
        ends = None if of is None else "reconfigure_successful"
        return await self._step(f"{path}/{form['flow_id']}", _in_sections(form["data_schema"], answers), ends)

    async def upload(self, name: str, content: bytes, content_type: str) -> str:
        """Upload a file for a form, as a browser does; what the form takes for it."""
        form = FormData()
        form.add_field("file", content, filename=name, content_type=content_type)
        return str((await self.request("POST", "/api/file_upload", form=form))["file_id"])

    async def flow_progress(
        self, step: Json, act: Callable[[], Awaitable[None]], *, patience: float, ends: str | None = None
    ) -> Json:
        """Do what a step waits for, and wait as the frontend does until the flow goes on; the step after it.

        An end other than `ends` raises ApiError.
        """
        moved = asyncio.Event()

        def heard(event: Json) -> None:
            if event["data"]["flow_id"] == step["flow_id"]:
                moved.set()

        async with self.socket() as socket, asyncio.timeout(patience):
            await socket.subscribe(heard, "subscribe_events", event_type="data_entry_flow_progressed")
            await act()
            while step["type"] in ("progress", "external"):
                await moved.wait()
                moved.clear()
                step = await self.get(f"/api/config/config_entries/flow/{step['flow_id']}")
        return _went_well(step, ends)

    async def _step(self, path: str, body: Json, ends: str | None = None) -> Json:
        return _went_well(await self.post(path, body), ends)

    async def entry_loaded(self, entry_id: str, *, patience: float = 30) -> None:
        """Wait until an entry is set up: its flow may be over before that. Raises TimeoutError."""
        async with self.socket() as socket, asyncio.timeout(patience):
            while (await self._entry_state(socket, entry_id)) != "loaded":
                await asyncio.sleep(0.1)

    async def _entry_state(self, socket: Socket, entry_id: str) -> str:
        answer = await socket.command("config_entries/get_single", entry_id=entry_id)
        return str(answer["config_entry"]["state"])

    # States and actions

    async def states(self) -> dict[str, Json]:
        """Every state by its entity id."""
        return {state["entity_id"]: state for state in await self.get("/api/states")}

    async def state(self, entity_id: str) -> Json:
        """One state: `state`, `attributes`, `last_changed`, ..."""
        result: Json = await self.get(f"/api/states/{entity_id}")
        return result

    async def action(self, name: str, data: Json, *, response: bool = False) -> Json:
        """Perform an action such as `button.press`; its response if it has one."""
        path = f"/api/services/{name.replace('.', '/')}" + ("?return_response" if response else "")
        answer = await self.post(path, data)
        return dict(answer["service_response"]) if response else {}

    @asynccontextmanager
    async def socket(self) -> AsyncGenerator[Socket]:
        """Open the WebSocket, signed in."""
        async with self._session.ws_connect(f"{self.base}/api/websocket", max_msg_size=0) as raw:
            await raw.receive_json()
            await raw.send_json({"type": "auth", "access_token": self.token})
            answer = await raw.receive_json()
            if answer["type"] != "auth_ok":
                raise ApiError(f"the WebSocket refused the token: {answer}")
            async with Socket(raw) as socket:
                yield socket


def _went_well(step: Json, ends: str | None) -> Json:
    """Pass a step of a flow; ApiError for errors in a form, and for an end other than `ends`."""
    if step.get("errors"):
        raise ApiError(f"step {step.get('step_id')}: {step['errors']}")
    if step["type"] == "abort" and step["reason"] != ends:
        raise ApiError(f"the flow was aborted: {step['reason']}")
    return step


class Socket:
    """A WebSocket to Home Assistant: commands by name, and what a subscription brings."""

    def __init__(self, raw: ClientWebSocketResponse) -> None:
        """Take an authenticated connection."""
        self._raw = raw
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._listeners: dict[int, Callable[[Json], None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start to read."""
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop reading and close."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        await self._raw.close()

    async def command(self, name: str, /, **fields: Any) -> Any:
        """Send a command and return its result; ApiError if Home Assistant refuses it."""
        return await self._send(next(self._ids), name, fields)

    async def subscribe(self, listener: Callable[[Json], None], name: str, **fields: Any) -> None:
        """Send a command that brings events, and give each to the listener."""
        number = next(self._ids)
        self._listeners[number] = listener
        await self._send(number, name, fields)

    async def _send(self, number: int, name: str, fields: Json) -> Any:
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._raw.send_json({"id": number, "type": name, **fields})
        async with asyncio.timeout(_REQUEST_TIMEOUT.total):
            message = await answer
        if not message["success"]:
            raise ApiError(f"{name}: {message['error']}")
        return message["result"]

    async def _read(self) -> None:
        async for raw in self._raw:
            if raw.type is not WSMsgType.TEXT:
                break
            message: Json = raw.json()
            if message["type"] == "event" and (listener := self._listeners.get(message["id"])):
                listener(message["event"])
            elif message["type"] == "result" and (answer := self._answers.pop(message["id"], None)):
                answer.set_result(message)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ApiError("Home Assistant closed the WebSocket"))


def _in_sections(fields: list[Json], answers: Json) -> Json:
    """Put answers into the sections of a form, as a browser does."""
    filled = dict(answers)
    for part in fields:
        if "schema" in part:
            names = [field["name"] for field in part["schema"]]
            filled[part["name"]] = {name: filled.pop(name) for name in names if name in filled}
    return filled
