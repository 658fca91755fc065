"""A client that keeps a log of what the product acknowledged, and goes on after any fault, as a careful user would."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from tests.stack import Stack

PATIENCE = 180.0  # seconds for one request to succeed, whatever dies meanwhile
_AGAIN = {401, 500, 502, 503, 504}


class Content(Protocol):
    """What is sent: a large one is made piece by piece, so that many clients fit into memory."""

    @property
    def size(self) -> int:
        """Number of bytes."""

    @property
    def sha256(self) -> str:
        """Digest of all of it, in hex."""

    def piece(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` up to `end`."""


@dataclass(frozen=True)
class Plain:
    """A content that is held in memory."""

    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def piece(self, start: int, end: int) -> bytes:
        return self.content[start:end]


@dataclass(frozen=True)
class Acknowledged:
    """An upload of which the product said that it is complete."""

    file_id: str
    sha256: str
    size: int


@dataclass
class Log:
    """What a client attempted, and what of it was acknowledged. Digests name contents."""

    attempted: set[str] = field(default_factory=set)
    complete: dict[str, Acknowledged] = field(default_factory=dict)
    chunks: list[tuple[str, int, int]] = field(default_factory=list)  # file, start, end: said to be durable
    deleted: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


class Client:
    """One user's client over the chunk API. Requests are repeated until they are answered."""

    def __init__(self, stack: Stack, name: str, *, url: str = "", password: str = "correct horse battery") -> None:
        stack.create_user(name, password)
        self.name = name
        self.log = Log()
        self._credentials = {"username": name, "password": password}
        self._http = stack.clients.enter_context(httpx.Client(base_url=url or stack.url, timeout=30))

    def ask(self, method: str, path: str, *, expect: tuple[int, ...] = (), **more: Any) -> httpx.Response:
        """Send a request until it is answered with something else than "not now"; signs in as needed.

        Raises AssertionError when it is not for so long that the product must be called down, or is answered with none
        of `expect`.
        """
        until = time.monotonic() + PATIENCE
        problem: object = None
        while time.monotonic() < until:
            try:
                answer = self._http.request(method, path, **more)
            except httpx.TransportError as error:
                problem = error
            else:
                if answer.status_code not in _AGAIN:
                    assert not expect or answer.status_code in expect, f"{method} {path}: {answer.text[:300]}"
                    return answer
                problem = answer.text[:300]
                if answer.status_code == 401:
                    self._sign_in()
            time.sleep(0.2)
        raise AssertionError(f"{method} {path} was not answered within {PATIENCE:.0f} s: {problem}")

    def once(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request once. Raises httpx.TransportError."""
        if "Authorization" not in self._http.headers:
            self._sign_in()
        return self._http.request(method, path, **more)

    def _sign_in(self) -> None:
        try:
            answer = self._http.post("/api/auth/token", json=self._credentials)
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            self._http.headers["Authorization"] = f"Bearer {answer.json()['access']}"

    def upload(
        self, name: str, content: bytes | Content, *, chunk_size: int = 0, each: Callable[[int], None] = lambda _: None
    ) -> str:
        """Upload in chunks until it is acknowledged as complete; return the file's id. `each` is told every chunk."""
        content = Plain(content) if isinstance(content, bytes) else content
        digest = content.sha256
        self.log.attempted.add(digest)
        while True:
            declared = {"name": name, "size": content.size, "sha256": digest, "chunk_size": chunk_size}
            state = self.ask("POST", "/api/files/upload/initiate", json=declared, expect=(200, 201)).json()
            state = self._send_missing(state, content, each)
            if state is not None and state["complete"]:
                self.log.complete[digest] = Acknowledged(state["id"], digest, content.size)
                return str(state["id"])

    def _send_missing(self, state: dict[str, Any], content: Content, each: Callable[[int], None]) -> Any:
        size = state["chunk_size"]
        for index in range(state["total_chunks"]):
            start = index * size
            end = min(start + size, content.size)
            if state["complete"] or any(low <= start and end <= high for low, high in state["received"]):
                continue
            piece = content.piece(start, end)
            headers = {
                "Content-Range": f"bytes {start}-{end - 1}/{content.size}",
                "X-Chunk-SHA256": hashlib.sha256(piece).hexdigest(),
            }
            answer = self.ask("PUT", f"/api/files/{state['upload_id']}/upload", content=piece, headers=headers)
            if answer.status_code in (404, 410):
                return None  # expired or deleted meanwhile: from the start
            assert answer.status_code == 200, answer.text[:300]
            state = answer.json()
            if not state["complete"]:
                self.log.chunks.append((state["id"], start, end))
                self._require_acknowledged(state)
            each(index)
        return state

    def _require_acknowledged(self, state: dict[str, Any]) -> None:
        """Note a chunk that was acknowledged before and is missing now."""
        for file_id, start, end in self.log.chunks:
            if file_id == state["id"] and not any(low <= start and end <= high for low, high in state["received"]):
                self.log.problems.append(f"{file_id}: bytes {start} to {end} were acknowledged and are not there")

    def delete(self, file_id: str) -> None:
        """Delete a file until that is acknowledged."""
        self.ask("DELETE", f"/api/files/{file_id}", expect=(204, 404))
        self.log.complete = {key: done for key, done in self.log.complete.items() if done.file_id != file_id}
        self.log.deleted.add(file_id)

    def status(self, file_id: str) -> str:
        """Return where a file stands."""
        return str(self.ask("GET", f"/api/files/{file_id}", expect=(200,)).json()["status"])

    def timeline(self, file_id: str) -> list[tuple[str, str]]:
        """Return code and message of all that happened to a file."""
        answer = self.ask("GET", f"/api/files/{file_id}/status", expect=(200,)).json()
        return [(event["code"], event["message"]) for event in answer["timeline"]]

    def lists_files(self) -> bool:
        """Say whether one request for the list is answered now. Raises httpx.TransportError."""
        answer = self._http.get("/api/files", timeout=5)
        if answer.status_code == 401:
            self._sign_in()
        return answer.status_code == 200

    def files(self) -> dict[str, dict[str, Any]]:
        """Return all files that the product shows to this user, by id."""
        found: dict[str, dict[str, Any]] = {}
        page = 1
        while True:
            answer = self.ask("GET", "/api/files", params={"page": page, "page_size": 200}, expect=(200,)).json()
            found |= {file["id"]: file for file in answer["results"]}
            if not answer["next"]:
                return found
            page += 1

    def digest_of_download(self, file_id: str) -> str:
        """Download a file and return the SHA-256 of what came."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                digest = hashlib.sha256()
                with self._http.stream("GET", f"/api/files/{file_id}/download") as answer:
                    if answer.status_code == 200:
                        for piece in answer.iter_bytes():
                            digest.update(piece)
                        return digest.hexdigest()
                    assert answer.status_code in _AGAIN, f"{file_id}: {answer.status_code}"
                self._sign_in()
            except httpx.TransportError:
                time.sleep(0.2)
            assert time.monotonic() < until, f"{file_id} cannot be downloaded"
