"""Subtitles: SubRip, WebVTT, SubStation Alpha and SBV. Cues become passages with the second they start at."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment
from files.extraction.encoding import Line, detect_encoding, read_lines
from files.extraction.limits import Limits
from files.extraction.media_types import SSA

PASSAGE_CHARS = 800
PASSAGE_SECONDS = 90.0
_SILENCE = 20.0  # between two cues: what follows is another scene

_CLOCK = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*(?:-{{1,3}}>|,)\s*{_CLOCK}(?=\s|$)")
_CLOCK_ONLY = re.compile(rf"\s*{_CLOCK}\s*$")
_VOICE = re.compile(r"<v(?:\.[^\s>]{0,80})?\s+([^<>]{1,120})>")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<\d[\d:.,]{0,16}>|</>")
_OVERRIDE = re.compile(r"\{[\\*][^{}]{0,500}\}")
_DRAWING = re.compile(r"\{[^{}]{0,500}\\p[1-9]")
_DROPPED = ("NOTE", "STYLE", "REGION", "WEBVTT")
_LANGUAGE_HEADER = re.compile(r"Language:\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?)\s*$")
_LANGUAGE_IN_NAME = re.compile(r"[._-]([a-z]{2,3})(?:-[A-Za-z]{2,4})?(?:\.(?:sdh|forced|cc|hi))?\.[a-z]{3}$")
_BLOCK_LINES = 500


@dataclass(frozen=True, slots=True)
class Cue:
    """What is said from `start` to `end`, in seconds; None where the file does not say when. Lines count from 1."""

    start: float | None
    end: float
    text: str
    line: int
    line_end: int


@dataclass(slots=True)
class _Totals:
    """What the whole file comes to."""

    cues: int = 0
    end: float = 0.0
    lines: int = 0
    language: str = ""


class SubtitleExtractor(Extractor):
    """Reads cues as they come; memory does not grow with the file."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield passages of cues with the first one's second and their lines, markup removed, speakers kept."""
        encoding = detect_encoding(source.path)
        yield Metadata({"encoding": encoding})
        totals = _Totals()
        lines = _counted(read_lines(source.path, encoding), totals)
        cues = _script_cues(lines) if source.media_type == SSA else _cues(lines, totals)
        for passage in _passages(_told(cues, totals)):
            text = "\n".join(cue.text for cue in passage)
            second = passage[0].start
            yield Segment(text, place=Place(line=passage[0].line, line_end=passage[-1].line_end, second=second))
        named = _LANGUAGE_IN_NAME.search(source.name)
        language = totals.language or (named[1] if named else "")
        facts = {"cue_count": totals.cues, "duration": round(totals.end, 3), "line_count": totals.lines}
        yield Metadata({**facts, "language": language})


def _counted(lines: Iterator[Line], totals: _Totals) -> Iterator[Line]:
    for line in lines:
        totals.lines = line.number
        if found := _LANGUAGE_HEADER.match(line.text):
            totals.language = totals.language or found[1]
        yield line


def _told(cues: Iterator[Cue], totals: _Totals) -> Iterator[Cue]:
    for cue in cues:
        totals.cues += cue.start is not None
        totals.end = max(totals.end, cue.end)
        if cue.text:
            yield cue


def _passages(cues: Iterator[Cue]) -> Iterator[list[Cue]]:
    held: list[Cue] = []
    size = 0
    for cue in cues:
        if held and (size + len(cue.text) > PASSAGE_CHARS or _is_apart(held, cue)):
            yield held
            held, size = [], 0
        held.append(cue)
        size += len(cue.text)
    if held:
        yield held


def _is_apart(held: list[Cue], cue: Cue) -> bool:
    first, last = held[0].start, held[-1].end
    if cue.start is None or first is None:
        return False
    return cue.start - first > PASSAGE_SECONDS or cue.start - last > _SILENCE or cue.start < first


@dataclass(slots=True)
class _Open:
    """The cue that is being read."""

    start: float
    end: float
    line: int
    texts: list[Line] = field(default_factory=list)


def _cues(lines: Iterator[Line], totals: _Totals) -> Iterator[Cue]:
    """Yield the cues of SubRip, WebVTT and SBV: a line of times, then text until the next one.

    A blank line ends a cue in the standards; in real files text goes on after it, so it is kept with its cue, except
    for a number or name right above the next times.
    """
    current = _Open(-1.0, 0.0, 1)
    for block in _blocks(lines):
        starts = [at for at, line in enumerate(block) if "--" in line.text or line.text[:1].isdigit()]
        times = {at: found for at in starts if (found := _TIMES.match(block[at].text))}
        if not times:
            if not _is_dropped(block):
                current.texts += block
            continue
        for at, line in enumerate(block):
            if at in times:
                yield from _closed(current)
                start, end = _seconds(times[at].groups()[:4]), _seconds(times[at].groups()[4:])
                current = _Open(start, max(start, end), line.number)
            elif at + 1 not in times or not (at == 0 or line.text.strip().isdigit()):
                current.texts.append(line)
        if len(current.texts) > _BLOCK_LINES:
            yield from _closed(current)
            current = _Open(current.start, current.end, block[-1].number)
    yield from _closed(current)


def _blocks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    block: list[Line] = []
    for line in lines:
        if line.text.strip():
            block.append(line)
        if block and (not line.text.strip() or len(block) >= _BLOCK_LINES):
            yield block
            block = []
    if block:
        yield block


def _is_dropped(block: list[Line]) -> bool:
    words = block[0].text.lstrip("\ufeff").split()
    return (bool(words) and words[0] in _DROPPED) or block[0].text.startswith("X-TIMESTAMP-MAP")


def _closed(current: _Open) -> Iterator[Cue]:
    text = "\n".join(clean for line in current.texts if (clean := clean_cue(line.text)))
    if text or current.start >= 0:
        start = current.start if current.start >= 0 else None
        last = current.texts[-1].number if current.texts else current.line
        yield Cue(start, current.end, text, min(current.line, last), last)


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole + float(f"0.{fraction}" if fraction else 0)


def clean_cue(text: str) -> str:
    """Return a line of a cue without markup; a speaker's name stands before what they say."""
    text = _VOICE.sub(lambda found: f"{found[1].strip()}: ", text)
    text = _TAG.sub("", _OVERRIDE.sub("", text))
    return " ".join(html.unescape(text).replace("\u200e", "").split())


def _script_cues(lines: Iterator[Line]) -> Iterator[Cue]:
    """Yield the cues of SubStation Alpha: `Dialogue:` lines whose fields the `Format:` line names."""
    fields = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]
    in_events = False
    for line in lines:
        key, _, rest = line.text.strip().partition(":")
        if line.text.startswith("["):
            in_events = key.strip("[] ").lower() == "events"
        elif in_events and key == "Format":
            fields = [name.strip().lower() for name in rest.split(",")][:50]
        elif in_events and key == "Dialogue":
            values = dict(zip(fields, rest.split(",", len(fields) - 1), strict=False))
            yield _script_cue(values, line.number)


def _script_cue(values: dict[str, str], number: int) -> Cue:
    start, end = (_CLOCK_ONLY.match(values.get(key, "")) for key in ("start", "end"))
    text = values.get("text", "")
    text = "" if _DRAWING.search(text) else text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    text = "\n".join(clean for part in text.split("\n") if (clean := clean_cue(part)))
    if text and (name := values.get("name", values.get("actor", "")).strip()):
        text = f"{name}: {text}"
    begins = _seconds(start.groups()) if start else None
    return Cue(begins, _seconds(end.groups()) if end else 0.0, text, number, number)
