"""What a picture says about itself: EXIF, IPTC and XMP as metadata under our keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from files.extraction.errors import MalformedFile
from files.extraction.formats.media.pictures import DAMAGE
from files.extraction.safe_xml import local_name, parse

if TYPE_CHECKING:
    from lxml.etree import _Element
    from PIL.Image import Exif

CAPTION_LABELS = (
    ("title", ""),
    ("headline", ""),
    ("description", ""),
    ("comment", ""),
    ("keywords", "Keywords"),
    ("author", "By"),
    ("city", "City"),
    ("state", "State"),
    ("country", "Country"),
    ("camera_make", "Camera"),
    ("camera_model", "Model"),
    ("lens", "Lens"),
    ("taken_at", "Taken"),
    ("copyright", "Copyright"),
)

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_TAKEN = (0x9003, 0x9004, 0x0132)  # original, digitised, changed
_OFFSETS = {0x9003: 0x9011, 0x9004: 0x9012, 0x0132: 0x9010}
_TIME = re.compile(r"(\d{4})[:\-/.](\d\d)[:\-/.](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?")
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_XMP_BYTES = 4 << 20
_TEXT_CHARS = 20_000
_TIFF_TEXTS = {0x010E: "description", 0x010F: "camera_make", 0x0110: "camera_model", 0x013B: "author"}
_TIFF_MORE = {0x0131: "application", 0x8298: "copyright", 0x010D: "title"}
_WINDOWS = {0x9C9B: "title", 0x9C9C: "comment", 0x9C9D: "author", 0x9C9E: "keywords", 0x9C9F: "subject"}
_EXPOSURE = {0x829A: "exposure_seconds", 0x829D: "f_number", 0x920A: "focal_length_mm", 0x8827: "iso"}
_LENS = {0xA433: "lens_make", 0xA434: "lens"}
_IPTC = {
    5: "title",
    120: "description",
    80: "author",
    116: "copyright",
    105: "headline",
    90: "city",
    95: "state",
    101: "country",
}
_IPTC_KEYWORDS, _IPTC_DATE, _IPTC_TIME = 25, 55, 60
_XMP_LISTS = {"title": "title", "description": "description", "creator": "author", "rights": "copyright"}
_XMP_VALUES = {
    "headline": "headline",
    "city": "city",
    "country": "country",
    "make": "camera_make",
    "model": "camera_model",
    "lens": "lens",
    "creatortool": "application",
}
_XMP_TAKEN = ("datetimeoriginal", "datecreated", "createdate")


def exif_facts(exif: Exif) -> dict[str, object]:
    """Return the facts in EXIF tags. Damaged tags are left out. Positions are signed decimal degrees, times ISO 8601.

    `contains_location` stands where a position does, so that whoever shares the file can be told.
    """
    facts: dict[str, object] = {}
    for key, read in _EXIF_READERS:
        try:
            facts.update(read(exif))
        except DAMAGE:
            facts.setdefault("unreadable_metadata", key)
    return {key: value for key, value in facts.items() if value not in ("", None)}


def _names(exif: Exif) -> dict[str, object]:
    named = {key: _text(exif.get(tag)) for tag, key in {**_TIFF_TEXTS, **_TIFF_MORE}.items()}
    for tag, key in _WINDOWS.items():
        value = exif.get(tag)
        if isinstance(value, (bytes, tuple)):
            named[key] = bytes(value).decode("utf-16-le", "replace").strip("\0 ") or named.get(key, "")
    return {**named, "orientation": _orientation(exif.get(0x0112))}


def _orientation(value: object) -> int | None:
    return value if isinstance(value, int) and 1 <= value <= 8 else None


def _shot(exif: Exif) -> dict[str, object]:
    shot = exif.get_ifd(_EXIF_IFD)
    facts: dict[str, object] = {"taken_at": _taken_at(exif, shot)}
    facts.update({key: _text(shot.get(tag)) for tag, key in _LENS.items()})
    facts.update({key: _number(shot.get(tag)) for tag, key in _EXPOSURE.items()})
    facts["flash"] = bool(shot[0x9209] & 1) if isinstance(shot.get(0x9209), int) else None
    facts["comment"] = _user_comment(shot.get(0x9286))
    return facts


def _taken_at(exif: Exif, shot: Mapping[int, Any]) -> str:
    for tag in _TAKEN:
        if found := as_time(_text(shot.get(tag) or exif.get(tag))):
            offset = _text(shot.get(_OFFSETS[tag]))
            return found + (offset if _OFFSET.fullmatch(offset) else "")
    return ""


def as_time(text: str) -> str:
    """Return a time as EXIF and its kin write it as ISO 8601; an empty string for what is none."""
    found = _TIME.match(text)
    if not found or found[1] == "0000" or not 1 <= int(found[2]) <= 12:
        return ""
    year, month, day, hour, minute, second = found.groups("00")
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}"


def _user_comment(value: object) -> str:
    if not isinstance(value, bytes):
        return _text(value)
    mark, text = value[:8], value[8:]
    encodings = {b"ASCII\0\0\0": "ascii", b"UNICODE\0": "utf-16", b"JIS\0\0\0\0\0": "iso2022_jp"}
    return text.decode(encodings.get(mark, "utf-8"), "ignore").strip("\0 \n")[:_TEXT_CHARS]


def _position(exif: Exif) -> dict[str, object]:
    gps = exif.get_ifd(_GPS_IFD)
    lat, lon = _degrees(gps.get(2), gps.get(1), "S", 90), _degrees(gps.get(4), gps.get(3), "W", 180)
    if lat is None or lon is None:
        return {}
    facts: dict[str, object] = {"gps_lat": lat, "gps_lon": lon, "contains_location": True}
    altitude = _number(gps.get(6))
    if altitude is not None:
        facts["gps_altitude"] = -altitude if gps.get(5) in (1, b"\x01") else altitude
    return facts


def _degrees(value: Any, side: object, negative: str, most: int) -> float | None:
    if not isinstance(value, tuple) or not 1 <= len(value) <= 3:
        return None
    degrees: float = sum(float(part) / 60**at for at, part in enumerate(value))
    if not abs(degrees) <= most:  # NaN as well: a denominator of zero
        return None
    return round(-degrees if _text(side).upper() == negative else degrees, 6)


_EXIF_READERS: tuple[tuple[str, Callable[[Exif], dict[str, object]]], ...] = (
    ("EXIF", _names),
    ("EXIF (camera)", _shot),
    ("EXIF (position)", _position),
)


def iptc_facts(data: bytes) -> dict[str, object]:
    """Return the facts in an IPTC-IIM block (Photoshop's image resource 0x0404)."""
    facts: dict[str, object] = {}
    keywords: list[str] = []
    date = time = ""
    encoding = "utf-8" if b"\x1c\x01\x5a\x00\x03\x1b%G" in data[:64] else ""
    for number, value in _iptc_records(data):
        text = _decoded(value, encoding)
        if number == _IPTC_KEYWORDS:
            keywords.append(text)
        elif number == _IPTC_DATE:
            date = text
        elif number == _IPTC_TIME:
            time = text
        elif number in _IPTC:
            facts.setdefault(_IPTC[number], text)
    if re.fullmatch(r"\d{8}", date) and re.match(r"\d{6}", time):
        facts["taken_at"] = f"{date[:4]}-{date[4:6]}-{date[6:]}T{time[:2]}:{time[2:4]}:{time[4:6]}"
    if keywords:
        facts["keywords"] = keywords
    return facts


def _iptc_records(data: bytes) -> Iterable[tuple[int, bytes]]:
    at = 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        if size > 0x7FFF:  # an extended record: pictures, not words
            return
        if data[at + 1] == 2:
            yield data[at + 2], data[at + 5 : at + 5 + size]
        at += 5 + size


def xmp_facts(packet: bytes) -> dict[str, object]:
    """Return the facts in an XMP packet; none when it is no XML."""
    start, end = packet.find(b"<"), packet.rfind(b">")
    if start < 0 or len(packet) > _XMP_BYTES:
        return {}
    try:
        root = parse(packet[start : end + 1])
    except MalformedFile:
        return {}
    facts: dict[str, object] = {}
    times: dict[str, str] = {}
    for element in root.iter():
        for name, value in _xmp_properties(element):
            _take_xmp(name.lower(), value, facts, times)
    taken = next((times[name] for name in _XMP_TAKEN if name in times), "")
    return {**facts, **({"taken_at": taken} if taken else {})}


def _take_xmp(name: str, value: list[str], facts: dict[str, object], times: dict[str, str]) -> None:
    if name == "subject":
        facts.setdefault("keywords", value)
    elif name in _XMP_LISTS:
        facts.setdefault(_XMP_LISTS[name], ", ".join(value))
    elif name in _XMP_VALUES:
        facts.setdefault(_XMP_VALUES[name], value[0])
    elif name in _XMP_TAKEN and (found := as_time(value[0])):
        times.setdefault(name, found)


def _xmp_properties(element: _Element) -> Iterable[tuple[str, list[str]]]:
    """Yield the properties of an rdf:Description: its attributes, its children, and the items of their lists."""
    if local_name(element.tag) != "Description":
        return
    for name, value in element.attrib.items():
        if value.strip():
            yield local_name(name) if "}" in str(name) else str(name), [str(value)]
    for child in element:
        items = [text for item in child.iter() if local_name(item.tag) == "li" and (text := _text(item.text))]
        if items or _text(child.text):
            yield local_name(child.tag), items or [_text(child.text)]


def _decoded(value: bytes, encoding: str) -> str:
    try:
        return _text(value.decode(encoding or "utf-8"))
    except UnicodeDecodeError:
        return _text(value.decode("cp1252", "replace"))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = _decoded(value, "")
    elif isinstance(value, str) and not value.isascii():
        value = _repaired(value)
    return value.strip("\0 \t\r\n")[:_TEXT_CHARS] if isinstance(value, str) else ""


def _repaired(text: str) -> str:
    """Return the text that was written as UTF-8 where the standard knows ASCII only, and read as Latin-1."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _number(value: Any) -> float | int | None:
    if isinstance(value, tuple) and value:
        value = value[0]
    try:
        number = float(value)
    except DAMAGE:
        return None
    if not abs(number) < 1e9:
        return None
    return int(number) if number == int(number) else round(number, 6)
