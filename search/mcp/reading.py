"""The tool `read_file`: a file's text by and by, with places, masked before it is cut."""

from __future__ import annotations

from dataclasses import dataclass

from files.places import describe_place
from files.selectors import get_file, segments_of
from orchestra.accounts.models import User
from search.filtering import MASKING
from search.mcp.answers import FileText, TextPart
from search.mcp.arguments import ReadFileArguments

_SEGMENTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place to continue at: a segment by its number, and how many characters of it were given."""

    ordinal: int
    character: int

    def __str__(self) -> str:
        return f"{self.ordinal}:{self.character}" if self.character else str(self.ordinal)


def read_file(user: User, asked: ReadFileArguments) -> FileText:
    """Return at most so many characters of a file of the user's. Raises FileNotFound."""
    file = get_file(user, asked.file)
    ordinal, _, character = asked.start.partition(":")
    mark = _Mark(int(ordinal), int(character or 0))
    parts: list[TextPart] = []
    # One more than are looked at tells whether there is more.
    segments = list(segments_of(file).filter(ordinal__gte=mark.ordinal)[: _SEGMENTS_AT_ONCE + 1])
    left, after = asked.limit, _Mark(segments[-1].ordinal, 0) if len(segments) > _SEGMENTS_AT_ONCE else None
    for segment in segments[:_SEGMENTS_AT_ONCE]:
        # Masked as a whole: a secret that lies across the cut would otherwise be shown in two halves.
        begin = mark.character if segment.ordinal == mark.ordinal else 0
        text = MASKING.clean(segment.text)[begin:]
        given = text[:left]
        if given:
            parts.append(TextPart(place=describe_place(segment.place), text=given))
        left -= len(given)
        if len(given) < len(text):
            after = _Mark(segment.ordinal, begin + len(given))
            break
    return FileText(
        file=file.pk, name=file.name, status=file.status, parts=tuple(parts), next=str(after) if after else None
    )
