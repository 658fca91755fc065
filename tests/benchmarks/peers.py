"""What the product's parts are compared with, bare and in a process of its own: `python -m tests.benchmarks.peers …`.

Prints seconds. Absolute figures change with what else the machine does; a ratio taken in the same minute does not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def seconds_of(peer: str, path: Path) -> float:
    """Run a peer over a file and return the seconds it took, start-up and loading not counted."""
    command = [sys.executable, "-m", "tests.benchmarks.peers", peer, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ})
    return float(done.stdout.split()[-1])


def _encode(path: Path) -> float:
    """Embed the texts of a JSON list with sentence-transformers, as its manual shows."""
    from search.indexing.embedders.sentence_transformers import SentenceTransformerEmbedder

    texts: Sequence[str] = json.loads(path.read_text())
    engine = SentenceTransformerEmbedder()
    engine.embed_passages(texts[:32])
    began = time.perf_counter()
    engine.embed_passages(texts)
    return time.perf_counter() - began


def _pdf_text(path: Path) -> float:
    """Read the text of every page with pypdfium2 and do nothing with it."""
    import pypdfium2

    began = time.perf_counter()
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            page.get_textpage().get_text_bounded()
    return time.perf_counter() - began


def _pdfplumber(path: Path) -> float:
    """Read the text of every page with pdfplumber."""
    import pdfplumber

    began = time.perf_counter()
    with pdfplumber.open(path) as document:
        for page in document.pages:
            page.extract_text()
            page.close()
    return time.perf_counter() - began


def _openpyxl(path: Path) -> float:
    """Read every row of every sheet with openpyxl's read-only mode."""
    import openpyxl

    began = time.perf_counter()
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    for sheet in book.worksheets:
        for _ in sheet.iter_rows(values_only=True):
            pass
    return time.perf_counter() - began


def _copy(path: Path) -> float:
    """Copy a file beside itself and force the copy to disk."""
    target = path.with_suffix(".copy")
    began = time.perf_counter()
    with path.open("rb") as source, target.open("wb") as copy:
        while piece := source.read(1024**2):
            copy.write(piece)
        copy.flush()
        os.fsync(copy.fileno())
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds


if __name__ == "__main__":
    _PEERS = {
        "encode": _encode,
        "pdf-text": _pdf_text,
        "pdf-pdfplumber": _pdfplumber,
        "openpyxl": _openpyxl,
        "copy": _copy,
    }
    sys.stdout.write(f"{_PEERS[sys.argv[1]](Path(sys.argv[2]))}\n")
