"""Real files, where they are at hand: at least as many pass as in the best of the products they were scored on."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from files.extraction.base import ExtractionError, Source
from files.extraction.detection import detect
from files.extraction.document import Piece
from files.extraction.sandbox import extract_in_sandbox
from tests.files.extraction.contract import facts, text_of, warnings_of

CORPUS = Path(__file__).resolve().parents[3] / "../shared/corpus"
FLOOR = {
    "pdf": 27,
    "docx": 14,
    "pptx": 5,
    "odt": 3,
    "ods": 2,
    "odp": 1,
    "epub": 3,
    "xlsx": 12,
    "html": 11,
    "md": 3,
    "ipynb": 3,
    "xml": 5,
    "txt": 11,
    "csv": 7,
    "tsv": 1,
    "json": 5,
    "log": 1,
    "code": 13,
    "rst": 2,
    "latex": 3,
    "ini": 1,
    "toml": 1,
    "yaml": 2,
    "srt": 1,
    "vtt": 2,
    "7z": 3,
    "gz": 2,
    "parquet": 3,
    "rar": 2,
    "sqlite": 1,
    "tar": 3,
    "zip": 5,
    "doc": 4,
    "ppt": 2,
    "xls": 3,
    "rtf": 5,
    "eml": 6,
    "msg": 3,
    "mbox": 2,
    "jpg": 6,
    "png": 2,
    "gif": 1,
    "bmp": 1,
    "webp": 1,
    "tiff": 1,
    "heic": 1,
    "svg": 2,
    "mp3": 4,
    "wav": 2,
    "flac": 2,
    "ogg": 1,
    "opus": 1,
    "m4a": 2,
    "mp4": 2,
    "mov": 1,
    "avi": 1,
    "mkv": 1,
    "webm": 1,
}

pytestmark = pytest.mark.skipif(not (CORPUS / "score.py").exists(), reason="the shared corpus is not here")


@pytest.mark.parametrize("kind", FLOOR)
def test_reads_at_least_as_many_real_files_as_before(kind: str) -> None:
    entries = [entry for entry in manifest() if entry["type"] == kind]
    results = {entry["path"]: _read(CORPUS / "files" / entry["path"]) for entry in entries}
    report = scorer().score(entries, results)
    failed = {path: file["missing"] for path, file in report["files"].items() if not file["pass"]}
    assert report["table"][kind]["passed"] >= FLOOR[kind], failed


def manifest() -> list[dict[str, Any]]:
    manifest = json.loads((CORPUS / "files/manifest.json").read_text())
    entries: list[dict[str, Any]] = manifest["files"] if isinstance(manifest, dict) else manifest
    return entries


def scorer() -> Any:
    spec = importlib.util.spec_from_file_location("score", CORPUS / "score.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _read(path: Path) -> dict[str, object]:
    try:
        pieces = list(extract_in_sandbox(Source(path, path.name, detect(path).media_type)))
    except ExtractionError as error:
        status = {"encrypted": "encrypted", "empty_file": "empty"}.get(error.code, "error")
        return {"text": "", "metadata": {}, "status": status, "error": error.code}
    return {"text": text_of(pieces), "metadata": facts(pieces), "status": _status(pieces)}


def _status(pieces: list[Piece]) -> str:
    codes = warnings_of(pieces)
    if not text_of(pieces):
        return "needs_ocr" if "needs_ocr" in codes else "empty"
    return "partial" if codes else "ok"
