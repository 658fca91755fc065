from __future__ import annotations

from pathlib import Path

from tests.files.extraction import media_samples
from tests.files.extraction.contract import ExtractorContract, facts, read, text_of

HEIC = "image/heic"


class TestHeifExtractor(ExtractorContract):
    media_type = HEIC
    ending = "heic"
    sample = media_samples.heic(media_samples.camera_exif().tobytes().removeprefix(b"Exif\0\0"))
    says = "A red boat in the harbour"

    def test_tells_size_turn_camera_and_place(self, path: Path) -> None:
        found = facts(read(path, HEIC))
        assert (found["format"], found["width"], found["height"], found["orientation"]) == ("HEIC", 400, 300, 6)
        assert (found["codec"], found["camera_model"], found["gps_lon"]) == ("hevc", "KW-1", 151.21)
        assert found["taken_at"] == "2021-05-06T07:08:09+02:00"

    def test_the_camera_is_found_by_word(self, path: Path) -> None:
        assert "Kamera Works" in text_of(read(path, HEIC))

    def test_without_exif_the_size_is_enough(self, tmp_path: Path) -> None:
        path = tmp_path / "x.heic"
        path.write_bytes(media_samples.heic(b""))
        assert facts(read(path, HEIC))["width"] == 400
