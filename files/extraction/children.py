"""Files inside a file: each is read by the extractor of its own type, within one budget for the whole tree.

Runs in the reading process, so what an attachment does can at worst end the reading of the file it hangs on: what was
read before is kept. Text of a child carries the child's name as the first part of its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from files.extraction.base import ExtractionError, Extractor, Source
from files.extraction.cleaning import clean_text
from files.extraction.detection import detect
from files.extraction.document import Child, Metadata, Piece, Place, Segment
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import LimitReached, UnsupportedFormat
from files.extraction.guarding import raising_only_ours
from files.extraction.limits import Limits
from files.extraction.media_types import kind_of
from files.extraction.options import Options
from files.extraction.registry import find

_NAME_CHARS = 200
_QUIET = ("no_text", "needs_ocr")  # a logo without text does not make a mail partial


@dataclass(slots=True)
class _Budget:
    """What is left for all children of one file."""

    files: int
    size: int
    listed: list[dict[str, object]] = field(default_factory=list)


class Children:
    """Reads the children of one file."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._budget = _Budget(limits.children, limits.child_bytes)
        self._written = 0

    def expand(self, pieces: Iterator[Piece], source: Source) -> Iterator[Piece]:
        """Yield `pieces` of `source` with every Child replaced by what is in it."""
        for piece in pieces:
            if isinstance(piece, Child):
                yield from self._read(piece, source)
            else:
                yield piece

    def told(self) -> Iterator[Piece]:
        """Yield what became of the children, as metadata of the whole file."""
        if self._budget.listed:
            yield Metadata({"children": self._budget.listed})

    def _read(self, child: Child, parent: Source) -> Iterator[Piece]:
        name = clean_text(child.name).strip()[:_NAME_CHARS] or "without name"
        entry: dict[str, object] = {"name": name, "depth": parent.depth + 1, "read": False}
        refusal = self._refusal(parent)
        if refusal or parent.scratch is None:
            yield PieceWarning("child_not_read", f"{name} inside this file was not read: {refusal}", child.place)
            return
        self._budget.files -= 1
        self._budget.listed.append(entry)
        path = self._scratch_file(parent.scratch)
        try:
            entry["size"] = self._unpack(child, path)
            if not entry["size"]:
                return
            found = detect(path, name)
            entry["media_type"] = found.media_type
            if found.mismatch:
                entry["name_mismatch"] = found.mismatch
            options = _options_inside(parent)
            source = Source(path, name, found.media_type, options, scratch=parent.scratch, depth=parent.depth + 1)
            yield from self._pieces(find(found.media_type), source, child.place, entry)
            entry["read"] = True
        except UnsupportedFormat:
            pass  # listed as not read; a program in an attachment does not make a mail partial
        except ExtractionError as error:
            entry["error"] = error.code
            yield PieceWarning(error.code, f"{name} inside this file: {error.message}", child.place)
        finally:
            path.unlink(missing_ok=True)

    def _pieces(self, extractor: Extractor, source: Source, place: Place, entry: dict[str, object]) -> Iterator[Piece]:
        """Yield the child's own text and warnings, placed inside it; its metadata goes to its entry."""
        pieces = self.expand(extractor.extract(source, self._limits), source)
        for piece in raising_only_ours(pieces):
            if isinstance(piece, Segment) or (isinstance(piece, PieceWarning) and piece.code not in _QUIET):
                yield replace(piece, place=_inside(piece.place, source.name, place))
            elif isinstance(piece, Metadata) and piece.values.get("title"):
                entry["title"] = piece.values["title"]

    def _refusal(self, parent: Source) -> str:
        if parent.scratch is None:
            return "there is no place to unpack it."
        if parent.depth >= self._limits.child_depth:
            return f"it lies more than {self._limits.child_depth} files deep."
        if self._budget.files <= 0:
            return f"only the first {self._limits.children} are."
        return "" if self._budget.size > 0 else "what is inside is larger than the limit allows."

    def _scratch_file(self, scratch: Path) -> Path:
        self._written += 1
        return scratch / f"child-{self._written}"

    def _unpack(self, child: Child, path: Path) -> int:
        """Write the child's bytes; raise before the budget is passed, so that no bomb unpacks."""
        size = 0
        with path.open("wb") as file:
            for chunk in child.chunks:
                size += len(chunk)
                if size > self._budget.size:
                    self._budget.size = 0
                    raise LimitReached("What is inside the file is larger than the limit allows.")
                file.write(chunk)
        self._budget.size -= size
        return size


def _options_inside(parent: Source) -> Options:
    """Return the options for what is inside `parent`.

    An archive that someone put into a document or a mail is part of what it says, so it is opened; an archive that was
    uploaded as such is, when the administrator wants it.
    """
    if kind_of(parent.media_type) == "archive":
        return parent.options
    return replace(parent.options, archive_members=True)


def _inside(place: Place, name: str, outer: Place) -> Place:
    """Return `place`, which counts inside `name`, as seen from the file that holds it at `outer`."""
    page = place.page or (outer.page if not place.slide else None)
    return replace(place, part=(*outer.part, name, *place.part), page=page)
