"""A thousand small files of many kinds: the worker's parent must not grow. `MEMORY_FILES=100` measures less."""

from __future__ import annotations

import json
import os
import time
from io import BytesIO

import httpx
import pytest

from tests.benchmarks.memory import MB
from tests.benchmarks.recording import record
from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

FILES = int(os.environ.get("MEMORY_FILES", "1000"))
_WARM = 40  # files before the first look: what is loaded once is no growth


def _content(number: int) -> tuple[str, bytes]:
    text = f"Entry {number}: the harbour of town {number % 17} opens before sunrise."
    kinds = {
        "txt": text,
        "md": f"# Entry {number}\n\n{text}\n\n- one\n- two\n",
        "html": f"<html><body><h1>Entry {number}</h1><p>{text}</p></body></html>",
        "csv": f"town {number},hour\n" + "\n".join(f"{n},{n % 24}" for n in range(number % 50 + 2)),
        "json": json.dumps({"entry": number, "text": text}),
        "py": f"def entry_{number}() -> str:\n    return {text!r}\n",
        "eml": f"From: a@example.org\nTo: b@example.org\nSubject: Entry {number}\n\n{text}\n",
        "pdf": "%PDF-1.7 and nothing more " + text,  # fails: the way of failing must not leak either
    }
    suffix = list(kinds)[number % len(kinds)]
    return f"entry-{number}.{suffix}", kinds[suffix].encode()


def _read(client: httpx.Client, numbers: range) -> None:
    for number in numbers:
        name, content = _content(number)
        assert client.post("/api/files/upload", files={"file": (name, BytesIO(content))}).status_code == 201

    def settled() -> bool:
        counts = client.get("/api/files", params={"page_size": 1}).json()["counts"]
        return not counts.get("queued") and not counts.get("processing")

    wait_for("all files to be read", settled, 3000, 1)


def test_the_workers_parent_does_not_grow(product: Stack, load: float) -> None:
    client = product.client("memory")
    key = client.post("/api/auth/keys", json={"name": "benchmark"}).json()["key"]
    client.headers["Authorization"] = f"Api-Key {key}"
    _read(client, range(_WARM))
    parent = next(process for process in product.processes("celery_app") if "worker" in process.cmdline())
    before, began = parent.memory_info().rss, time.monotonic()
    _read(client, range(_WARM, _WARM + FILES))
    growth = (parent.memory_info().rss - before) / MB
    children = [child.memory_info().rss / MB for child in parent.children()]
    figures: dict[str, str | float] = {
        "files": FILES,
        "files/s": FILES / (time.monotonic() - began),
        "parent MB": before / MB,
        "parent's growth MB": growth,
        "largest child MB": max(children),
    }
    record("reliability", f"worker's parent over {FILES} small files", figures, load)
    assert parent.is_running()
    assert growth <= 5
