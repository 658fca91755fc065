"""One file to clean pieces, in this process: finds nothing out about types, protects nobody. The sandbox calls it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

from files.extraction.base import ExtractionError, Extractor, Source
from files.extraction.children import Children
from files.extraction.cleaning import clean_piece
from files.extraction.document import Piece, Segment
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EmptyFile, OutputLimit, as_warning
from files.extraction.guarding import raising_only_ours
from files.extraction.limits import Limits


def read_pieces(extractor: Extractor, source: Source, limits: Limits) -> Generator[Piece]:
    """Yield the clean pieces of `source`.

    After the first segment any ExtractionError becomes the last piece, a Warning of the same code: the text that was
    read is kept and the file is partial. Before it, the error is raised. A file without any text and without another
    warning gives the warning `no_text`, unless its type is complete without (`Extractor.expects_text`). Raises
    ExtractionError and nothing else.
    """
    pieces = _bounded(raising_only_ours(_clean(extractor, source, limits)), source, limits)
    return keep_partial(_with_no_text_told(pieces) if extractor.expects_text else pieces)


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


def _clean(extractor: Extractor, source: Source, limits: Limits) -> Iterator[Piece]:
    if source.path.stat().st_size == 0:
        raise EmptyFile
    children = Children(limits)
    for piece in children.expand(extractor.extract(source, limits), source):
        yield from clean_piece(piece)
    for piece in children.told():
        yield from clean_piece(piece)


def _bounded(pieces: Iterator[Piece], source: Source, limits: Limits) -> Generator[Piece]:
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
