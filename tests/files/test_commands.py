"""`manage.py extract` and `list_extractors`."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from files.extraction.registry import FORMATS
from tests.samples import pdf_of


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_extract_prints_what_would_be_stored(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf_of(["The harbour opens at six."]))

    shown = json.loads(run("extract", str(path), "--json"))

    assert (shown["media_type"], shown["reader"]) == ("application/pdf", "pdf")
    assert shown["metadata"]["coverage"] == {"unit": "pages", "done": 1, "total": 1}
    assert shown["segments"][0]["place"]["page"] == 1
    assert "The harbour opens at six." in shown["segments"][0]["text"]


def test_extract_shows_a_person_text_place_and_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a [bold] name.md"
    path.write_text("# Title\n\nSome [red]text[/red].\n")

    run("extract", str(path))

    shown = capsys.readouterr().out
    assert "Some [red]text[/red]." in shown
    assert "Read by markdown" in shown


def test_extract_of_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    path = tmp_path / "empty.pdf"
    path.write_bytes(b"")

    with pytest.raises(CommandError, match="empty_file: This file is empty"):
        run("extract", str(path))
    with pytest.raises(CommandError, match="There is no file"):
        run("extract", str(tmp_path / "missing"))


def test_list_extractors_names_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    listed = [json.loads(line) for line in run("list_extractors", "--json").splitlines()]

    assert [line["label"] for line in listed] == [line.label for line in FORMATS if line.label]
    assert all(line["endings"] and line["readers"] for line in listed)
    run("list_extractors")
    assert "PDF" in capsys.readouterr().out
