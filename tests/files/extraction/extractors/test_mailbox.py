from __future__ import annotations

from pathlib import Path

from files.extraction.base import Source
from files.extraction.limits import Limits
from files.extraction.reading import read_pieces
from files.extraction.registry import find
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.samples import write

MBOX = "application/mbox"
SAMPLE = b"""From a@example.org Mon Feb  2 10:00:00 2026
From: a@example.org
Subject: First

The quick brown fox.
>From here on it is quoted.
From now on, a line of prose.

From b@example.org Tue Feb  3 10:00:00 2026
From: b@example.org
Subject: Second
Content-Type: multipart/mixed; boundary="b"

--b

Words.
--b
Content-Type: text/plain; name="notes.txt"

Attached.
--b--
"""


class TestMailbox(ExtractorContract):
    media_type = MBOX
    ending = "mbox"
    sample = SAMPLE
    says = "The quick brown fox."


def test_each_message_is_a_part_of_the_file(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "a.mbox", SAMPLE), MBOX)
    assert list(dict.fromkeys(s.place.part for s in segments(pieces))) == [("1: First",), ("2: Second",)]
    assert (facts(pieces)["message_count"], facts(pieces)["attachment_count"]) == (2, 1)


def test_lines_that_begin_like_a_separator_stay_text(tmp_path: Path) -> None:
    text = text_of(read(write(tmp_path / "a.mbox", SAMPLE), MBOX))
    assert "\nFrom here on it is quoted.\nFrom now on, a line of prose." in text


def test_an_attachment_stands_in_its_message(tmp_path: Path) -> None:
    source = Source(write(tmp_path / "a.mbox", SAMPLE), "a.mbox", MBOX, scratch=tmp_path)
    found = segments(list(read_pieces(find(MBOX), source, Limits())))[-1]
    assert (found.text, found.place.part) == ("Attached.", ("2: Second", "notes.txt"))


def test_many_empty_messages_are_counted(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "a.mbox", b"From x\n" * 50_000), MBOX)
    assert facts(pieces)["message_count"] == 50_000
