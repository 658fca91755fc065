"""One file to clean pieces, in this process: finds nothing out about types, protects nobody. The sandbox calls it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

from files.extraction.base import ExtractionError, Extractor, Source
from files.extraction.cleaning import clean_piece
from files.extraction.document import Piece, Segment
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EmptyFile, MemoryLimit, OutputLimit, as_warning
from files.extraction.limits import Limits


def read_pieces(extractor: Extractor, source: Source, limits: Limits) -> Generator[Piece]:
    """Yield the clean pieces of `source`.

    After the first segment any ExtractionError becomes the last piece, a Warning of the same code: the text that was
    read is kept and the file is partial. Before it, the error is raised. A file without any text and without another
    warning gives the warning `no_text`. Raises ExtractionError and nothing else.
    """
    return keep_partial(_with_no_text_told(_bounded(_raising_only_ours(extractor, source, limits), source, limits)))


def keep_partial(pieces: Generator[Piece]) -> Generator[Piece]:
    """Yield `pieces`; an ExtractionError after the first segment ends them with a warning instead of a raise."""
    has_text = False
    try:
        with closing(pieces):
            for piece in pieces:
                has_text = has_text or isinstance(piece, Segment)
                yield piece
    except ExtractionError as error:
        if not has_text:
            raise
        yield as_warning(error)


def _raising_only_ours(extractor: Extractor, source: Source, limits: Limits) -> Iterator[Piece]:
    try:
        if source.path.stat().st_size == 0:
            raise EmptyFile
        for piece in extractor.extract(source, limits):
            yield from clean_piece(piece)
    except ExtractionError:
        raise
    except MemoryError as exc:
        raise MemoryLimit from exc
    except Exception as exc:  # a job ends here, and a third-party reader may raise anything
        raise ExtractionError(f"This file could not be read: its reader stopped ({type(exc).__name__}).") from exc


def _bounded(pieces: Iterator[Piece], source: Source, limits: Limits) -> Iterator[Piece]:
    allowed = limits.output_for(source.path.stat().st_size)
    for piece in pieces:
        if isinstance(piece, Segment):
            allowed -= len(piece.text.encode("utf-8"))
            if allowed < 0:
                raise OutputLimit
        yield piece


def _with_no_text_told(pieces: Iterator[Piece]) -> Generator[Piece]:
    told = False
    for piece in pieces:
        told = told or isinstance(piece, (Segment, PieceWarning))
        yield piece
    if not told:
        yield PieceWarning("no_text", "The file was read, and there is no text in it.")
