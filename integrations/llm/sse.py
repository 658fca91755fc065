"""Server-sent events out of a body that comes in pieces: the data of one event after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from integrations.llm.base import ModelUnavailable

_LONGEST_LINE = 1024 * 1024


def events(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield each event's data; comments, names and ids are passed over, bytes that are no text replaced.

    Raises ModelUnavailable for a line that does not end. How much there may be in all is the caller's matter.
    """
    data: list[str] = []
    for line in _lines(pieces):
        if not line and data:
            yield "\n".join(data)
            data = []
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
    if data:
        yield "\n".join(data)


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    waiting = bytearray()
    for piece in pieces:
        searched = len(waiting)
        waiting += piece
        start = 0
        while (end := waiting.find(b"\n", max(start, searched))) >= 0:
            yield _text(waiting[start:end])
            start = end + 1
        del waiting[:start]
        if len(waiting) > _LONGEST_LINE:
            raise ModelUnavailable("The model answered with a line that does not end.")
    if waiting:
        yield _text(waiting)


def _text(line: bytes | bytearray) -> str:
    return line.decode("utf-8", "replace").removesuffix("\r")
