"""Health checks of files: storage, the queue, the sandbox around readers, and the way of the status socket."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import async_to_sync
from redis.exceptions import RedisError

from files import metrics, storage
from files.models import JobState, ProcessingJob
from orchestra.accounts.models import User
from orchestra.accounts.services import issue_ticket
from orchestra.monitoring.checks import Outcome, registry

_SOCKET_SECONDS = 10
_UNTAKEN_SECONDS = 60


def register() -> None:
    """Register this application's checks."""
    registry.add("storage", check_storage)
    registry.add("queue", check_queue)
    registry.add("sandbox", check_sandbox)
    registry.add("socket", check_socket)


def check_storage() -> Outcome:
    """Write, read and remove a probe where new files go."""
    return storage.chosen().check()


def check_queue() -> Outcome:
    """Look how many files wait, for how long, and whether anybody takes them."""
    jobs = ProcessingJob.objects
    waiting, running = (jobs.filter(state=state).count() for state in (JobState.QUEUED, JobState.RUNNING))
    longest = metrics.oldest_seconds()
    if not waiting:
        return Outcome.passed(f"No file waits; {running} are being read.")
    sentence = f"{waiting} files wait, the longest for {longest:.0f} s; {running} are being read."
    if not running and longest > _UNTAKEN_SECONDS:
        return Outcome.failed(sentence, "Nobody takes them: look at `worker` and `beat`, and at the worker's log.")
    return Outcome.passed(sentence)


def check_sandbox() -> Outcome:
    """Start a reading process and ask what it is kept from."""
    from files.extraction.errors import SandboxUnavailable
    from files.extraction.isolation import fork_server, protections
    from files.extraction.sandbox import sandbox_level

    was_running = fork_server.is_running()
    try:
        level = sandbox_level()
        if not was_running:
            fork_server.shut_down()  # the web process reads no files and has no use for one
    except SandboxUnavailable as exc:
        return Outcome.failed(exc.message, "Look at this machine's memory and number of processes; no file is read.")
    sentence, remedies = protections.sentence_of(level), protections.remedies_of(level)
    if not protections.is_sufficient(level):
        return Outcome.failed(sentence, " ".join(remedies))
    return Outcome.passed(" ".join((sentence, *remedies)))


def check_socket() -> Outcome:
    """Open the status socket through the whole ASGI application, as a program with a ticket does."""
    user = User.objects.filter(is_superuser=True, is_active=True).first()
    if user is None:
        return Outcome.failed("There is no administrator to try with.", "Run `manage.py createsuperuser`.")
    try:
        kind = async_to_sync(_first_message)(issue_ticket(user))
    except (TimeoutError, OSError, RedisError) as exc:
        return Outcome.failed(f"/ws/status/ does not answer: {exc!r}", "Check Redis above; sockets travel through it.")
    if kind != "websocket.send":
        return Outcome.failed(f"/ws/status/ answered {kind}.", "See the log; pages fall back to polling meanwhile.")
    return Outcome.passed("/ws/status/ accepts and sends a snapshot.")


async def _first_message(ticket: str) -> str:
    """Return the type of the application's first message after it accepted a socket, or of its refusal."""
    from channels.routing import get_default_application  # the project stands above this application

    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await incoming.put({"type": "websocket.connect"})
    served = asyncio.ensure_future(get_default_application()(_scope(ticket), incoming.get, outgoing.put))
    try:
        async with asyncio.timeout(_SOCKET_SECONDS):
            kind = await _next_kind(outgoing, served)
            if kind == "websocket.accept":
                kind = await _next_kind(outgoing, served)
            await incoming.put({"type": "websocket.disconnect", "code": 1000})
            await asyncio.wait((served,))
    finally:
        served.cancel()
    return kind


async def _next_kind(outgoing: asyncio.Queue[dict[str, Any]], served: asyncio.Future[None]) -> str:
    """Return the type of the next message; raise what ended the application when it ended without one."""
    message = asyncio.ensure_future(outgoing.get())
    await asyncio.wait((message, served), return_when=asyncio.FIRST_COMPLETED)
    if message.done():
        return str(message.result()["type"])
    message.cancel()
    served.result()
    return "nothing"


def _scope(ticket: str) -> dict[str, Any]:
    return {
        "type": "websocket",
        "path": "/ws/status/",
        "query_string": f"ticket={ticket}".encode(),
        "headers": [],
        "subprotocols": [],
    }
