from __future__ import annotations

import re
from pathlib import Path

import pytest

from files.extraction.detection import detect
from files.extraction.document import SegmentKind
from files.extraction.formats.code import grammars
from files.extraction.formats.code.code_definitions import FUNCTION, Definition, passages
from files.extraction.formats.code.code_scanner import scan
from search.indexing.chunking import Chunk, ChunkOptions, chunk_segments
from tests.files.extraction.code_samples import LANGUAGES, CodeSample
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.samples import write

PYTHON = '''#!/usr/bin/env python3
"""Tides of the harbour.

Measured by hand.
"""

import os.path as p, sys
from collections.abc import Iterator
from .ropes import knot

LIMIT = 3


@cached(
    size=3,
)
def tide(hour: int) -> float:
    """Return the height."""
    def inner():
        return hour
    return inner() * 0.5


class Boat(Base):
    """A boat."""

    length = 3

    def moor(self, quay):
        # tie it
        return quay

    async def leave(self):
        await self.quay
'''


class TestSourceCode(ExtractorContract):
    media_type = "text/x-python"
    ending = "py"
    sample = PYTHON.encode()
    says = "    async def leave(self):\n        await self.quay"

    def test_says_what_is_defined_and_imported(self, path: Path) -> None:
        found = facts(read(path, self.media_type))
        assert found["language"] == "Python"
        assert found["functions"] == ["tide", "inner", "moor", "leave"]
        assert found["classes"] == ["Boat"]
        assert found["imports"] == ["os.path", "sys", "collections.abc", ".ropes"]
        assert found["description"] == "Tides of the harbour.\n\nMeasured by hand."
        assert found["line_count"] == len(PYTHON.splitlines())

    def test_every_line_is_kept_as_it_is(self, path: Path) -> None:
        found = segments(read(path, self.media_type))
        assert {segment.kind for segment in found} == {SegmentKind.CODE}
        written = PYTHON.splitlines()
        for segment in found:
            assert segment.place.line
            assert segment.text.split("\n") == written[segment.place.line - 1 : segment.place.line_end]
        assert text_of(read(path, self.media_type)).split() == PYTHON.split()


@pytest.mark.parametrize("sample", LANGUAGES, ids=lambda sample: sample.name)
def test_a_language_is_known_with_what_it_defines(tmp_path: Path, sample: CodeSample) -> None:
    path = write(tmp_path / sample.name, sample.code)
    pieces = read(path, detect(path).media_type)
    found = facts(pieces)
    assert found["language"] == sample.language
    assert found.get("functions") == sample.functions
    assert found.get("classes") == sample.classes
    assert found.get("imports") == sample.imports
    assert text_of(pieces).split() == sample.code.split()


@pytest.mark.parametrize("sample", LANGUAGES, ids=lambda sample: sample.name)
def test_without_a_grammar_the_lines_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: CodeSample) -> None:
    monkeypatch.setattr(grammars, "_GRAMMARS", {})
    path = write(tmp_path / sample.name, sample.code)
    pieces = read(path, detect(path).media_type)
    assert facts(pieces)["language"] == sample.language
    assert facts(pieces).get("imports") == sample.imports
    assert text_of(pieces).split() == sample.code.split()


def test_the_parser_is_stopped_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grammars, "_SECONDS", -1.0)
    path = write(tmp_path / "a.py", "def tide():\n    pass\n" * 30_000)
    assert facts(read(path, "text/x-python"))["functions"] == ["tide"]


def test_broken_code_still_tells_its_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", "def tide(:\n    return (\n\nclass Boat\n    def moor(self)\n")
    found = facts(read(path, "text/x-python"))
    assert {"tide", "moor"} <= set(found["functions"])  # type: ignore[call-overload]
    assert found["classes"] == ["Boat"]


def test_a_licence_is_no_description(tmp_path: Path) -> None:
    code = "/*\n * Copyright 2020 A. Writer\n * All rights reserved.\n */\n\n/*\n * Counts boats.\n */\nint x;\n"
    assert facts(read(write(tmp_path / "a.c", code), "text/x-c"))["description"] == "Counts boats."


def test_a_file_above_the_bound_streams_by_whole(tmp_path: Path) -> None:
    line = "INSERT INTO boats VALUES (1, 'a long enough name');\n"
    path = write(tmp_path / "dump.sql", line * 200_000)
    pieces = read(path, "text/x-sql")
    assert facts(pieces)["line_count"] == 200_000
    assert sum(segment.text.count("INSERT") for segment in segments(pieces)) == 200_000


class Words:
    def count_tokens(self, text: str) -> int:
        return sum(-(-len(word) // 4) for word in re.findall(r"\w+|[^\w\s]", text))


def chunks(tmp_path: Path, code: str) -> list[Chunk]:
    path = write(tmp_path / "a.py", code)
    return list(chunk_segments(segments(read(path, "text/x-python")), ChunkOptions(), Words()))


def function(name: str, lines: int, indent: str = "") -> str:
    return (
        f"{indent}def {name}(self):\n" + "".join(f"{indent}    value_{n} = compute({n})\n" for n in range(lines)) + "\n"
    )


def test_chunks_are_cut_at_definitions(tmp_path: Path) -> None:
    methods = function("moor", 20, "    ") + function("leave", 20, "    ")
    found = chunks(tmp_path, "import os\n\n" + function("one", 20) + "class Boat:\n" + methods)
    assert [chunk.place.headings for chunk in found] == [("one",), ("Boat", "moor"), ("Boat", "leave")]
    assert [chunk.text.split("(")[0] for chunk in found] == [
        "import os\n\ndef one",
        "class Boat:\n    def moor",
        "def leave",
    ]


def test_tiny_definitions_share_a_chunk(tmp_path: Path) -> None:
    code = "".join(f"def get_{n}():\n    return {n}\n\n\n" for n in range(40))
    found = chunks(tmp_path, code)
    assert len(found) <= 4
    assert all(len(chunk.text) > 250 for chunk in found[:-1])


def test_a_long_function_is_cut_at_an_empty_line(tmp_path: Path) -> None:
    body = "".join(f"    step_{n} = compute({n})\n" + ("\n" if n % 8 == 7 else "") for n in range(120))
    found = chunks(tmp_path, "def long():\n" + body)
    assert len(found) > 4
    assert {chunk.place.headings for chunk in found} == {("long",)}
    lasts = [int(chunk.text.rpartition("(")[2].rstrip(")")) for chunk in found[:-1]]
    assert all(last % 8 == 7 for last in lasts)


def test_passages_cover_every_line_whatever_the_definitions_are() -> None:
    lines = [f"line {n} " + "x" * (n % 7) * 60 for n in range(1, 60)]
    odd = [Definition(FUNCTION, "a", 5, 300), Definition(FUNCTION, "b", 5, 6), Definition(FUNCTION, "c", 4, 2),
           Definition(FUNCTION, "d", 30, 31), Definition(FUNCTION, "e", 29, 40)]  # fmt: skip
    covered = [n for passage in passages(lines, odd) for n in range(passage.first, passage.last + 1)]
    assert covered == list(range(1, 60))


def test_a_scan_of_many_definitions_is_linear() -> None:
    assert len(scan("text/x-python", ["def a():", "    pass"] * 100_000)) == 10_000
