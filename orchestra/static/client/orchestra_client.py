"""Uploads files to Orchestra and searches them: one module, the standard library alone. Copy it where you need it.

    curl -O http://127.0.0.1:8000/static/client/orchestra_client.py
    export ORCHESTRA_URL=http://127.0.0.1:8000 ORCHESTRA_KEY=orc_...
    python orchestra_client.py report.pdf "When was the pump replaced?"

How it is used from a program: docs/how-to/use-the-python-client.md. Every call: docs/api.md, or /docs on your server.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

_TRIES = 6
_AGAIN = (408, 429, 502, 503, 504)  # may go well later; and 409 while the first request with a key is not answered
_FINISHED = ("ready", "partial", "failed", "cancelled")


class ApiError(Exception):
    """What the server refused. `code` is stable (docs/reference/error-codes.md), `hint` says what to do."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(error.get("code", "unknown"))
        self.message = str(error.get("message", ""))
        self.hint = str(error.get("hint", ""))
        self.details: dict[str, Any] = dict(error.get("details") or {})
        super().__init__(f"{status} {self.code}: {self.message} {self.hint}".strip())


class FileFailed(Exception):
    """A file could not be read; the reason is the server's."""


class Orchestra:
    """One server, and the user whose API key it is. The key goes to this server alone: no redirect is followed."""

    def __init__(self, url: str, key: str, *, timeout: float = 120) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a server.")
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self._key = key
        self._timeout = timeout

    def upload(self, path: str | Path, *, tags: Iterable[str] = (), chunk_size: int = 0) -> str:
        """Send a file in chunks and return its id. Called again after a break it sends only what is missing.

        Each chunk and the whole are checked by SHA-256. Content that you have already is not sent. `chunk_size` is in
        bytes, 0 for the server's choice; a chunk is held in memory. Raises ApiError.
        """
        path = Path(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            asked = {"name": path.name, "size": path.stat().st_size, "sha256": digest, "tags": list(tags)}
            asked["chunk_size"] = chunk_size
            upload = self.call("POST", "/api/files/upload/initiate", asked)
            if not upload["complete"]:
                self._send_missing(file, upload)
        return str(upload["id"])

    def _send_missing(self, file: BinaryIO, upload: Mapping[str, Any]) -> None:
        size, step = upload["size"], upload["chunk_size"]
        for start in range(0, size, step):
            end = min(start + step, size)
            if any(low <= start and end <= high for low, high in upload["received"]):
                continue
            file.seek(start)
            chunk = file.read(end - start)
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Range": f"bytes {start}-{end - 1}/{size}",
                "X-Chunk-SHA256": hashlib.sha256(chunk).hexdigest(),
            }
            self._answer("PUT", f"/api/files/{upload['id']}/upload", chunk, headers)

    def wait(self, file_id: str, *, seconds: float = 600) -> dict[str, Any]:
        """Wait until a file was read, and return it. Raises FileFailed, TimeoutError, ApiError."""
        until = time.monotonic() + seconds
        pause = 0.2
        while True:
            file: dict[str, Any] = self.call("GET", f"/api/files/{file_id}/status")
            if file["status"] in ("ready", "partial"):
                return file
            if file["status"] in _FINISHED:
                raise FileFailed((file["error"] or {}).get("message") or f"The file is {file['status']}.")
            if time.monotonic() > until:
                raise TimeoutError(f"The file is {file['status']}: {file['situation']['message']}")
            time.sleep(pause)
            pause = min(2 * pause, 5)

    def files(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Yield your files, newest first; `status`, `kind`, `tag` and `name` narrow them."""
        address: str | None = f"/api/files?{urlencode(filters)}"
        while address:
            page = self.call("GET", address)
            yield from page["results"]
            following = urlsplit(page["next"] or "")
            address = f"/api/files?{following.query}" if page["next"] else None

    def search(self, query: str, *, mode: str = "basic", **more: Any) -> dict[str, Any]:
        """Search your files; the modes and what else may be sent: docs/api.md#search."""
        found: dict[str, Any] = self.call("POST", "/api/search", {"query": query, "mode": mode, **more})
        return found

    def stream(self, query: str, *, mode: str = "super_deep", **more: Any) -> Iterator[tuple[str, Any]]:
        """Yield (event, data) while the answer is made: `step`, `answer`, `citations`, and last `result`.

        Raises ApiError for what the server sends as `error`. Leaving the loop stops the work on the server.
        """
        body = json.dumps({"query": query, "mode": mode, **more}).encode()
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        with self._open("POST", "/api/search", body, headers) as response:
            for event, data in _events(response):
                if event == "error":
                    raise ApiError(response.status, data["error"])
                yield event, data

    def call(self, method: str, address: str, body: Any = None) -> Any:
        """Make any call of the API and return the JSON of its answer. Raises ApiError.

        What fails on the way is tried again. A POST carries an Idempotency-Key, so that it makes nothing twice.
        """
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        return self._answer(method, address, json.dumps(body).encode() if body is not None else b"", headers)

    def _answer(self, method: str, address: str, body: bytes, headers: Mapping[str, str]) -> Any:
        for attempt in range(1, _TRIES + 1):
            wait = min(2.0**attempt / 2, 15)
            try:
                with self._open(method, address, body, {"Accept": "application/json", **headers}) as response:
                    text = response.read()
                return json.loads(text) if text else None
            except ApiError as error:
                if attempt == _TRIES or not (error.status in _AGAIN or error.code == "idempotency_key_in_progress"):
                    raise
                wait = float(error.details.get("retry_after", wait))
            except (OSError, http.client.HTTPException):
                if attempt == _TRIES:
                    raise
            time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def _open(
        self, method: str, address: str, body: bytes, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request and give the answer while the block lasts. Raises ApiError for one that is no success."""
        connection = self._kind(self._host, self._port, timeout=self._timeout)
        try:
            named = {**headers, "Authorization": f"Api-Key {self._key}"}
            connection.request(method, f"{self._prefix}{address}", body, named)
            response = connection.getresponse()
            if not 200 <= response.status < 300:
                raise ApiError(response.status, _error_in(response.read()))
            yield response
        finally:
            connection.close()


def _error_in(body: bytes) -> dict[str, Any]:
    """Return the error of an answer; of one that is not the API's, as of a proxy, none."""
    for line in (body, *body.splitlines()):
        try:
            error: dict[str, Any] = json.loads(line.removeprefix(b"data: "))["error"]
        except (ValueError, KeyError, TypeError):
            continue
        return error
    return {}


def _events(lines: Iterable[bytes]) -> Iterator[tuple[str, Any]]:
    """Yield the events of a stream. Lines that begin with a colon are signs of life."""
    event, data = "", b""
    for line in lines:
        name, _, value = line.rstrip(b"\r\n").partition(b": ")
        if name == b"event":
            event = value.decode()
        elif name == b"data":
            data += value
        elif not line.strip() and data:
            yield event, json.loads(data)
            event, data = "", b""


def main(arguments: list[str]) -> int:
    """Upload the files that are named, wait until they are read, ask the last argument, and print what comes."""
    if len(arguments) < 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    server = Orchestra(os.environ["ORCHESTRA_URL"], os.environ["ORCHESTRA_KEY"])
    for path in arguments[:-1]:
        file = server.wait(server.upload(path))
        sys.stdout.write(f"{file['name']}: {file['status']}, {file['chunk_count']} passages\n")
    for event, data in server.stream(arguments[-1]):
        if event == "step":
            sys.stdout.write(f"- {data['asked']} ({data['found']} found)\n")
        elif event == "answer":
            sys.stdout.write(f"{data['text']}\n")
        elif event == "result":
            for hit in data["hits"]:
                sys.stdout.write(f"{hit['file']['name']} {hit['place']}: {hit['snippet']['text']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
