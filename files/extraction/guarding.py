"""Where the reading of a file, or of a file inside it, ends: whatever a reader raises becomes one of our errors."""

from __future__ import annotations

from collections.abc import Iterator

from files.extraction.base import ExtractionError
from files.extraction.document import Piece
from files.extraction.errors import MemoryLimit


def raising_only_ours(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield `pieces`. Raises ExtractionError and nothing else."""
    try:
        yield from pieces
    except ExtractionError:
        raise
    except MemoryError as exc:
        raise MemoryLimit from exc
    except Exception as exc:  # a job ends here, and a third-party reader may raise anything
        raise ExtractionError(f"This file could not be read: its reader stopped ({type(exc).__name__}).") from exc
