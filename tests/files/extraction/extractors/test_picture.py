from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from files.extraction.base import ExtractionError
from files.extraction.document import THUMBNAIL_BYTES, Coverage, Piece, SegmentKind, Thumbnail
from files.extraction.limits import Limits
from files.extraction.ocr import reading
from files.extraction.options import Options
from tests.files.extraction import media_samples, samples
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.ocr.fake import FakeRecognizer

PNG, JPEG, TIFF = "image/png", "image/jpeg", "image/tiff"
QUIET = Options(ocr="off")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeRecognizer:
    fake = FakeRecognizer()
    monkeypatch.setattr(reading, "recognizer", lambda _choice: fake)
    return fake


def thumbnails(pieces: list[Piece]) -> list[Thumbnail]:
    return [piece for piece in pieces if isinstance(piece, Thumbnail)]


class TestPictureExtractor(ExtractorContract):
    media_type = JPEG
    ending = "jpg"
    sample = media_samples.picture("JPEG", exif=media_samples.camera_exif())
    says = "A red boat in the harbour"

    @pytest.fixture(autouse=True)
    def no_engine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "recognizer", lambda _choice: None)

    def test_tells_camera_time_exposure_and_place(self, path: Path) -> None:
        found = facts(read(path, JPEG))
        assert (found["width"], found["height"], found["format"], found["orientation"]) == (64, 48, "JPEG", 6)
        assert (found["camera_make"], found["camera_model"], found["lens"]) == ("Kamera Works", "KW-1", "KW 50mm")
        assert found["taken_at"] == "2021-05-06T07:08:09+02:00"
        assert (found["exposure_seconds"], found["f_number"], found["iso"]) == (0.004, 2.8, 200)
        assert (found["gps_lat"], found["gps_lon"], found["contains_location"]) == (-33.858333, 151.21, True)

    def test_the_words_of_the_tags_are_a_caption(self, path: Path) -> None:
        (caption,) = segments(read(path, JPEG))
        assert caption.kind is SegmentKind.CAPTION
        assert "Camera: Kamera Works" in caption.text

    def test_the_thumbnail_is_turned_as_the_camera_was_held(self, path: Path) -> None:
        (small,) = thumbnails(read(path, JPEG))
        assert (small.width, small.height, small.media_type) == (48, 64, "image/webp")


def test_a_picture_without_words_is_complete(tmp_path: Path) -> None:
    pieces = read(samples.write(tmp_path / "x.png", media_samples.picture()), PNG, options=QUIET)
    assert not segments(pieces)
    assert not warnings_of(pieces)
    assert facts(pieces)["color_mode"] == "RGB"


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "JPEG2000", "ICO"])
def test_reads_the_size_of_each_format(kind: str, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "x", media_samples.picture(kind, (32, 16) if kind != "ICO" else (32, 32)))
    media_type = {"JPEG2000": "image/jp2", "ICO": "image/x-icon"}.get(kind, f"image/{kind.lower()}")
    pieces = read(path, media_type, options=QUIET)
    assert facts(pieces)["width"] == 32
    assert thumbnails(pieces)


def test_gives_the_texts_of_a_png_and_the_comment_of_a_jpeg(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "Harbour plan")
    texts.add_itxt("Licence", "Free to copy", zip=True)
    pieces = read(samples.write(tmp_path / "x.png", media_samples.picture(pnginfo=texts)), PNG, options=QUIET)
    assert facts(pieces)["title"] == "Harbour plan"
    assert "Licence: Free to copy" in text_of(pieces)
    path = samples.write(tmp_path / "x.jpg", media_samples.picture("JPEG", comment="drawn by hand"))
    assert "drawn by hand" in text_of(read(path, JPEG, options=QUIET))


