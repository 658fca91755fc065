from __future__ import annotations

from pathlib import Path

import pytest

from tests.files.extraction import samples
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of

SRT, VTT, SSA, SBV = "application/x-subrip", "text/vtt", "text/x-ssa", "text/x-sbv"


class TestSubRip(ExtractorContract):
    media_type = SRT
    ending = "srt"
    sample = (
        b"1\n00:00:01,000 --> 00:00:02,500\n{\\an8}The <i>harbour</i> is\nopen.\n\n"
        b"2\n00:00:03,000 --> 00:00:04,000\nSee &amp; be seen, 3 < 4\n\n3\n00:05:00,000 --> 00:05:01,250\nLater.\n"
    )
    says = "The harbour is\nopen."

    def test_passages_stand_at_the_second_of_their_first_cue(self, path: Path) -> None:
        found = segments(read(path, SRT))
        assert [segment.place.second for segment in found] == [1.0, 300.0]
        assert (found[0].place.line, found[0].place.line_end) == (2, 8)

    def test_counts_cues_and_tells_the_duration(self, path: Path) -> None:
        found = facts(read(path, SRT))
        assert (found["cue_count"], found["duration"]) == (3, 301.25)

    def test_markup_is_gone_and_signs_stay(self, path: Path) -> None:
        assert "See & be seen, 3 < 4" in text_of(read(path, SRT))


class TestWebVtt(ExtractorContract):
    media_type = VTT
    ending = "vtt"
    sample = (
        b"WEBVTT - made by hand\nLanguage: sv\n\nNOTE nobody sees this\n\nSTYLE\n::cue { color: red }\n\n"
        b"intro\n00:01.000 --> 00:02.000 align:start\n<v Anna>Welcome to the <b.loud>harbour</b>\n\n"
        b"01:00:00.000 --> 01:00:01.000\n<00:00:01.000>Goodbye\n"
    )
    says = "Anna: Welcome to the harbour"

    def test_notes_styles_and_names_of_cues_are_left_out(self, path: Path) -> None:
        assert text_of(read(path, VTT)) == "Anna: Welcome to the harbour\nGoodbye"

    def test_tells_language_and_duration(self, path: Path) -> None:
        found = facts(read(path, VTT))
        assert (found["language"], found["duration"], found["cue_count"]) == ("sv", 3601.0, 2)


class TestSubStationAlpha(ExtractorContract):
    media_type = SSA
    ending = "ass"
    sample = (
        b"[Script Info]\nTitle: x\n\n[V4+ Styles]\nFormat: Name, Fontname\nStyle: Default,Arial\n\n[Events]\n"
        b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        b"Dialogue: 0,0:00:01.50,0:00:03.00,Default,Anna,0,0,0,,{\\i1}Hello{\\i0},\\Nharbour\n"
        b"Comment: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,unseen\n"
        b"Dialogue: 0,0:00:04.00,0:00:05.00,Default,,0,0,0,,{\\p1}m 0 0 l 1 1\n"
    )
    says = "Anna: Hello,\nharbour"

    def test_drawings_and_comments_are_left_out(self, path: Path) -> None:
        assert text_of(read(path, SSA)) == "Anna: Hello,\nharbour"
        assert segments(read(path, SSA))[0].place.second == 1.5


def test_reads_sbv(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "x.sbv", "0:00:01.000,0:00:02.000\nHarbour\n\n0:00:03.000,0:00:04.000\nSea\n")
    assert text_of(read(path, SBV)) == "Harbour\nSea"


def test_the_language_may_stand_in_the_name(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "film.de.srt", "1\n00:00:01,000 --> 00:00:02,000\nHafen\n")
    assert facts(read(path, SRT))["language"] == "de"


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n \n"])
def test_text_after_an_empty_line_stays_with_its_cue(gap: str, tmp_path: Path) -> None:
    text = f"1\n00:00:01,000 --> 00:00:02,000\nfirst{gap}second\n\n2\n00:00:03,000 --> 00:00:04,000\nthird"
    assert text_of(read(samples.write(tmp_path / "x.srt", text), SRT)) == "first\nsecond\nthird"


def test_cues_without_empty_lines_between_are_told_apart(tmp_path: Path) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nfirst\n2\n00:00:03,000 --> 00:00:04,000\nsecond"
    pieces = read(samples.write(tmp_path / "x.srt", text), SRT)
    assert text_of(pieces) == "first\nsecond"
    assert facts(pieces)["cue_count"] == 2


def test_text_without_any_times_is_not_lost(tmp_path: Path) -> None:
    assert text_of(read(samples.write(tmp_path / "x.srt", "Only words,\n\nno times"), SRT)) == "Only words,\nno times"
