"""A probe in the Home Assistant that is measured: loop delay, time inside webhook handlers, CPU and memory.

It also serves the baseline that parses and decodes and does nothing else, as a webhook like any other.
"""

import asyncio
from dataclasses import replace
import gc
import time
from typing import Final

from aiohttp import web
from bench_house.baseline import Stopwatch, parse_only
from bench_house.vitals import vitals
from homeassistant.components import webhook
from homeassistant.components.http import HomeAssistantView
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

DOMAIN: Final = "bench_probe"
BASELINE: Final = "bench-parse"
CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)
# The shorter, the less of a delay escapes between two ticks; at this rate the probe takes some percent of a core.
_TICK: Final = 0.001


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Open the baseline and the probe's address."""

    async def handle(_hass: HomeAssistant, _webhook_id: str, request: web.Request) -> web.Response:
        return await parse_only(request)

    webhook.async_register(hass, DOMAIN, "Baseline", BASELINE, handle, local_only=True, allowed_methods=("POST",))
    hass.http.register_view(ProbeView(hass))
    return True


class Ticks:
    """Wakes up all the time and notes how late: so late would everything else on the loop have been as well.

    It also times Python's garbage collections, which stop everything and take longer the more there is in memory.
    """

    def __init__(self) -> None:
        """Start with nothing noted."""
        self._late: list[float] = []
        self._busy: list[float] = []
        self._collections: list[float] = []
        self._collecting_since = 0.0
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to tick."""
        gc.callbacks.append(self._collecting)
        self._plan()

    def stop(self) -> None:
        """End ticking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            gc.callbacks.remove(self._collecting)

    def read(self) -> dict[str, list[float]]:
        """Give the seconds of every tick since the last time, and begin afresh."""
        seen = {"late": self._late, "busy": self._busy, "collections": self._collections}
        self._late, self._busy, self._collections = [], [], []
        if self._timer is not None:
            self._timer.cancel()
            self._plan()
        return seen

    def _plan(self) -> None:
        self._cpu = time.thread_time()
        self._due = self._loop.time() + _TICK
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._late.append(self._loop.time() - self._due)
        self._busy.append(time.thread_time() - self._cpu)
        self._plan()

    def _collecting(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._collecting_since = time.perf_counter()
        else:
            self._collections.append(time.perf_counter() - self._collecting_since)


class ProbeView(HomeAssistantView):
    """POST says what to watch, GET gives what was seen since the last time."""

    url = "/api/bench_probe"
    name = "api:bench_probe"

    def __init__(self, hass: HomeAssistant) -> None:
        """Watch nothing yet."""
        self._hass = hass
        self._ticks = Ticks()
        self._watches: dict[str, Stopwatch] = {}

    async def post(self, request: web.Request) -> web.Response:
        """Take `{"ticks": bool, "webhooks": [id, ...]}`; a webhook stays watched."""
        wanted = await request.json()
        self._ticks.stop()
        for webhook_id in wanted["webhooks"]:
            self._watch(webhook_id)
        if wanted["ticks"]:
            self._ticks = Ticks()
            self._ticks.start()
        return self.json({})

    async def get(self, request: web.Request) -> web.Response:
        """Give `late`, `busy` and `collections` (seconds each), `handlers` (stopwatches) and vitals; and start anew."""
        seen = self._ticks.read()
        handlers = {key: watch.read() for key, watch in self._watches.items()}
        response = web.json_response({**vitals(), **seen, "handlers": handlers})
        # Writing this long answer is a delay of its own, which nobody asked for.
        self._ticks.read()
        return response

    def _watch(self, webhook_id: str) -> None:
        """Put a stopwatch around the handler of a webhook, whoever it belongs to."""
        if webhook_id in self._watches:
            return
        stopwatch = self._watches[webhook_id] = Stopwatch()
        registered = self._hass.data[webhook.DOMAIN]
        data = registered[webhook_id]
        registered[webhook_id] = replace(data, handler=stopwatch.around(data.handler))
