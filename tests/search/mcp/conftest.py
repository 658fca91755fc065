"""Alice's and bob's files, read; and the SDK's own client, by the streams of a process and over HTTP."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import uvicorn
from django.db import connection
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from orchestra.accounts.services import create_api_key
from tests.pace import within

ROOT = Path(__file__).resolve().parents[3]
CARD = "4111 1111 1111 1111"
HARBOUR = f"The harbour master keeps the register of boats. He pays with {CARD}.\n"
SECRET = "The zebrafish of bob's lives in a warm habitat."

MakeFile = Callable[..., FileRecord]
Scenario = Callable[[Client], Awaitable[None]]


@pytest.fixture
def harbour(alice: User, make_file: MakeFile) -> FileRecord:
    """A file of alice's that was read."""
    return _read(make_file(alice, HARBOUR.encode() * 3, "harbour.txt", tags=("boats",)))


@pytest.fixture
def zebrafish(bob: User, make_file: MakeFile) -> FileRecord:
    """A file of bob's that was read."""
    return _read(make_file(bob, SECRET.encode(), "zebrafish.txt", tags=("fish",)))


def _read(file: FileRecord) -> FileRecord:
    while pipeline.work("a worker"):
        pass
    file.refresh_from_db()
    assert file.status == "ready"
    return file


@contextmanager
def serving() -> Iterator[str]:
    """Serve the whole product on loopback, and give the address of its MCP server."""
    from orchestra.asgi import application

    server = uvicorn.Server(uvicorn.Config(application, port=0, lifespan="off", log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + within(20)
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def address(transactional_db: None) -> Iterator[str]:
    with serving() as url:
        yield url


def over_http(url: str, user: User, scenario: Scenario, **options: Any) -> None:
    """Run what a client does that has a key of the user's."""
    key = create_api_key(user, "a program").plain

    async def run() -> None:
        headers = {"Authorization": f"Api-Key {key}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(streamable_http_client(url, http_client=http), **options) as client,
        ):
            await scenario(client)

    asyncio.run(run())


def over_streams(user: User, scenario: Scenario) -> None:
    """Run what a client does that starts `manage.py mcp` for the user."""
    facts = connection.settings_dict
    database = f"postgresql://{quote(facts['USER'])}@/{quote(facts['NAME'])}?host={quote(str(facts['HOST']), safe='')}"
    passed = {name: os.environ[name] for name in ("STATE_DIR", "EMBEDDING_ENGINE", "LOG_LEVEL")}
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["manage.py", "mcp", "--user", user.username],
        env={**passed, "DATABASE_URL": database},
        cwd=str(ROOT),
    )

    async def run() -> None:
        async with Client(parameters, read_timeout_seconds=60) as client:
            await scenario(client)

    asyncio.run(run())
