"""Office files behind a password: recognised by their container, so that the user is told what to do."""

from __future__ import annotations

from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Piece
from files.extraction.errors import EncryptedFile
from files.extraction.limits import Limits


class EncryptedExtractor(Extractor):
    """Reads nothing: says that the file needs a password."""

    def extract(self, _source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Raise EncryptedFile."""
        raise EncryptedFile
