"""A file's rows of postings on their way to the database, on disk: made while passages come, copied in the end.

Before it: `chunking`. After it: `writing`, whose transaction then has only to copy. Making the rows takes several times
as long as copying them, and while that transaction is open nobody can cancel the job.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import Self

from search.indexing.keyword_rows import BLOCK, KeywordRow, KeywordRows
from search.stemming import stems

_COPY_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_COPIED_AT_ONCE = 1024 * 1024


class PostingSpool:
    """The rows of passages that come in the order of their ordinals; at most one block of passages is in memory."""

    def __init__(self, configuration: str, *, code: bool = False) -> None:
        self.configuration = configuration
        self.code = code
        self._rows = KeywordRows(configuration, stems, code=code)
        self._block: list[tuple[int, str]] = []
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115  # closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def length(self) -> int:
        """The sum of the lengths of the passages whose rows are made."""
        return self._rows.length

    def add(self, passages: Iterable[tuple[int, str]]) -> None:
        """Take ordinals and texts; make the rows of each block that is whole."""
        for passage in passages:
            if self._block and passage[0] // BLOCK != self._block[0][0] // BLOCK:
                self.finish()
            self._block.append(passage)

    def finish(self) -> None:
        """Make the rows of the passages that came last."""
        rows = self._rows.rows(self._block)
        # In the order of the index that they will stand in, so that neighbours go to the same page of it.
        self._file.writelines(map(_as_text, sorted(rows, key=lambda row: row.lexeme)))
        self._block = []

    def parts(self, start: str) -> Iterator[str]:
        """Yield all rows in COPY's text format, many at a time, each beginning with `start`."""
        self._file.seek(0)
        while lines := self._file.readlines(_COPIED_AT_ONCE):
            yield start + start.join(lines)


def _as_text(row: KeywordRow) -> str:
    """Return a row in COPY's text format: with a hundred rows a passage, packing them one by one is what costs."""
    postings = ",".join(map(str, row.postings))
    return f"{row.block}\t{row.lexeme.translate(_COPY_ESCAPES)}\t{{{postings}}}\n"
