"""A server whose answers a test writes."""

from dataclasses import dataclass, field
import json
from typing import Any

from aiohttp import web

BASE = "/api/v1/"
"""Where SmartFace has its calls."""


@dataclass
class Asked:
    """One request as the server got it."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ScriptedServer:
    """Answers each call with the next of what a test wrote, the last again and again; keeps the requests.

    A reply is a body for status 200, a pair of status and body, a Response, or an Exception: the connection breaks.
    """

    replies: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, *replies: Any) -> None:
        """Answer whatever is not answered by `on`."""
        self.replies[""] = list(replies)

    def on(self, call: str, *replies: Any) -> None:
        """Answer `call`, such as `GET Version`; a path that begins with a slash is not below `BASE`."""
        method, path = call.split()
        self.replies[f"{method} {path if path.startswith('/') else BASE + path}"] = list(replies)

    def of(self, path: str) -> list[Asked]:
        """Every request to a path below `BASE`."""
        return [asked for asked in self.asked if asked.path.removeprefix(BASE) == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        path = request.rel_url.raw_path
        self.asked.append(Asked(request.method, path, dict(request.query), body, dict(request.headers)))
        replies = self.replies.get(f"{request.method} {path}") or self.replies.get("") or [(404, "")]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, Exception):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(reply, web.Response):
            return web.Response(body=reply.body, status=reply.status, headers=reply.headers)
        status, content = reply if isinstance(reply, tuple) else (200, reply)
        if isinstance(content, (str, bytes)):
            return web.Response(body=content, status=status, content_type="application/json")
        return web.json_response(content, status=status)
