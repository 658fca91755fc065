"""A proxy that can be told to misbehave: cut, freeze, half-close, slow or late; before web, PostgreSQL or Redis.

It listens on a free TCP port and connects to a port or to a unix socket, in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PIECE = 16 * 1024
BUFFER = 256 * 1024
"""Bytes that the kernel may keep of each direction on either side: what is under way when the line is cut is lost, and
the kernel's own choice is up to ten megabytes, the more the slower the other end."""

Target = Path | tuple[str, int]


@dataclass(frozen=True)
class Weather:
    """What the line is like. Bytes are counted per connection and direction; 0 means without limit."""

    frozen: bool = False
    delay: float = 0.0  # seconds that each piece takes longer
    rate: float = 0.0  # bytes per second
    cut_up_after: int = 0  # bytes from the client, then both ways are reset
    cut_down_after: int = 0  # bytes to the client, then both ways are reset
    half_close_after: int = 0  # bytes from the client, then the server is told that no more come


FAIR = Weather()


class Proxy:
    """One listening port; `weather` may be changed at any time and holds for open connections too."""

    def __init__(self, target: Target, port: int = 0, host: str = "127.0.0.1") -> None:
        self._target = target
        self._host = host
        self._wanted_port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self.weather = FAIR
        self.connections = 0
        self.port = 0

    def open(self) -> None:
        """Begin to listen; `port` is set then."""
        self._thread.start()
        listening = socket.create_server((self._host, self._wanted_port))
        _bound(listening)  # those that it accepts inherit it
        self._server = self._call(asyncio.start_server(self._serve, sock=listening))
        self.port = listening.getsockname()[1]

    def close(self) -> None:
        """Stop listening and reset every connection."""
        self._loop.call_soon_threadsafe(self._server.close)
        self.cut()
        self._call(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Reset every open connection."""
        self._call(self._cut_all())

    def _call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _cut_all(self) -> None:
        for writer in list(self._writers):
            _reset(writer)

    async def _finish(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            up_reader, up_writer = await self._connect()
        except OSError:
            _reset(writer)
            return
        self._writers |= {writer, up_writer}
        try:
            up = self._pump(reader, up_writer, lambda weather: weather.cut_up_after, upwards=True)
            down = self._pump(up_reader, writer, lambda weather: weather.cut_down_after, upwards=False)
            await asyncio.gather(up, down)
        finally:
            for each in (writer, up_writer):
                self._writers.discard(each)
                each.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(str(self._target))
        reader, writer = await asyncio.open_connection(*self._target)
        _bound(writer.get_extra_info("socket"))
        return reader, writer

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limit: Callable[[Weather], int],
        *,
        upwards: bool,
    ) -> None:
        passed = 0
        with contextlib.suppress(ConnectionError, OSError):
            while piece := await reader.read(1 if self.weather.rate else PIECE):
                await self._weathered(len(piece))
                cut, half = limit(self.weather), self.weather.half_close_after if upwards else 0
                ends = min(filter(None, (cut, half)), default=0)
                writer.write(piece[: max(0, ends - passed)] if ends else piece)
                await writer.drain()
                passed += len(piece)
                if ends and passed >= ends:
                    if ends == cut:
                        # Every connection: a test that cuts at a byte has one client on the line.
                        await self._cut_all()
                    break
            writer.write_eof()

    async def _weathered(self, count: int) -> None:
        while self.weather.frozen:
            await asyncio.sleep(0.02)
        await asyncio.sleep(self.weather.delay + (count / self.weather.rate if self.weather.rate else 0))


def _bound(connection: Any) -> None:
    for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        connection.setsockopt(socket.SOL_SOCKET, buffer, BUFFER)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close at once with a reset, as a pulled cable or a dead host looks from the other end."""
    with contextlib.suppress(OSError):
        sock = writer.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()


@contextmanager
def proxy_before(target: Target, port: int = 0, host: str = "127.0.0.1") -> Iterator[Proxy]:
    """Open a proxy before a port or a unix socket while the block lasts."""
    proxy = Proxy(target, port, host)
    proxy.open()
    try:
        yield proxy
    finally:
        proxy.close()
