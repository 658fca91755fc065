"""Small pictures, recordings and films, made on the spot."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Exif


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **more: object) -> bytes:
    """A plain picture of one colour."""
    out = io.BytesIO()
    Image.new(mode, size, 1 if mode in ("1", "L", "P") else "teal").save(out, kind, **more)
    return out.getvalue()


def page(lines: Sequence[str], size: tuple[int, int] = (900, 420)) -> Image.Image:
    """A white page with lines of large letters."""
    image = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=34)
    for at, line in enumerate(lines):
        draw.text((40, 40 + 60 * at), line, fill="black", font=font)
    return image


def saved(image: Image.Image, kind: str, **more: object) -> bytes:
    """The bytes of `image` as a file."""
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def camera_exif() -> Exif:
    """EXIF as a camera writes it, south of the equator."""
    exif = Exif()
    exif[0x010E] = "A red boat in the harbour"
    exif[0x010F], exif[0x0110], exif[0x0112] = "Kamera Works", "KW-1", 6
    shot = exif.get_ifd(0x8769)
    shot[0x9003], shot[0x9011] = "2021:05:06 07:08:09", "+02:00"
    shot[0x829A], shot[0x829D], shot[0x8827], shot[0xA434] = 0.004, 2.8, 200, "KW 50mm"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "S", (33.0, 51.0, 30.0), "E", (151.0, 12.0, 36.0)
    return exif


def png_with_packed_text(size: int) -> bytes:
    """A PNG of one pixel whose compressed comment unpacks to `size` bytes."""
    packed = zlib.compress(b"a" * size, 9)
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"zTXt", b"Comment\0\0" + packed), (b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*part) for part in parts)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def wave(seconds: float = 0.5, rate: int = 8000, tags: dict[bytes, str] | None = None) -> bytes:
    """A silent WAV, 16 bits, one channel, with RIFF tags."""
    sound = bytes(2 * int(seconds * rate))
    chunks = _riff(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16))
    if tags:
        chunks += _riff(b"LIST", b"INFO" + b"".join(_riff(key, text.encode() + b"\0") for key, text in tags.items()))
    chunks += _riff(b"data", sound)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def mp3(frames: dict[bytes, bytes] | None = None, count: int = 40, flags: int = 0) -> bytes:
    """A silent MP3 of `count` frames (26 ms each) behind an ID3v2.4 tag."""
    tag = b"".join(key + _synchsafe(len(data)) + bytes((0, flags)) + data for key, data in (frames or {}).items())
    head = b"ID3\x04\x00\x00" + _synchsafe(len(tag)) + tag if frames else b""
    return head + (b"\xff\xfb\x90\x00" + bytes(413)) * count


def id3_text(text: str) -> bytes:
    """The content of an ID3 text frame."""
    return b"\x03" + text.encode()


def id3_picture(data: bytes) -> bytes:
    """The content of an ID3 picture frame: a front cover."""
    return b"\x00image/png\x00\x03\x00" + data


def _synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def matroska(title: str = "", chapters: Sequence[tuple[float, str]] = ()) -> bytes:
    """A Matroska file with a VP8 track of 320 x 240 and an Opus track, without a single frame."""
    video = _ebml(0xE0, _ebml(0xB0, _number(320)) + _ebml(0xBA, _number(240)))
    audio = _ebml(0xE1, _ebml(0xB5, struct.pack(">d", 48000)) + _ebml(0x9F, _number(2)))
    tracks = _track(1, 1, b"V_VP8", video) + _track(2, 2, b"A_OPUS", audio)
    info = _ebml(0x2AD7B1, _number(1_000_000)) + _ebml(0x4489, struct.pack(">d", 61_500.0))
    info += _ebml(0x7BA9, title.encode()) + _ebml(0x4D80, b"test") + _ebml(0x5741, b"test")
    atoms = b"".join(
        _ebml(0xB6, _ebml(0x73C4, _number(at)) + _ebml(0x91, _number(int(second * 1e9)))
              + _ebml(0x80, _ebml(0x85, name.encode()) + _ebml(0x437C, b"eng")))
        for at, (second, name) in enumerate(chapters, 1)
    )  # fmt: skip
    parts = _ebml(0x1549A966, info) + _ebml(0x1654AE6B, tracks)
    if chapters:
        parts += _ebml(0x1043A770, _ebml(0x45B9, atoms))
    head = (
        _ebml(0x4286, _number(1)) + _ebml(0x4282, b"matroska") + _ebml(0x4287, _number(4)) + _ebml(0x4285, _number(2))
    )
    return _ebml(0x1A45DFA3, head) + _ebml(0x18538067, parts)


def _track(number: int, kind: int, codec: bytes, more: bytes) -> bytes:
    return _ebml(0xAE, _ebml(0xD7, _number(number)) + _ebml(0x73C5, _number(number)) + _ebml(0x83, _number(kind))
                 + _ebml(0x86, codec) + more)  # fmt: skip


def _ebml(identifier: int, data: bytes) -> bytes:
    name = identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")
    return name + (0x0100000000000000 | len(data)).to_bytes(8, "big") + data


def _number(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def heic(exif: bytes, size: tuple[int, int] = (400, 300)) -> bytes:
    """The boxes of a HEIC file with one picture, turned by a quarter, and an EXIF block; without picture data."""
    head = _box(b"ftyp", b"heic\0\0\0\0mif1heic")
    item = struct.pack(">I", 6) + b"Exif\0\0" + exif
    meta = b""
    for _ in range(2):  # the second time the place of the block is known
        start = len(head) + 12 + len(meta) + 8 if meta else 0
        infos = _full(b"infe", b"\0\1\0\0hvc1\0", 2) + _full(b"infe", b"\0\2\0\0Exif\0", 2)
        place = b"\0\2\0\0\0\1" + struct.pack(">II", start, len(item))
        properties = _full(b"ispe", struct.pack(">II", *size)) + _box(b"irot", b"\3")
        meta = _full(b"hdlr", b"\0\0\0\0pict" + bytes(13)) + _full(b"pitm", b"\0\1") + _full(b"iinf", b"\0\2" + infos)
        meta += _full(b"iloc", b"\x44\0\0\1" + place)
        meta += _box(b"iprp", _box(b"ipco", properties) + _full(b"ipma", b"\0\0\0\1\0\1\2\1\2"))
    return head + _full(b"meta", meta) + _box(b"mdat", item)


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


def _full(kind: bytes, data: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes((version, 0, 0, 0)) + data)
