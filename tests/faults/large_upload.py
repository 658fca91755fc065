"""One large file over a line that is cut, to a web process that is killed, by tus."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import httpx

from tests.benchmarks.memory import MB, Sampler
from tests.faults.client import Client
from tests.faults.parts import Part
from tests.faults.product import Product
from tests.faults.proxy import FAIR, Proxy, Weather
from tests.faults.tus_client import HEADERS, TYPE, TusClient
from tests.stack import wait_for

_PIECE = MB


@dataclass(frozen=True)
class Outcome:
    """How an upload went: what arrived, what it cost."""

    file_id: str
    sent_sha256: str
    stored_sha256: str
    cuts: int
    kills: int
    sent_twice: int  # bytes that were sent again, because they had not been stored
    web_growth: int  # bytes, over the sum of the web's processes before
    seconds: float


class Content:
    """Deterministic bytes, no two megabytes alike, that are never all in memory."""

    def __init__(self, seed: int, size: int) -> None:
        self._block = random.Random(seed).randbytes(_PIECE)
        self.size = size

    def pieces(self, offset: int) -> Iterator[bytes]:
        """Yield all from `offset` on."""
        while offset < self.size:
            index, skip = divmod(offset, _PIECE)
            piece = (index.to_bytes(8, "big") + self._block[8:])[skip : skip + self.size - offset]
            yield piece
            offset += len(piece)

    def sha256(self) -> str:
        """Return the digest of the whole."""
        digest = hashlib.sha256()
        for piece in self.pieces(0):
            digest.update(piece)
        return digest.hexdigest()


class _Run:
    """One upload under way."""

    def __init__(self, product: Product, line: Proxy, through: TusClient, content: Content) -> None:
        self._product = product
        self._line = line
        self._through = through
        self._content = content
        self.address = through.create("large.bin", content.size)
        self.offset = 0
        self.sent_twice = 0

    def go_on(self, place: int = 0, fault: Part | None = None) -> None:
        """Send what is missing until `place`, where the part dies, or the line is cut without one; 0: to the end."""
        if place:
            place = min(max(place, self.offset + 1), self._content.size - 1)
            if place <= self.offset:
                return
        self._line.weather = Weather(cut_up_after=place - self.offset) if place and fault is None else FAIR
        reached = self._send(place, fault)
        self._line.weather = FAIR
        offset = self._through.offset(self.address)
        assert offset is not None
        assert offset >= self.offset, "what was durable is gone"
        self.sent_twice += max(0, reached - offset)
        self.offset = offset

    def _send(self, place: int, fault: Part | None) -> int:
        reached = [self.offset]

        def body() -> Iterator[bytes]:
            for piece in self._content.pieces(self.offset):
                yield piece
                reached[0] += len(piece)
                if fault is not None and reached[0] >= place > reached[0] - len(piece):
                    self._product.parts.kill(fault)

        headers = HEADERS | {"Upload-Offset": str(self.offset), "Content-Type": TYPE}
        headers["Content-Length"] = str(self._content.size - self.offset)
        with contextlib.suppress(httpx.TransportError):
            self._through.client.once("PATCH", self.address, headers=headers, content=body())
        return min(reached[0], place) if fault is None and place else reached[0]


def upload_through_faults(product: Product, user: str, size: int, cuts: int, kills: int) -> Outcome:
    """Upload `size` bytes while the line is cut and the web killed so often, at places spread over the file."""
    content, client = Content(size % 1009, size), Client(product.stack, user)
    TusClient(client).upload("warm.bin", bytes(16 * MB))  # what the first upload loads once is not growth
    faults: list[Part | None] = [*[Part.WEB] * kills, *[None] * cuts]
    random.Random(20).shuffle(faults)
    places = sorted(random.Random(23).sample(range(1, size), len(faults)))
    began = perf_counter()
    with product.web_line() as (line, url), Sampler(lambda: product.parts.processes(Part.WEB), every=0.1) as sampler:
        run = _Run(product, line, TusClient(Client(product.stack, user, url=url)), content)
        for place, fault in zip(places, faults, strict=True):
            run.go_on(place, fault)
        while run.offset < size:
            run.go_on()
    file_id = run.address.rsplit("/", 1)[1]
    wait_for("the file", lambda: client.status(file_id) != "uploading", 300)
    seconds = perf_counter() - began
    (path,) = product.stack.state.glob(f"uploads/files/*/{file_id}")
    with path.open("rb") as stream:
        stored = hashlib.file_digest(stream, "sha256").hexdigest()
    return Outcome(file_id, content.sha256(), stored, cuts, kills, run.sent_twice, sampler.growth, seconds)
