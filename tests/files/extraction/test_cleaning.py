from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.extraction.cleaning import SEGMENT_CHARS, clean_piece, clean_text, split_text
from files.extraction.document import Metadata, Place, Segment


@settings(deadline=None)  # the machine may be busy
@given(st.text(st.characters(), max_size=300))
def test_what_comes_out_can_be_stored(text: str) -> None:
    clean = clean_text(text)
    clean.encode("utf-8")
    assert not [char for char in clean if char < " " and char not in "\t\n"]


def test_a_pair_of_surrogates_is_its_character() -> None:
    assert clean_text("\ud83d\ude00 \ud83d") == "😀 \ufffd"


@settings(deadline=None)  # the machine may be busy
@given(st.text("ab \n", max_size=400), st.integers(5, 50))
def test_splitting_loses_no_word_and_keeps_to_the_limit(text: str, limit: int) -> None:
    parts = list(split_text(text, limit))
    assert "".join("".join(part.split()) for part in parts) == "".join(text.split())
    assert all(len(part) <= limit for part in parts)


def test_an_oversized_segment_comes_in_parts_and_an_empty_one_not_at_all() -> None:
    assert len(list(clean_piece(Segment("x" * (2 * SEGMENT_CHARS + 1))))) == 3
    assert not list(clean_piece(Segment(" \x00\n")))


def test_metadata_is_bounded_and_clean() -> None:
    (piece,) = clean_piece(Metadata({"title": "a\x00b" + "x" * 9000, "names": ["\ud800"], "count": 3}))
    assert isinstance(piece, Metadata)
    assert piece.values["names"] == ["\ufffd"]
    assert len(str(piece.values["title"])) == 2000


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_to_the_database_is_left_out(number: float) -> None:
    (facts,) = clean_piece(Metadata({"duration": number, "sizes": [number, 1.5]}))
    assert facts == Metadata({"duration": None, "sizes": [None, 1.5]})
    (segment,) = clean_piece(Segment("said", place=Place(second=number)))
    assert segment == Segment("said")
