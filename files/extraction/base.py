"""The extractor interface: one media-type family per module, no state between calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from files.extraction.document import Piece
from files.extraction.limits import Limits
from files.extraction.options import Options
from orchestra.common.errors import OrchestraError


class ExtractionError(OrchestraError):
    """A file cannot be read. Subclasses carry the code that the file's record will show.

    `hands_over` tells whether another reader of the same type may do better.
    """

    hands_over: ClassVar[bool] = True
    code = "extraction_failed"
    status = 422
    default_message = "This file could not be read."


@dataclass(frozen=True, slots=True)
class Source:
    """The one input of an extraction: bytes on local disk, the name the user gave, the type found by content.

    `scratch` is a folder for this reading alone, removed after it; None where there is none. `depth` is 0 for the file
    itself, 1 for what is inside it.
    """

    path: Path
    name: str
    media_type: str
    options: Options = field(default_factory=Options)
    scratch: Path | None = None
    depth: int = 0


class Extractor(ABC):
    """Reads one family of formats: which ones, `registry` says.

    `extract` is a generator: memory stays flat, and what was yielded before an error is kept as a partial result.
    No I/O in the constructor, no state between calls. `starts_programs` asks the sandbox to let this reader start
    programs of the machine, which no other may. `expects_text` is False where the facts alone are a complete reading (a
    photo, a song): such a file without text is not told as partial.
    """

    starts_programs: ClassVar[bool] = False
    expects_text: ClassVar[bool] = True

    @abstractmethod
    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the pieces of `source` in reading order.

        Metadata may come more than once: later values win. Raises ExtractionError; `files.extraction.reading` turns
        one that comes after the first segment into a warning.
        """
