"""MediaInfo behind a guard: streams, tags and chapters of films and recordings under our keys. Nothing is decoded.

The library gets the bytes through a pipe of reads, never a path: so it can follow no reference to another file.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from files.extraction.errors import MalformedFile
from files.extraction.formats.media.media_codecs import codec_name

_OPTIONS = {"Cover_Data": "base64", "File_TestContinuousFileNames": "0"}
_BUFFER = 256 * 1024
_COVER_BYTES = 16 << 20
_CHAPTERS = 1_000
_STREAMS = 64
_CHAPTER_TIME = re.compile(r"_(\d{2,4})_(\d\d)_(\d\d)_?(\d{3})?")
_LANGUAGE_MARK = re.compile(r"^[a-z]{2,3}(?:-[A-Za-z]{2,4})?:(?=\S)")
_TAGS = {
    "Title": "title",
    "Movie": "title",
    "Track": "title",
    "Performer": "artist",
    "Album_Performer": "album_artist",
    "Album": "album",
    "Composer": "composer",
    "Director": "director",
    "Genre": "genre",
    "Track_Position": "track",
    "Part_Position": "disc",
    "Description": "description",
    "Synopsis": "synopsis",
    "Summary": "synopsis",
    "Comment": "comment",
    "Keywords": "keywords",
    "Lyrics": "lyrics",
    "Copyright": "copyright",
    "Publisher": "publisher",
    "Producer": "producer",
    "Actor": "actors",
    "Collection": "show",
    "Season": "season",
    "Season_Position": "season",
    "Encoded_Application": "application",
    "Recorded_Date": "recorded",
    "Released_Date": "released",
    "Encoded_Date": "created",
    "Subject": "subject",
}
_WHOLE, _FRACTION = "int", "float"
_GENERAL = {"Duration": ("duration", _FRACTION), "OverallBitRate": ("bit_rate", _WHOLE)}
_VIDEO = {
    "Width": ("width", _WHOLE),
    "Height": ("height", _WHOLE),
    "FrameRate": ("frame_rate", _FRACTION),
    "Rotation": ("rotation", _FRACTION),
    "BitDepth": ("bit_depth", _WHOLE),
}
_AUDIO = {
    "SamplingRate": ("sample_rate", _WHOLE),
    "Channels": ("channels", _WHOLE),
    "BitDepth": ("bit_depth", _WHOLE),
}
_KINDS = {"Video": "video", "Audio": "audio", "Text": "subtitles", "Image": "picture"}


@dataclass(frozen=True, slots=True)
class Recording:
    """What a film or a recording says about itself. Chapters are (second, title); `cover` is a picture file."""

    facts: dict[str, object] = field(default_factory=dict)
    chapters: tuple[tuple[float, str], ...] = ()
    cover: bytes | None = None


def probe(path: Path) -> Recording:
    """Return the facts of the recording at `path`. Raises MalformedFile when there is no stream in it."""
    tracks = _tracks(path)
    general = next((track for track in tracks if track.get("@type") == "General"), {})
    streams = [track for track in tracks if track.get("@type") in _KINDS][:_STREAMS]
    if not streams:
        raise MalformedFile("No picture and no sound was found in this recording.")
    facts = {**_tags(general), **_numbers(general, _GENERAL), "container": str(general.get("Format") or "")}
    for kind, codec, wanted in (("Video", "video_codec", _VIDEO), ("Audio", "audio_codec", _AUDIO)):
        if track := next((stream for stream in streams if stream["@type"] == kind), None):
            facts.update(_numbers(track, wanted), **{codec: codec_name(track, facts["container"])})
    facts["streams"] = [_stream(track, facts["container"]) for track in streams]
    facts["stream_count"] = len(streams)
    languages = {str(track["Language"]) for track in streams if track["@type"] == "Audio" and track.get("Language")}
    facts["language"] = languages.pop() if len(languages) == 1 else ""
    clean = {key: value for key, value in facts.items() if value not in ("", None)}
    return Recording(clean, _chapters(tracks), _cover(general))


def _tracks(path: Path) -> list[dict[str, Any]]:
    from pymediainfo import MediaInfo

    try:
        with path.open("rb") as file:
            told = MediaInfo.parse(
                file, output="JSON", encoding_errors="replace", buffer_size=_BUFFER, mediainfo_options=_OPTIONS
            )
        media = json.loads(told).get("media") or {}
    except (OSError, RuntimeError, ValueError, RecursionError) as exc:
        raise MalformedFile from exc
    tracks = media.get("track", [])
    return [track for track in tracks if isinstance(track, dict)] if isinstance(tracks, list) else []


def _tags(general: dict[str, Any]) -> dict[str, object]:
    facts: dict[str, object] = {}
    for name, key in _TAGS.items():
        value = general.get(name)
        if isinstance(value, str) and value.strip():
            facts.setdefault(
                key, value.strip().replace(" / ", ", ") if key in ("keywords", "actors") else value.strip()
            )
    facts.update(_position(str(general.get("Recorded_Location") or (general.get("extra") or {}).get("xyz") or "")))
    return facts


def _position(text: str) -> dict[str, object]:
    """Read an ISO 6709 position: +48.8577+002.295/."""
    found = re.match(r"([+-]\d{1,2}\.\d{1,8})([+-]\d{1,3}\.\d{1,8})", text)
    if not found:
        return {}
    return {"gps_lat": float(found[1]), "gps_lon": float(found[2]), "contains_location": True}


def _numbers(track: dict[str, Any], wanted: dict[str, tuple[str, str]]) -> dict[str, object]:
    facts: dict[str, object] = {}
    for name, (key, kind) in wanted.items():
        try:
            number = float(str(track.get(name, "")).partition(" / ")[0])
        except ValueError:
            continue
        if 0 < number < 1e12:
            facts[key] = round(number) if kind == _WHOLE else round(number, 3)
    return facts


def _stream(track: dict[str, Any], container: object) -> dict[str, object]:
    known = {"Video": _VIDEO, "Audio": _AUDIO}.get(track["@type"], {})
    told = {"language": track.get("Language"), "title": track.get("Title"), **_numbers(track, known)}
    stream = {"kind": _KINDS[track["@type"]], "codec": codec_name(track, container), **told}
    return {key: value for key, value in stream.items() if value}


def _chapters(tracks: list[dict[str, Any]]) -> tuple[tuple[float, str], ...]:
    found: dict[float, str] = {}
    for track in tracks:
        marks = track.get("extra") if track.get("@type") == "Menu" else None
        for key, value in list(marks.items())[:_CHAPTERS] if isinstance(marks, dict) else ():
            time = _CHAPTER_TIME.fullmatch(key)
            if time and isinstance(value, str):
                hours, minutes, seconds, thousandths = (int(part or 0) for part in time.groups())
                second = hours * 3600 + minutes * 60 + seconds + thousandths / 1000
                found.setdefault(second, _LANGUAGE_MARK.sub("", value.strip()))
    return tuple(sorted((second, title) for second, title in found.items() if title))


def _cover(general: dict[str, Any]) -> bytes | None:
    data = general.get("Cover_Data")
    if not isinstance(data, str) or len(data) > _COVER_BYTES:
        return None
    try:
        return base64.b64decode(data.partition(" / ")[0], validate=True)
    except (ValueError, binascii.Error):
        return None
