"""Whatever comes in: no error but our own, a type that is known, and no word lost on the way to the chunks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files.extraction.base import ExtractionError, Source
from files.extraction.detecting.signatures import SIGNATURES
from files.extraction.detection import detect
from files.extraction.document import Metadata, Piece
from files.extraction.limits import Limits
from files.extraction.media_types import BY_NAME
from files.extraction.reading import read_pieces
from files.extraction.registry import load, readers_of
from search.indexing.chunking import ChunkOptions, chunk_segments
from tests.files.extraction.contract import segments, text_of
from tests.files.extraction.documents import BUILDERS

ENDINGS = sorted({ending for known in BY_NAME.values() for ending in known.endings})
NAMES = st.text(max_size=20) | st.builds("{}.{}".format, st.text(max_size=8), st.sampled_from(ENDINGS))
STARTS = [magic for offset, magic, _ in SIGNATURES if offset == 0] + [
    b"<?xml version='1.0'?>", b"<html>", b"{", b"[", b"#!/bin/sh\n", b"From: a@b\n", b"---\n", b"\xff\xfe", b"\xfe\xff",
    b"\xef\xbb\xbf", b"BEGIN:VCALENDAR\n", b"WEBVTT\n", b"\\documentclass{a}\n", b"RIFF", b"\x00\x00\x00\x18ftyp",
]  # fmt: skip
BYTES = st.binary(max_size=3_000) | st.builds(bytes.__add__, st.sampled_from(STARTS), st.binary(max_size=600))
# Pieces of every markup, put together at random: what a reader of one format would never write itself.
SYNTAX = st.sampled_from(
    ["# ", "\n", "\n\n", "===\n", "---\n", "```\n", "| a | b |\n", "|---|\n", "- ", "  ", "\t", "{", "}", "[", "]",
     "<", ">", "</", "/>", "<a>", "</a>", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&x;", "<!DOCTYPE a [",
     "\\begin{tabular}{l}", "\\end{tabular}", "\\section{", "\\", "%", "$", "&", "@article{", "\"", "'", "\"\"\"",
     "def f(x):\n", "class A {\n", "/*", "*/", "//", ".. note::", "::\n\n", ":a: b\n", "+--+\n", "|===\n",
     "----\n", "* TODO ", "#+BEGIN_SRC\n", "#+END_SRC\n", "== a ==\n", "key: ", "[part]\n", "= 1\n",
     "1\n00:00:01,000 --> 00:00:02,000\n", "BEGIN:VEVENT\n", "END:VEVENT\n", "From: a\n",
     "Content-Type: multipart/mixed; boundary=x\n", "--x\n", ",", ";", "\u0000", "\u001b[1m", "\ufeff", "\u00e9",
     "\u4e2d", "\u202e", "\r", "\r\n", "\u0085", "\u2028", "true", "null", "1e999"]
)  # fmt: skip
MIXED = st.lists(SYNTAX | st.text(max_size=12), max_size=60).map("".join)
WORD = st.text(st.sampled_from("abcxyzABCéßñжя中文字한0123456789"), min_size=2, max_size=10).map("w{}".format)
PARAGRAPHS = st.lists(st.lists(WORD, min_size=1, max_size=12), min_size=1, max_size=8)
CODE = [name for name, known in BY_NAME.items() if known.kind == "code" and name.startswith("text/")]
FORMATS = sorted({media_type for media_type, _ in BUILDERS.values()})


class Words:
    """Four characters to a token."""

    def count_tokens(self, text: str) -> int:
        """Return the tokens of `text`."""
        return sum(-(-len(word) // 4) for word in re.findall(r"\w+|[^\w\s]", text))


def read_bytes(content: bytes, media_type: str, name: str = "a") -> list[Piece]:
    """Return the pieces of `content`; of the next reader where the first hands over."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        for reader in readers_of(media_type):
            refused = None
            try:
                return list(read_pieces(load(reader), Source(path, name, media_type), Limits()))
            except ExtractionError as error:
                refused = error
            assert refused.code != "extraction_failed", repr(refused.__cause__)
            if not refused.hands_over:
                break
        return []


def words_of(pieces: list[Piece]) -> set[str]:
    """Return the words of text and metadata."""
    facts = (str(value) for piece in pieces if isinstance(piece, Metadata) for value in piece.values.values())
    return set(re.findall(r"\w+", "\n".join([text_of(pieces), *facts])))


@given(BYTES | MIXED.map(lambda text: text.encode("utf-8", "surrogatepass")), NAMES)
def test_detection_always_gives_a_known_type(content: bytes, name: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        found = detect(path, name)
    assert found.media_type in BY_NAME
    assert found.kind == BY_NAME[found.media_type].kind


@pytest.mark.parametrize("media_type", FORMATS)
@given(BYTES | MIXED.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_a_text_format_reads_anything_or_refuses_it_with_a_code(media_type: str, content: bytes) -> None:
    for segment in segments(read_bytes(content, media_type)):
        assert segment.text.strip()
        segment.text.encode("utf-8")
        assert "\x00" not in segment.text


@pytest.mark.parametrize("kind", BUILDERS)
@given(PARAGRAPHS)
def test_every_word_of_a_document_comes_out(kind: str, paragraphs: list[list[str]]) -> None:
    media_type, build = BUILDERS[kind]
    pieces = read_bytes(build(paragraphs).encode(), media_type)
    wanted = {word for words in paragraphs for word in words}
    assert wanted <= words_of(pieces)
    chunks = chunk_segments(segments(pieces), ChunkOptions(), Words())
    assert set(re.findall(r"\w+", text_of(pieces))) <= set(_words_of_chunks(chunk.text for chunk in chunks))


@given(st.sampled_from(CODE), MIXED)
def test_code_of_any_language_keeps_every_word(media_type: str, text: str) -> None:
    text = "".join(char for char in text if char.isprintable() or char in "\n\t ")
    assert text_of(read_bytes(text.encode(), media_type)).split() == text.split()


@pytest.mark.parametrize("media_type", ["text/markdown", "text/x-mediawiki", "text/plain", "text/x-log"])
@given(MIXED)
def test_light_markup_keeps_every_word(media_type: str, text: str) -> None:
    text = "".join(char for char in text if char.isprintable() or char == "\n")
    assert set(re.findall(r"\w+", text)) <= words_of(read_bytes(text.encode(), media_type))


def _words_of_chunks(texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield from re.findall(r"\w+", text)
