"""Health checks of files: storage, and the way of the status socket."""

from __future__ import annotations

import asyncio
import os
import tempfile

from files import storage
from orchestra.accounts.models import User
from orchestra.accounts.services import issue_ticket
from orchestra.monitoring.checks import Outcome, registry

_LOW_SPACE = 2 * 1024**3


def register() -> None:
    """Register this application's checks."""
    registry.add("storage", check_storage)
    registry.add("socket", check_socket)


def check_storage() -> Outcome:
    """Write, sync and remove a file where uploads go, and look at the free space."""
    directory = storage.incoming_dir()
    try:
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"orchestra")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as exc:
        return Outcome.failed(f"{directory} is not writable: {exc}", "Let this account write there, or set UPLOAD_DIR.")
    free = storage.free_bytes()
    if free < _LOW_SPACE:
        return Outcome.failed(f"{free / 1024**3:.1f} GiB are left for uploads.", "Free some space or move UPLOAD_DIR.")
    return Outcome.passed(f"{directory} is writable; {free / 1024**3:.1f} GiB are free.")


def check_socket() -> Outcome:
    """Open the status socket through the whole ASGI application, as a program with a ticket does."""
    user = User.objects.filter(is_superuser=True, is_active=True).first()
    if user is None:
        return Outcome.failed("There is no administrator to try with.", "Run `manage.py createsuperuser`.")
    try:
        kind = asyncio.run(_first_message(issue_ticket(user)))
    except (TimeoutError, OSError, ConnectionError) as exc:
        return Outcome.failed(f"/ws/status/ does not answer: {exc!r}", "Check Redis above; sockets travel through it.")
    if kind != "websocket.send":
        return Outcome.failed(f"/ws/status/ answered {kind}.", "See the log; pages fall back to polling meanwhile.")
    return Outcome.passed("/ws/status/ accepts and sends a snapshot.")


async def _first_message(ticket: str) -> str:
    from channels.testing import WebsocketCommunicator

    from orchestra.asgi import application

    socket = WebsocketCommunicator(application, f"/ws/status/?ticket={ticket}")
    await socket.send_input({"type": "websocket.connect"})
    await socket.receive_output(10)
    kind = str((await socket.receive_output(10))["type"])
    await socket.disconnect(10)
    return kind
