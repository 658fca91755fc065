from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from files.extraction.base import Extractor
from files.extraction.errors import UnsupportedFormat
from files.extraction.media_types import BY_NAME
from files.extraction.registry import FORMATS, find, load

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("line", FORMATS, ids=lambda line: line.label or "encrypted")
def test_every_line_leads_to_an_extractor(line: object) -> None:
    for media_type in line.media_types:  # type: ignore[attr-defined]
        assert media_type in BY_NAME
    for reader in line.paths:  # type: ignore[attr-defined]
        assert isinstance(load(reader), Extractor)


def test_no_type_has_two_extractors() -> None:
    types = [media_type for line in FORMATS for media_type in line.media_types]
    assert len(types) == len(set(types))


@pytest.mark.parametrize(
    ("media_type", "named"),
    [("image/vnd.djvu", "DjVu scan"), ("application/x-hdf5", "HDF5 data"), ("font/sfnt", "font"), ("x/y", "x/y")],
)
def test_an_unknown_type_is_named_with_what_is_read(media_type: str, named: str) -> None:
    with pytest.raises(UnsupportedFormat) as raised:
        find(media_type)
    assert raised.value.code == "unsupported_format"
    assert named in raised.value.message
    assert "PDF" in raised.value.hint
    assert "Excel" in raised.value.hint


def test_the_registry_and_the_sandbox_import_no_reader() -> None:
    heavy = "lxml pypdfium2 pdfplumber openpyxl python_calamine charset_normalizer django"
    code = (
        "import sys, files.extraction.sandbox, files.extraction.detection; "
        f"print([m for m in '{heavy}'.split() if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
