from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.document import SegmentKind
from files.extraction.formats.media.media_codecs import codec_name
from tests.files.extraction import media_samples, samples
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, warnings_of

MKV = "video/x-matroska"


class TestFilmExtractor(ExtractorContract):
    media_type = MKV
    ending = "mkv"
    sample = media_samples.matroska("A day in the harbour", [(0.0, "Morning"), (30.5, "Evening")])
    says = "A day in the harbour"

    def test_tells_size_codecs_and_duration(self, path: Path) -> None:
        found = facts(read(path, MKV))
        assert (found["width"], found["height"], found["video_codec"]) == (320, 240, "vp8")
        assert (found["audio_codec"], found["sample_rate"], found["channels"]) == ("opus", 48000, 2)
        assert (found["duration"], found["stream_count"]) == (61.5, 2)

    def test_chapters_are_headings_at_their_second(self, path: Path) -> None:
        chapters = [segment for segment in segments(read(path, MKV)) if segment.kind is SegmentKind.HEADING]
        assert [(chapter.text, chapter.place.second) for chapter in chapters] == [
            ("# Morning", 0.0),
            ("# Evening", 30.5),
        ]


def test_a_film_without_tags_is_complete(tmp_path: Path) -> None:
    pieces = read(samples.write(tmp_path / "x.mkv", media_samples.matroska()), MKV)
    assert not segments(pieces)
    assert not warnings_of(pieces)


@pytest.mark.parametrize(
    ("track", "container", "name"),
    [
        ({"Format": "AVC"}, "MPEG-4", "h264"),
        ({"Format": "RLE"}, "AVI", "msrle"),
        ({"Format": "RLE"}, "QuickTime", "qtrle"),
        ({"Format": "MPEG Audio", "Format_Profile": "Layer 2"}, "MPEG-PS", "mp2"),
        ({"Format": "MPEG Video", "Format_Version": "2"}, "MPEG-PS", "mpeg2video"),
        ({"Format": "PCM", "BitDepth": "24", "Format_Settings": "Big / Signed"}, "AIFF", "pcm_s24be"),
        ({"Format": "PCM", "BitDepth": "8", "Format_Settings": "Unsigned"}, "Wave", "pcm_u8"),
        ({"Format": "AMR", "Format_Profile": "Narrow band"}, "AMR", "amr_nb"),
        ({"Format": "Brand New 7"}, "MPEG-4", "brandnew7"),
    ],
)
def test_codecs_have_their_usual_names(track: dict[str, object], container: str, name: str) -> None:
    assert codec_name(track, container) == name
