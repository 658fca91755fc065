from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.base import ExtractionError, Source
from files.extraction.document import Thumbnail
from files.extraction.extractors.sound_mutagen import MutagenSoundExtractor
from files.extraction.limits import Limits
from files.extraction.options import Options
from files.extraction.reading import read_pieces
from tests.files.extraction import media_samples, samples
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of

MP3, WAV = "audio/mpeg", "audio/wav"
TAGS = {
    b"TIT2": media_samples.id3_text("Low tide"),
    b"TPE1": media_samples.id3_text("The Harbour Band"),
    b"TALB": media_samples.id3_text("Mud"),
    b"TRCK": media_samples.id3_text("3/9"),
    b"USLT": b"\x03eng\x00The sea goes out\nand comes back",
    b"APIC": media_samples.id3_picture(media_samples.picture()),
}


class TestSoundExtractor(ExtractorContract):
    media_type = MP3
    ending = "mp3"
    sample = media_samples.mp3(TAGS)
    says = "The Harbour Band"

    def test_tells_figures_and_tags(self, path: Path) -> None:
        found = facts(read(path, MP3))
        assert (found["title"], found["artist"], found["album"]) == ("Low tide", "The Harbour Band", "Mud")
        assert (found["track"], found["sample_rate"], found["channels"], found["codec"]) == (3, 44100, 2, "mp3")
        assert found["duration"] == pytest.approx(1.04, abs=0.1)

    def test_lyrics_are_text(self, path: Path) -> None:
        assert "The sea goes out\nand comes back" in text_of(read(path, MP3))

    def test_the_cover_is_the_thumbnail(self, path: Path) -> None:
        (cover,) = [piece for piece in read(path, MP3) if isinstance(piece, Thumbnail)]
        assert (cover.width, cover.height) == (64, 48)
        unwanted = read(path, MP3, options=Options(thumbnails=False))
        assert not any(isinstance(piece, Thumbnail) for piece in unwanted)


class TestSoundOfRiff(ExtractorContract):
    media_type = WAV
    ending = "wav"
    sample = media_samples.wave(tags={b"INAM": "Fog horn", b"IART": "Harbour office"})
    says = "Fog horn"

    def test_tells_figures_and_tags(self, path: Path) -> None:
        found = facts(read(path, WAV))
        assert (found["duration"], found["sample_rate"], found["channels"]) == (0.5, 8000, 1)
        assert (found["title"], found["artist"], found["codec"]) == ("Fog horn", "Harbour office", "pcm_s16le")


def test_sound_without_tags_is_complete(tmp_path: Path) -> None:
    pieces = read(samples.write(tmp_path / "x.wav", media_samples.wave()), WAV)
    assert not segments(pieces)
    assert not warnings_of(pieces)


class TestMutagen:
    """The reader that takes over: asked directly."""

    def read(self, path: Path) -> dict[str, object]:
        return facts(list(read_pieces(MutagenSoundExtractor(), Source(path, path.name, MP3), Limits())))

    def test_tells_figures_and_tags(self, tmp_path: Path) -> None:
        found = self.read(samples.write(tmp_path / "x.mp3", media_samples.mp3(TAGS)))
        assert (found["title"], found["artist"], found["sample_rate"]) == ("Low tide", "The Harbour Band", 44100)

    def test_packed_tags_are_refused_before_they_are_opened(self, tmp_path: Path) -> None:
        packed = media_samples.mp3({b"TIT2": b"\0\0\0\1packed"}, flags=0x08)
        with pytest.raises(ExtractionError) as raised:
            self.read(samples.write(tmp_path / "x.mp3", packed))
        assert raised.value.code == "archive_bomb"

    def test_what_is_no_sound_is_malformed(self, tmp_path: Path) -> None:
        with pytest.raises(ExtractionError) as raised:
            self.read(samples.write(tmp_path / "x.mp3", b"nothing to hear" * 40))
        assert raised.value.code == "malformed"
