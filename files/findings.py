"""What is kept of a reading: its pieces as the rows and fields that a file's record gets.

Between `files.extraction`, which yields pieces, and whoever keeps or shows them: the extract stage and `manage.py
extract`, so that the command shows what the stage stores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from files.extraction.document import Coverage, Metadata, Piece, Place, ReadBy, Segment, Thumbnail
from files.extraction.document import Warning as PieceWarning

_MAX_WARNINGS = 200
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,3}")


@dataclass
class Findings:
    """What a reading says beside its segments. Complete once `segments_of` is exhausted."""

    reader: ReadBy = field(default_factory=lambda: ReadBy(""))
    warnings: list[dict[str, object]] = field(default_factory=list)
    coverage: Coverage | None = None
    thumbnail: Thumbnail | None = None
    segments: int = 0
    characters: int = 0
    name_mismatch: str = ""
    _facts: dict[str, object] = field(default_factory=dict)

    @property
    def metadata(self) -> dict[str, object]:
        """The facts about the file, with the coverage among them, and whether its name claims another type."""
        coverage = {"coverage": asdict(self.coverage)} if self.coverage else {}
        mismatch = {"name_mismatch": self.name_mismatch} if self.name_mismatch else {}
        return {**self._facts, **coverage, **mismatch}

    @property
    def language(self) -> str:
        """The language tag that the file says it is in, or an empty string: source code has names of another kind."""
        told = str(self._facts.get("language") or "")
        return told[:16] if _LANGUAGE_TAG.fullmatch(told) else ""

    def segments_of(self, pieces: Iterable[Piece]) -> Iterator[Segment]:
        """Yield the segments among `pieces`, noting everything else on the way."""
        for piece in pieces:
            if isinstance(piece, Segment):
                yield piece
                self.segments += 1
                self.characters += len(piece.text)
            else:
                self._note(piece)

    def sentence(self) -> str:
        """Return in words who read the file, and how much of it."""
        parts = [f"Read by {self.reader.reader}"]
        if self.reader.gave_up:
            parts.append("after " + " and ".join(f"{name} gave up ({code})" for name, code in self.reader.gave_up))
        sentence = " ".join(parts)
        if self.coverage is not None:
            sentence += f": {self.coverage.done:,} of {self.coverage.total:,} {self.coverage.unit}"
        return sentence + "."

    def _note(self, piece: Piece) -> None:
        if isinstance(piece, Metadata):
            self._facts.update(piece.values)
        elif isinstance(piece, Coverage):
            self.coverage = piece
        elif isinstance(piece, ReadBy):
            self.reader = piece
        elif isinstance(piece, Thumbnail):
            self.thumbnail = piece
        elif isinstance(piece, PieceWarning) and len(self.warnings) < _MAX_WARNINGS:
            place = place_as_json(piece.place)
            self.warnings.append({"code": piece.code, "message": piece.message, "place": place})


def place_as_json(place: Place) -> dict[str, object]:
    """Return a place without its empty fields."""
    return {key: value for key, value in asdict(place).items() if value not in (None, ())}


def place_from_json(value: dict[str, object]) -> Place:
    """Return the place that `place_as_json` wrote."""
    known = {key: item for key, item in value.items() if key in Place.__dataclass_fields__}
    headings, part = known.pop("headings", ()), known.pop("part", ())
    return Place(**known, headings=tuple(headings), part=tuple(part))  # type: ignore[arg-type]  # as place_as_json wrote
