"""A client of tus that goes on after any fault: it asks how far the upload is, and sends the rest."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator

import httpx

from tests.faults.client import Acknowledged, Client

HEADERS = {"Tus-Resumable": "1.0.0"}
TYPE = "application/offset+octet-stream"
_GONE = {404, 410}


def _creation(name: str, size: int) -> dict[str, str]:
    return HEADERS | {"Upload-Length": str(size), "Upload-Metadata": f"filename {b64encode(name.encode()).decode()}"}


def _piece(offset: int) -> dict[str, str]:
    return HEADERS | {"Upload-Offset": str(offset), "Content-Type": TYPE}


def in_pieces(client: httpx.Client, name: str, content: bytes, piece: int) -> tuple[str, list[httpx.Response]]:
    """Upload in pieces over a line that does not break; return the file's id and what each piece was answered."""
    created = client.post("/tus/", headers=_creation(name, len(content)))
    assert created.status_code == 201, created.text
    address, answers = created.headers["location"], []
    for offset in range(0, len(content), piece):
        part = content[offset : offset + piece]
        answers.append(client.patch(address, headers=_piece(offset), content=part))
        assert answers[-1].status_code == 204, answers[-1].text
    return address.rsplit("/", 1)[1], answers


class TusClient:
    """Speaks tus over a `Client`, whose log it writes into."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def create(self, name: str, size: int) -> str:
        """Create an upload; return its address."""
        return self.client.ask("POST", "/tus/", headers=_creation(name, size), expect=(201,)).headers["location"]

    def offset(self, address: str) -> int | None:
        """Return how much is durable; None when the upload is gone."""
        answer = self.client.ask("HEAD", address, headers=HEADERS)
        if answer.status_code in _GONE:
            return None
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["upload-offset"])

    def send(self, address: str, offset: int, data: bytes) -> httpx.Response:
        """Send bytes once. Raises httpx.TransportError when the line breaks."""
        return self.client.once("PATCH", address, headers=_piece(offset), content=data)

    def upload(self, name: str, content: bytes, *, piece: int = 0) -> str:
        """Upload until every byte is acknowledged; return the file's id."""
        digest = hashlib.sha256(content).hexdigest()
        self.client.log.attempted.add(digest)
        address = self.create(name, len(content))
        least = 0
        for offset in self._offsets(address):
            assert offset >= least, f"{least} bytes were said to be durable, and {offset} are left"
            least = offset
            if offset == len(content):
                break
            try:
                self.send(address, offset, content[offset : offset + piece] if piece else content[offset:])
            except httpx.TransportError:
                continue
        file_id = address.rsplit("/", 1)[1]
        self.client.log.complete[digest] = Acknowledged(file_id, digest, len(content))
        return file_id

    def _offsets(self, address: str) -> Iterator[int]:
        while True:
            offset = self.offset(address)
            assert offset is not None, f"{address} is gone"
            yield offset