def test_words_written_as_utf8_are_read_as_such(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Brücke".encode()
    path = samples.write(tmp_path / "x.jpg", media_samples.picture("JPEG", exif=exif))
    assert facts(read(path, JPEG, options=QUIET))["description"] == "Brücke"


def test_reads_title_and_keywords_of_an_xmp_packet(tmp_path: Path) -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li>Low tide</rdf:li>'
        "</rdf:Alt></dc:title><dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>mud</rdf:li></rdf:Bag></dc:subject>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    path = samples.write(tmp_path / "x.jpg", media_samples.picture("JPEG", xmp=packet.encode()))
    found = facts(read(path, JPEG, options=QUIET))
    assert (found["title"], found["keywords"]) == ("Low tide", ["sea", "mud"])


def test_more_pixels_than_the_limit_leave_the_facts(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "x.png", media_samples.picture(size=(200, 200)))
    pieces = read(path, PNG, Limits(pixels=10_000))
    assert facts(pieces)["width"] == 200
    assert warnings_of(pieces) == ["too_many_pixels"]


def test_a_packed_comment_that_unpacks_to_much_leaves_the_facts(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "x.png", media_samples.png_with_packed_text(80 << 20))
    pieces = read(path, PNG, options=QUIET)
    assert (facts(pieces)["width"], warnings_of(pieces)) == (1, ["malformed"])


def test_a_picture_that_is_cut_off_keeps_its_facts(tmp_path: Path) -> None:
    whole = media_samples.saved(media_samples.page(["Harbour"]), "JPEG")
    pieces = read(samples.write(tmp_path / "x.jpg", whole[: len(whole) // 2]), JPEG, options=QUIET)
    assert (facts(pieces)["width"], warnings_of(pieces)) == (900, ["malformed"])


def test_bytes_that_are_no_picture_are_malformed(tmp_path: Path) -> None:
    with pytest.raises(ExtractionError) as raised:
        read(samples.write(tmp_path / "x.png", b"\x89PNG\r\n\x1a\nnothing"), PNG)
    assert raised.value.code == "malformed"


def test_a_large_picture_gets_a_thumbnail_within_bounds(tmp_path: Path) -> None:
    noise = Image.effect_noise((1500, 900), 120)
    (small,) = thumbnails(
        read(samples.write(tmp_path / "x.png", media_samples.saved(noise, "PNG")), PNG, options=QUIET)
    )
    assert (small.width, small.height) == (320, 192)
    assert len(small.data) <= THUMBNAIL_BYTES


def test_no_thumbnail_is_made_where_none_is_wanted(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "x.png", media_samples.picture())
    assert not thumbnails(read(path, PNG, options=Options(ocr="off", thumbnails=False)))


def test_frames_are_counted(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert (
        facts(read(samples.write(tmp_path / "x.gif", out.getvalue()), "image/gif", options=QUIET))["frame_count"] == 3
    )


def test_recognised_text_follows_the_caption(tmp_path: Path, engine: FakeRecognizer) -> None:
    engine.pages = ["Harbour rules"]
    pieces = read(samples.write(tmp_path / "x.png", media_samples.picture()), PNG)
    assert text_of(pieces) == "Harbour rules"
    assert (facts(pieces)["ocr"], facts(pieces)["ocr_confidence"]) == (True, 0.95)


def _scan(pages: int) -> bytes:
    frames = [Image.new("1", (60, 80), 1) for _ in range(pages)]
    return media_samples.saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])


def test_each_page_of_a_scan_is_recognised(tmp_path: Path, engine: FakeRecognizer) -> None:
    engine.pages = ["First page", "Second page"]
    pieces = read(samples.write(tmp_path / "x.tif", _scan(2)), TIFF)
    assert [(segment.text, segment.place.page) for segment in segments(pieces)] == [
        ("First page", 1),
        ("Second page", 2),
    ]
    assert Coverage("pages", 2, 2) in pieces
    assert facts(pieces)["page_count"] == 2


def test_pages_of_a_scan_beyond_the_limit_are_told(tmp_path: Path, engine: FakeRecognizer) -> None:
    engine.pages = ["First page"]
    pieces = read(samples.write(tmp_path / "x.tif", _scan(3)), TIFF, Limits(ocr_pages=1))
    assert text_of(pieces) == "First page"
    assert warnings_of(pieces) == ["needs_ocr"]


def test_a_scan_without_an_engine_is_told_but_a_photo_is_not(tmp_path: Path) -> None:
    assert warnings_of(read(samples.write(tmp_path / "x.tif", _scan(1)), TIFF, options=QUIET)) == ["needs_ocr"]
    photo = samples.write(tmp_path / "y.tif", media_samples.picture("TIFF"))
    assert not warnings_of(read(photo, TIFF, options=QUIET))
