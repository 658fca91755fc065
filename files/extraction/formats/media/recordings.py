"""What readers of sound and film share: tags as text, chapters, and what is said where an engine is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from files.extraction.base import Source
from files.extraction.document import Piece, Place, Segment, SegmentKind
from files.extraction.limits import Limits
from files.extraction.speech.reading import transcribed

LABELS = (
    ("title", ""),
    ("subtitle", ""),
    ("artist", "By"),
    ("album_artist", "Album by"),
    ("album", "Album"),
    ("show", "Show"),
    ("composer", "Composer"),
    ("lyricist", "Lyricist"),
    ("conductor", "Conductor"),
    ("director", "Director"),
    ("actors", "With"),
    ("genre", "Genre"),
    ("year", "Year"),
    ("recorded", "Recorded"),
    ("publisher", "Publisher"),
    ("keywords", "Keywords"),
    ("subject", "Subject"),
    ("copyright", "Copyright"),
)
TEXTS = ("description", "synopsis", "comment", "lyrics")
_SEGMENT_CHARS = 1_500


def texts(facts: Mapping[str, object]) -> Iterator[Segment]:
    """Yield the tags that hold prose, each once, cut at lines into segments of a passage's size."""
    seen: set[str] = set()
    for key in TEXTS:
        value = facts.get(key)
        for text in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(text, str) and text.strip() and text.strip() not in seen:
                seen.add(text.strip())
                yield from (Segment(part) for part in _parts(text.strip()))


def _parts(text: str) -> Iterator[str]:
    held: list[str] = []
    for line in text.splitlines():
        if held and sum(map(len, held)) + len(line) > _SEGMENT_CHARS:
            yield "\n".join(held)
            held = []
        held.append(line)
    yield "\n".join(held)


def chapters(marks: Iterable[tuple[float, str]]) -> Iterator[Segment]:
    """Yield chapters as headings at their second."""
    for second, title in marks:
        yield Segment(f"# {title}", SegmentKind.HEADING, Place(second=round(second, 3)))


def transcript(source: Source, limits: Limits) -> Iterator[Piece]:
    """Yield what is said, where an engine and its model are chosen."""
    yield from transcribed(source, limits)
