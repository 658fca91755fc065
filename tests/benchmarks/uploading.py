"""A client of the chunk API, as fast as the server lets it be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

CHUNK = 8 * 1024**2


def upload(
    client: httpx.Client, name: str, size: int, part: Callable[[int], bytes], at_a_time: int = 2
) -> dict[str, Any]:
    """Upload `size` bytes, given as a function of the chunk's index; return the last state of the upload."""
    body = {"name": name, "size": size, "sha256": digest(map(part, range(-(-size // CHUNK)))), "chunk_size": CHUNK}
    answer = client.post("/api/files/upload/initiate", json=body)
    assert answer.status_code == 201, answer.text
    state: dict[str, Any] = answer.json()

    def send(index: int) -> dict[str, Any]:
        content = part(index)
        start = index * CHUNK
        headers = {
            "Content-Range": f"bytes {start}-{start + len(content) - 1}/{size}",
            "Content-Type": "application/octet-stream",
        }
        sent = client.put(f"/api/files/{state['id']}/upload", content=content, headers=headers)
        assert sent.status_code == 200, sent.text
        return sent.json()  # type: ignore[no-any-return]

    with ThreadPoolExecutor(at_a_time) as threads:
        states = list(threads.map(send, range(state["total_chunks"])))
    return max(states, key=lambda each: (each["complete"], each["received_bytes"]))


def parts_of(content: bytes) -> Callable[[int], bytes]:
    """Return chunks of bytes in memory by their index."""
    return lambda index: content[index * CHUNK : (index + 1) * CHUNK]


def digest(parts: Iterable[bytes]) -> str:
    """Return the SHA-256 of parts in hex."""
    sum_ = hashlib.sha256()
    for part in parts:
        sum_.update(part)
    return sum_.hexdigest()
