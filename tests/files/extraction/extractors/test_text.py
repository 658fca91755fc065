from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.samples import write

PLAIN = "text/plain"
PROSE = "\n\n".join(f"Paragraph {at} tells of ships.\nIts second line too." for at in range(200))


class TestTextExtractor(ExtractorContract):
    media_type = PLAIN
    ending = "txt"
    sample = PROSE.encode()
    says = "Paragraph 150 tells of ships.\nIts second line too."

    def test_segments_are_passages_with_their_lines(self, path: Path) -> None:
        lines = PROSE.split("\n")
        found = segments(read(path, PLAIN))
        assert 3 < len(found) < 30
        for segment in found:
            assert segment.place.line is not None
            assert segment.text.split("\n")[0] == lines[segment.place.line - 1]

    def test_tells_encoding_and_lines(self, path: Path) -> None:
        assert facts(read(path, PLAIN)) == {"encoding": "utf-8", "line_count": 599}


def test_terminal_escapes_are_left_out(tmp_path: Path) -> None:
    log = "\x1b[31mERROR\x1b[0m disk \x1b]0;title\x07full\n"
    assert text_of(read(write(tmp_path / "a.log", log), "text/x-log")) == "ERROR disk full"


def test_nuls_alone_are_no_text(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "n.txt", bytes(100_000)), PLAIN)
    assert not segments(pieces)


def test_a_line_of_many_megabytes_keeps_every_word(tmp_path: Path) -> None:
    words = [f"w{at}" for at in range(300_000)]
    assert text_of(read(write(tmp_path / "l.txt", " ".join(words)), PLAIN)).split() == words


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\ufeff"), max_size=40)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(WORDS, max_size=60), st.sampled_from(["\n", "\r\n", "\n\n", " "]))
def test_no_word_is_ever_lost(parts: list[str], between: str) -> None:
    text = between.join(parts)
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "t.txt", "\ufeff" + text)
        assert text_of(read(path, PLAIN)).split() == text.split()


def test_a_log_tells_its_times_and_levels(tmp_path: Path) -> None:
    content = "2024-05-01 10:00:00,123 INFO started\n\x1b[31m2024-05-01 10:00:05 ERROR failed\x1b[0m\n"
    content += "\tat line 3\nWARN done\n"
    found = facts(read(write(tmp_path / "a.log", content), "text/x-log"))
    assert found["levels"] == {"INFO": 1, "ERROR": 1, "WARNING": 1}
    assert found["first_timestamp"] == "2024-05-01 10:00:00,123"
    assert found["last_timestamp"] == "2024-05-01 10:00:05"
    assert found["line_count"] == 4
