"""Which segments may share a chunk: headings are moved to the text that they introduce.

Between `files.extraction`, which yields segments, and `chunking`, which packs the words of one section at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from files.extraction.document import Place, Segment, SegmentKind


class Section(NamedTuple):
    """What a chunk never crosses."""

    part: tuple[str, ...]
    page: int | None
    slide: int | None
    sheet: str | None
    cell: int | None
    headings: tuple[str, ...]

    @classmethod
    def of(cls, place: Place) -> Section:
        """Return the section that `place` is in."""
        return cls(place.part, place.page, place.slide, place.sheet, place.cell, place.headings)


class Placed(NamedTuple):
    """A segment, and whether it opens a section even where its place does not change."""

    segment: Segment
    opens: bool


def with_joined_headings(segments: Iterable[Segment | None]) -> Iterator[Placed | None]:
    """Yield the segments in order, each heading at the place of the text below it; None comes out as it went in.

    A heading with no text of its own (the next one is not below it, or the slide or sheet ends) stays where it was.
    """
    waiting: list[Segment] = []
    for segment in segments:
        if segment is None:
            yield None
            continue
        yield from _opened([heading for heading in waiting if not _leads(heading, segment)])
        waiting = [heading for heading in waiting if _leads(heading, segment)]
        if segment.kind is SegmentKind.HEADING:
            waiting.append(segment)
            continue
        yield from _opened([_moved(heading, segment.place) for heading in waiting])
        yield Placed(segment, opens=False)
        waiting = []
    yield from _opened(waiting)


def _opened(headings: list[Segment]) -> Iterator[Placed]:
    for position, heading in enumerate(headings):
        yield Placed(heading, opens=position == 0)


def _leads(heading: Segment, below: Segment) -> bool:
    here, there = heading.place, below.place
    if (here.part, here.slide, here.sheet) != (there.part, there.slide, there.sheet):
        return False
    if not _near(here.page, there.page):
        return False
    title = heading.text.strip().lstrip("#").strip()
    return not there.headings or here.headings == there.headings or title in there.headings


def _near(page: int | None, below: int | None) -> bool:
    return page == below or (page is not None and below is not None and below == page + 1)


def _moved(heading: Segment, below: Place) -> Segment:
    own = heading.place
    if own.page != below.page:  # the line of another page would widen the chunk's range to nonsense
        return replace(heading, place=replace(below, line=None, line_end=None))
    return replace(heading, place=replace(below, line=own.line, line_end=own.line_end))
