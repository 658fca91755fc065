"""The drill: a product that works is backed up, is gone, and comes back from the backup in an empty state directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.environment import VAR
from tests.samples import pdf_of
from tests.stack import ROOT, Stack, running_stack, wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

CHUNK = 64 * 1024
DOCUMENTS = {
    "village.pdf": pdf_of(
        ["The harbour\nFishing boats leave before sunrise.", "The clinic\nA physician treats sick children."]
    ),
    "bakery.md": b"# The bakery\n\nThe dough rests overnight. Loaves go into the oven at four in the morning.",
    "engines.txt": b"A diesel engine ignites its fuel by compression. The piston moves in the cylinder. " * 40,
    "tea.txt": "Grüner Tee zieht bei achtzig Grad. Schwarzer Tee braucht kochendes Wasser.".encode(),
    "numbers.csv": b"town,boats\nArendal,12\nBergen,40\n",
    "old.txt": b"This one is deleted before the backup, and restored after it.",
}
QUESTIONS = ("doctor who looks after ill kids", "when does baking begin", "how diesel works", "Tee", "boats in Bergen")


def _upload(client: httpx.Client, name: str, content: bytes) -> str:
    answer = client.post("/api/files/upload", files={"file": (name, BytesIO(content))})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _all_read(client: httpx.Client, count: int) -> Any:
    return client.get("/api/files").json()["counts"] == {"ready": count}


def _seen(client: httpx.Client, ids: dict[str, str]) -> dict[str, Any]:
    """Return everything that a user can see of files and searches, but for times that pass."""
    files = {}
    for name, file_id in ids.items():
        shown = client.get(f"/api/files/{file_id}").json()
        bytes_ = client.get(f"/api/files/{file_id}/download").content
        text = client.get(f"/api/files/{file_id}/content", params={"format": "text"}).text
        files[name] = (shown, hashlib.sha256(bytes_).hexdigest(), text)
    hits = {}
    for question in QUESTIONS:
        filters = {"files": list(ids.values())}
        found = client.post("/api/search", json={"query": question, "limit": 50, "filters": filters}).json()
        hits[question] = found["hits"]
    trash = [(file["id"], file["sha256"]) for file in client.get("/api/files/trash").json()["results"]]
    return {"files": files, "hits": hits, "trash": trash}


@contextmanager
def _uploading(client: httpx.Client) -> Iterator[list[bool]]:
    """Send the chunks of a file while the block lasts; give a list that says whether it was complete before the end."""
    content = b"A long book, line by line, without an end.\n" * 600_000
    body = {"name": "book.txt", "size": len(content), "chunk_size": CHUNK}
    upload = client.post("/api/files/upload/initiate", json=body).json()
    stop, complete = threading.Event(), [False]

    def send() -> None:
        for start in range(0, len(content), CHUNK):
            if stop.is_set():
                return
            part = content[start : start + CHUNK]
            headers = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}"}
            answer = client.put(f"/api/files/{upload['id']}/upload", content=part, headers=headers)
            complete[0] = bool(answer.json()["complete"])
            stop.wait(0.4)  # a slow line: the upload is to last as long as the backup

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield complete
    finally:
        stop.set()
        thread.join(60)


def _restored(name: str, folder: Path) -> str:
    """Restore into an empty state directory, where nothing runs, and return what the command said."""
    state = VAR / f"test-{name}"
    shutil.rmtree(state, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "manage.py", "restore", str(folder)],
        cwd=ROOT, env={**os.environ, "STATE_DIR": str(state)}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_was_there_is_there_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "backups"
    with running_stack("drill", PORT="24010") as stack:
        client = stack.client("keeper")
        ids = {name: _upload(client, name, content) for name, content in DOCUMENTS.items()}
        wait_for("all files to be read", lambda: _all_read(client, len(ids)), 180, 0.5)
        trashed = ids.pop("old.txt")
        assert client.delete(f"/api/files/{trashed}").status_code == 204
        with _uploading(client):
            _killed_half_way(stack, folder, monkeypatch)
            done = stack.manage("backup", str(folder), timeout=300)
            assert done.returncode == 0, done.stdout + done.stderr
        expected = _seen(client, ids)
        assert all(expected["hits"].values())
        assert stack.manage("restore", str(folder)).returncode == 1, "not into a product that runs"

    verified = stack.manage("backup", "--verify", str(folder))
    assert "is whole: 6 files" in verified.stdout, verified.stdout + verified.stderr
    assert "6 files copied" in _restored("drill-restored", folder)

    with running_stack("drill-restored", fresh=False, PORT="24020") as stack:
        client = stack.client("keeper")
        assert _seen(client, ids) == expected
        assert client.get("/api/files").json()["counts"] == {"ready": len(ids)}, "nothing of the upload under way"
        assert client.post(f"/api/files/trash/{trashed}/restore").status_code == 200
        found = client.post("/api/search", json={"query": "deleted before the backup"}).json()["hits"]
        assert found[0]["file"]["id"] == trashed
        new = _upload(client, "new.txt", b"After the restore the work goes on: a zeppelin lands.")
        wait_for("a new file to be read", lambda: client.get(f"/api/files/{new}").json()["status"] == "ready", 90, 0.5)
        assert client.post("/api/search", json={"query": "zeppelin"}).json()["hits"][0]["file"]["id"] == new


def _killed_half_way(stack: Stack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILPOINTS", "backup.copied=kill:3")
    assert stack.manage("backup", str(folder), timeout=300).returncode == -9
    monkeypatch.delenv("FAILPOINTS")
