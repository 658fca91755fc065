"""Real files through the whole product: taken in by the command, read by the worker, scored on what the API gives."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.files.extraction.test_corpus import CORPUS, FLOOR, manifest, scorer
from tests.stack import Stack

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not (CORPUS / "score.py").exists(), reason="the shared corpus is not here"),
]

_REFUSED = {"encrypted": "encrypted", "empty_file": "empty", "no_text": "empty"}


def test_the_corpus_taken_in_by_command_passes_its_scorer(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    entries = [entry for entry in manifest() if entry["type"] in FLOOR]
    client = stack.client("librarian")
    paths = {entry["path"]: str(CORPUS / "files" / entry["path"]) for entry in entries}
    files = _ingest(stack, list(paths.values()))
    results = {name: _as_result(client, files[path]) for name, path in paths.items()}
    table = scorer().score(entries, results)["table"]
    with capsys.disabled():
        passed = " ".join(f"{kind} {table[kind]['passed']}/{table[kind]['files']}" for kind in FLOOR)
        print(f"\ncorpus by `manage.py ingest`: {table['TOTAL']['passed']}/{table['TOTAL']['files']} pass ({passed})")  # noqa: T201 - the count is the point of the run
    short = {kind: table[kind]["passed"] for kind, floor in FLOOR.items() if table[kind]["passed"] < floor}
    assert short == {}


def _ingest(stack: Stack, paths: list[str]) -> dict[str, str]:
    done = stack.manage("ingest", *paths, "--user", "librarian", "--json", timeout=380)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == len(paths), done.stderr
    assert {row["status"] for row in rows} <= {"ready", "partial", "failed"}
    return {row["path"]: row["id"] for row in rows}


def _as_result(client: httpx.Client, file_id: str) -> dict[str, Any]:
    status = client.get(f"/api/files/{file_id}/status").json()
    text = client.get(f"/api/files/{file_id}/content", params={"format": "text"}).text
    metadata = client.get(f"/api/files/{file_id}/content").json()["metadata"]
    codes = {warning["code"] for warning in status["warnings"]}
    if status["error"]:
        outcome = _REFUSED.get(status["error"]["code"], "error")
    elif not text.strip():
        outcome = "needs_ocr" if "needs_ocr" in codes else "empty"
    else:
        outcome = "partial" if codes else "ok"
    return {"text": text, "metadata": metadata, "status": outcome}
