"""Blocks to Markdown, read back by the product's own reader of Markdown: nothing that was text becomes more."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from files.extraction.document import Piece, Segment, SegmentKind
from files.extraction.encoding import Line
from files.extraction.formats.markup.markdown_blocks import MarkdownBlocks
from integrations.sources.notion_markdown import Block, document, one_line, table
from integrations.sources.notion_properties import as_text, facts_of, title_of
from tests.notion_server import rich

SIGNS = st.text(alphabet=st.one_of(st.sampled_from("#`~|>-=+*_[]()\\\n\t :.1$"), st.characters()), max_size=60)
WORDS = st.text(alphabet="abc ", min_size=1, max_size=20).filter(lambda words: words.strip())
KINDS = ("paragraph", "toggle", "quote", "callout", "bulleted_list_item", "numbered_list_item", "to_do", "of tomorrow")
PROSE = st.recursive(
    st.builds(lambda kind, words: Block(kind, {"rich_text": rich(words)}), st.sampled_from(KINDS), SIGNS),
    lambda inner: st.builds(
        lambda kind, words, children: Block(kind, {"rich_text": rich(words)}, tuple(children)),
        st.sampled_from(KINDS),
        SIGNS,
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), SIGNS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=12), inner, max_size=3)),
    max_leaves=10,
)


def segments(words: str) -> list[Segment]:
    """Return what the product's reader makes of a Markdown text."""
    reader = MarkdownBlocks()
    found: list[Piece] = []
    for number, line in enumerate(words.split("\n"), 1):
        found += reader.take(Line(number, line))
    found += reader.end()
    return [piece for piece in found if isinstance(piece, Segment)]


def of_kind(words: str, kind: SegmentKind) -> list[str]:
    return [segment.text for segment in segments(words) if segment.kind is kind]


@given(st.lists(PROSE, max_size=6))
def test_text_makes_no_heading_and_no_code(blocks: list[Block]) -> None:
    words = document("Title", [], blocks)
    assert of_kind(words, SegmentKind.HEADING) == ["# Title"]
    assert of_kind(words, SegmentKind.CODE) == []


@given(st.lists(st.one_of(PROSE, st.builds(lambda words: Block("heading_2", {"rich_text": rich(words)}), WORDS))))
def test_headings_are_those_that_were_written(blocks: list[Block]) -> None:
    written = [one_line(block.data["rich_text"][0]["plain_text"]) for block in blocks if block.kind == "heading_2"]
    found = of_kind(document("Title", [], blocks), SegmentKind.HEADING)
    assert found[1:] == [f"### {words}" for words in written]


@given(st.text(alphabet=st.sampled_from("ab`~#| \n-="), max_size=80))
def test_code_is_one_block_and_says_what_was_written(code: str) -> None:
    block = Block("code", {"rich_text": rich(code), "language": "python"})
    after = Block("paragraph", {"rich_text": rich("after")})
    words = document("Title", [], [block, after])
    (found,) = of_kind(words, SegmentKind.CODE)
    fence, *lines, end = found.split("\n")
    assert re.fullmatch(r"`{3,}python", fence)
    assert end == fence.removesuffix("python")
    assert "\n".join(lines) == code.removesuffix("\n") or "\n".join(lines) == code
    assert segments(words)[-1].text == "after"


@given(st.lists(st.lists(SIGNS, min_size=1, max_size=5), min_size=2, max_size=5))
def test_a_table_has_its_rows_and_columns(rows: list[list[str]]) -> None:
    words = table(rows)
    lines = words.split("\n")
    width = max(map(len, rows))
    assert len(lines) == len(rows) + 1
    cells = [re.findall(r"(?:\\.|[^|\\])+", line.strip("|")) for line in (lines[0], *lines[2:])]
    assert all(line.startswith("|") and line.endswith("|") for line in lines)
    assert [len(row) for row in cells] == [width] * len(rows)
    assert len(segments("# T\n\n" + words)) == 2


@given(JSON)
def test_no_json_breaks_it(found: Any) -> None:
    kinds = ("paragraph", "code", "table", "child_page", "file", "bookmark", "equation", "to_do", "heading_1", "x")
    data = found if isinstance(found, dict) else {"rich_text": found, "cells": found, "external": found, "url": found}
    rows = (Block("table_row", {"cells": found}), Block("table_row", {"cells": [found]}))
    document("Title", [], [Block(kind, data, rows) for kind in kinds]).encode()
    page = {
        "properties": {"a": found, "b": {"type": "select", "select": found}, "c": {"type": "title", "title": found}}
    }
    assert isinstance(title_of(page), str)
    assert all(isinstance(value, str) for _, value in facts_of(page))
    assert isinstance(as_text({"type": "rollup", "rollup": {"type": "array", "array": found}}), str)


@given(SIGNS, SIGNS)
def test_a_link_leads_to_the_web_or_is_none(words: str, url: str) -> None:
    block = Block("paragraph", {"rich_text": [{"plain_text": words, "href": url}]})
    shown = document("Title", [], [block])
    assert "](" not in shown or "](" in words or "](http" in shown
    for address in ("javascript:alert(1)", "data:text/html,x", "//x", "https://a b", "https://a)b"):
        block = Block("bookmark", {"url": address, "caption": rich("words")})
        assert document("Title", [], [block]) == "# Title\n\nwords\n"


def test_signed_addresses_are_not_written_down() -> None:
    kept = {"type": "file", "file": {"url": "https://files.example.org/a?X-Amz-Signature=1"}, "name": "a.pdf"}
    words = document("Title", [], [Block("pdf", {**kept, "caption": rich("The plan")})])
    assert words == "# Title\n\na.pdf – The plan\n"
