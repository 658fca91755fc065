"""Magic numbers: what the first bytes of a binary file say about it."""

from __future__ import annotations

from collections.abc import Callable

from files.extraction import media_types

# (offset, bytes, media type), the first that fits wins. Containers are looked into by `containers`.
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", media_types.ZIP),
    (0, b"PK\x05\x06", media_types.ZIP),
    (0, b"PK\x07\x08PK", media_types.ZIP),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", media_types.OLE),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"II+\x00", "image/tiff"),
    (0, b"MM\x00+", "image/tiff"),
    (0, b"8BPS\x00", "image/vnd.adobe.photoshop"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (0, b"\xff\x4f\xff\x51", "image/jp2"),
    (0, b"\xff\x0a\xfa", "image/jxl"),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (0, b"\x00\x00\x01\x00", "image/x-icon"),
    (0, b"\x01\x00\x00\x00l\x00\x00\x00", "image/emf"),
    (0, b"AT&TFORM", "image/vnd.djvu"),
    (0, b"AC10", "image/vnd.dwg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"MThd", "audio/midi"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"\x00\x00\x01\xb3", "video/mpeg"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"\x04\x22\x4d\x18", "application/x-lz4"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"MSCF\x00", "application/vnd.ms-cab-compressed"),
    (0, b"!<arch>\n", "application/x-archive"),
    (0, b"\xed\xab\xee\xdb", "application/x-rpm"),
    (0, b"PAR1", "application/vnd.apache.parquet"),
    (0, b"PARE", "application/vnd.apache.parquet"),
    (0, b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (0, b"ARROW1", "application/vnd.apache.arrow.file"),
    (0, b"ORC", "application/x-orc"),
    (0, b"Obj\x01", "application/avro"),
    (0, b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (0, b"\x93NUMPY", "application/x-npy"),
    (0, b"\x00\x01\x00\x00Standard ", "application/x-msaccess"),
    (0, b"!BDN", "application/vnd.ms-outlook-pst"),
    (0, b"ITSF", "application/vnd.ms-htmlhelp"),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"\xca\xfe\xba\xbe", "application/java-vm"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\x78\x9f\x3e\x22", "application/vnd.ms-tnef"),
    (0, b"\xffWPC", "application/vnd.wordperfect"),
    (0, b"\x00asm", "application/wasm"),
    (0, b"\x00\x01\x00\x00\x00", "font/sfnt"),
    (0, b"OTTO", "font/sfnt"),
    (0, b"wOF", "font/woff2"),
    (0, b"%!PS", "application/postscript"),
    (0, b"\xc5\xd0\xd3\xc6", "application/postscript"),
    (60, b"BOOKMOBI", "application/x-mobipocket-ebook"),
    (257, b"ustar", "application/x-tar"),
    (0, b"-----BEGIN PGP MESSAGE", "application/pgp-encrypted"),
)

_BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heic",
    b"msf1": "image/heic",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_RIFF = {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo", b"WEBP": "image/webp"}
_ASF = bytes.fromhex("3026b2758e66cf11")
_ASF_FILM = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_ASF_SOUND = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_MPEG_AUDIO = {0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3}


def by_signature(head: bytes) -> str | None:
    """Return the media type that `head`, the first kilobytes of a file, is the start of; None when none fits."""
    for offset, magic, media_type in SIGNATURES:
        if head.startswith(magic, offset) and _confirmed(media_type, head):
            return media_type
    return _by_structure(head)


def _confirmed(media_type: str, head: bytes) -> bool:
    """Tell whether more than a short magic number speaks for the type, where letters alone could be prose."""
    if media_type == "application/x-bzip2":
        return head[4:10] == b"1AY&SY" or head[4:10] == b"\x17rE8P\x90"
    if media_type in (
        "audio/mpeg",
        "application/x-orc",
        "application/vnd.apache.parquet",
        "image/vnd.dwg",
        "font/woff2",
    ):
        return b"\x00" in head[:32] or (len(head) > 3 and head[3] > 127)
    return True


def _by_structure(head: bytes) -> str | None:
    mark, form = head[:4], head[8:12]
    if mark in (b"RIFF", b"RF64"):
        return _RIFF.get(form)
    if mark == b"FORM" and form[:3] == b"AIF":
        return "audio/aiff"
    if mark == b"OggS":
        return _by_ogg_codec(head[:256])
    if mark == b"\x1aE\xdf\xa3":
        return "video/webm" if b"\x42\x82\x84webm" in head[:4096] or b"webm" in head[:128] else "video/x-matroska"
    if head.startswith(_ASF):
        return "audio/x-ms-wma" if _ASF_SOUND in head and _ASF_FILM not in head else "video/x-ms-asf"
    return _by_box(head) or next((kind for kind, fits in _SHORT_MARKS if fits(head)), None)


def _by_box(head: bytes) -> str | None:
    """Read the first box of the MP4 family."""
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free") and b"\x00" in head[:4]:
        return "video/quicktime"
    return None


def _is_bitmap(head: bytes) -> bool:
    sizes = (12, 40, 52, 56, 64, 108, 124)
    return head.startswith(b"BM") and len(head) > 18 and head[14] in sizes and head[6:10] == bytes(4)


def _is_old_tar(head: bytes) -> bool:
    """Tell a TAR from before it had a mark by the checksum of its first header."""
    if len(head) < 512 or not head[0] or not head[124:136].strip(b" \x00").isdigit():
        return False
    declared = head[148:156].strip(b" \x00")
    if not declared or declared.strip(b"01234567"):
        return False
    return int(declared, 8) == sum(head[:148]) + 8 * 32 + sum(head[156:512])


def _is_mp3(head: bytes) -> bool:
    return len(head) > 3 and head[0] == 0xFF and head[1] in _MPEG_AUDIO and head[2] & 0xF0 not in (0, 0xF0)


# What two bytes alone cannot prove.
_SHORT_MARKS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/bmp", _is_bitmap),
    ("application/x-tar", _is_old_tar),
    ("application/rtf", lambda head: head[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{\\rtf")),
    ("application/vnd.microsoft.portable-executable", lambda head: head.startswith(b"MZ") and b"\x00" in head[:64]),
    ("audio/mpeg", _is_mp3),
    ("audio/aac", lambda head: len(head) > 3 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0),
    ("video/mp2t", lambda head: len(head) > 376 and head[0] == head[188] == head[376] == 0x47),
    # Readers accept junk before the header, so files with it exist.
    ("application/pdf", lambda head: b"%PDF-" in head[:1024]),
)


def _by_brand(head: bytes) -> str:
    size = min(int.from_bytes(head[:4], "big"), 256)
    brands = [head[8:12]] + [head[at : at + 4] for at in range(16, size, 4)]
    if brands[0].startswith(b"3gp"):
        return "video/3gpp"
    for brand in brands:
        if brand in (b"avif", b"avis"):
            return "image/avif"
    return _BRANDS.get(brands[0], "video/mp4")


def _by_ogg_codec(head: bytes) -> str:
    if b"OpusHead" in head:
        return "audio/opus"
    return "video/ogg" if b"theora" in head else "audio/ogg"
