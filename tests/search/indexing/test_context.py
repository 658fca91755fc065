from __future__ import annotations

import pytest

from files.extraction.document import Place
from search.indexing.chunking import Chunk
from search.indexing.context import title_of, with_context


def count(text: str) -> int:
    return len(text.split())


def chunk(text: str, *headings: str) -> Chunk:
    return Chunk(3, text, Place(headings=headings), count(text))


def test_title_and_headings_come_before_the_passage() -> None:
    assert (
        with_context(chunk("Boil it.", "Tea", "Black"), "Cook book", 50, count) == "Cook book\nTea\nBlack\n\nBoil it."
    )


def test_what_the_passage_begins_with_is_not_said_twice() -> None:
    assert with_context(chunk("# Tea\n\nBoil it.", "Tea"), "Tea", 50, count) == "# Tea\n\nBoil it."


def test_the_passage_is_never_cut_for_its_context() -> None:
    long = "word " * 48
    assert with_context(chunk(long, "Tea"), "A cook book", 50, count) == long, "no room for the title"
    assert with_context(chunk(long, "Tea time for two"), "Book", 50, count) == f"Book\n\n{long}"
    assert with_context(chunk("word " * 50), "Book", 50, count) == "word " * 50


@pytest.mark.parametrize(
    ("metadata", "name", "beginning", "title"),
    [
        ({"title": " On \n Tea "}, "a.pdf", "x", "On Tea"),
        ({"title": None}, "a.txt", "On tea\n\nIt is boiled.", "On tea"),
        ({}, "annual_report-2023.pdf", "Running text " * 40, "annual report 2023"),
        ({}, "scan0001.pdf", "Running text " * 40, ""),
        ({"title": ["odd"]}, "a.txt", "", "['odd']"),
    ],
)
def test_titles(metadata: dict[str, object], name: str, beginning: str, title: str) -> None:
    assert title_of(metadata, name, beginning) == title
