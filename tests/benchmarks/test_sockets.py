"""A thousand status sockets in one web process: what each takes, and how late an event comes at a hundred a second.

`SOCKETS=200 EVENTS=500` measure less; the defaults are those of the bar.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import Any
from uuid import UUID

import psutil
import pytest
import websockets

from tests.benchmarks.recording import record
from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

SOCKETS = int(os.environ.get("SOCKETS", "1000"))
EVENTS = int(os.environ.get("EVENTS", "2000"))
PER_SECOND = 100
USERS = 50
_OPENING_AT_ONCE = 20
_MAKE = """
import json
from orchestra.accounts.models import User
from orchestra.accounts.services import create_api_key
from files.models import FileRecord, FileStatus
made = []
for n in range({users}):
    user = User.objects.create_user(f"socket-{{n}}", password=None)
    file = FileRecord.objects.create(owner=user, name="a.txt", size=1, status=FileStatus.READY)
    made.append([create_api_key(user, "benchmark").plain, str(file.pk)])
print(json.dumps(made))
"""
_SEND = """
import json, sys, time
from uuid import UUID
from files import states
files = [UUID(value) for value in json.loads(sys.argv[1])]
began, sent = time.monotonic(), []
for n in range({events}):
    pause = began + n / {per_second} - time.monotonic()
    if pause > 0:
        time.sleep(pause)
    states.touch(files[n % len(files)])
    sent.append([str(files[n % len(files)]), time.monotonic()])
print(json.dumps(sent))
"""


class _Listener:
    """One socket, which notes when each version of each file came."""

    def __init__(self) -> None:
        self.came: list[tuple[str, int, float]] = []
        self.opened = asyncio.Event()

    async def listen(self, url: str, key: str, room: asyncio.Semaphore) -> None:
        await room.acquire()
        try:
            async with websockets.connect(url, additional_headers={"Authorization": f"Api-Key {key}"}) as socket:
                await socket.recv()
                self.opened.set()
                room.release()
                async for text in socket:
                    message = json.loads(text)
                    now = time.monotonic()
                    if message["type"] == "files":
                        self.came += [(file["id"], file["version"], now) for file in message["files"]]
        except asyncio.CancelledError:
            return


def _run(product: Stack, code: str, *arguments: str) -> Any:
    setup = "import django; django.setup()\n"
    done = product.python("-c", setup + code, *arguments, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def _warm(product: Stack, web: psutil.Process) -> None:
    """Let the web load its embedding model and settle: that would count as memory of the sockets, or against it."""
    product.client("warm").post("/api/search", json={"query": "anything at all"})
    sizes = [0]

    def settled() -> bool:
        sizes.append(web.memory_info().rss)
        return abs(sizes[-1] - sizes[-2]) < 1024**2

    wait_for("the web to have settled", settled, 120, 5)


async def _measure(product: Stack, made: list[list[str]], web: psutil.Process) -> dict[str, Any]:
    url, room = product.websocket_url, asyncio.Semaphore(_OPENING_AT_ONCE)
    before, began = web.memory_info().rss, time.monotonic()
    listeners = [_Listener() for _ in range(SOCKETS)]
    tasks = [
        asyncio.create_task(listener.listen(url, made[n % len(made)][0], room)) for n, listener in enumerate(listeners)
    ]
    await asyncio.gather(*(listener.opened.wait() for listener in listeners))
    opened, after = time.monotonic() - began, web.memory_info().rss
    files = json.dumps([file for _, file in made])
    code = _SEND.format(events=EVENTS, per_second=PER_SECOND)
    sent = await asyncio.to_thread(_run, product, code, files)
    await asyncio.sleep(5)  # what is under way by then is late in any case
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks)
    return {"opened": opened, "bytes": (after - before) / SOCKETS, "sent": sent, "listeners": listeners}


def _delays(made: list[list[str]], sent: list[list[Any]], listeners: list[_Listener]) -> tuple[list[float], int]:
    """Return the seconds from each event to each of its owner's sockets, and how many never came."""
    delays, missing = [], 0
    versions: dict[str, int] = {}
    for file, at in sent:
        versions[file] = versions.get(file, 1) + 1
        for n in _sockets_of(made, file, len(listeners)):
            # A later version tells of this one too: messages of a tenth of a second are one.
            times = [t for f, version, t in listeners[n].came if f == file and version >= versions[file] and t >= at]
            if times:
                delays.append(min(times) - at)
            else:
                missing += 1
    return sorted(delays), missing


def _sockets_of(made: list[list[str]], file: str, sockets: int) -> range:
    owner = next(n for n, (_, known) in enumerate(made) if UUID(known) == UUID(file))
    return range(owner, sockets, len(made))


def test_a_thousand_sockets_are_told_within_a_second(product: Stack, load: float) -> None:
    made = _run(product, _MAKE.format(users=USERS))
    web = wait_for("the web", lambda: product.processes("orchestra.embedded.web"))[0]
    _warm(product, web)
    found = asyncio.run(_measure(product, made, web))
    delays, missing = _delays(made, found["sent"], found["listeners"])
    p99 = delays[int(0.99 * len(delays))]
    figures: dict[str, str | float] = {
        "sockets": SOCKETS,
        "seconds to open": found["opened"],
        "KiB each": found["bytes"] / 1024,
        "events": EVENTS,
        "deliveries": len(delays),
        "not delivered": missing,
        "median ms": 1000 * delays[len(delays) // 2],
        "p99 ms": 1000 * p99,
    }
    record("sockets", f"{SOCKETS} sockets of {USERS} users, {PER_SECOND} events/s", figures, load)
    assert missing == 0
    assert found["bytes"] <= 200 * 1024
    assert p99 <= 1.0
