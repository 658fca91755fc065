"""The path of headings above a place in a document."""

from __future__ import annotations


class HeadingPath:
    """Follows headings in reading order. Levels are any numbers: smaller is higher."""

    def __init__(self) -> None:
        self._open: list[tuple[float, str]] = []
        self.path: tuple[str, ...] = ()
        self.title = ""

    def enter(self, level: float, text: str) -> tuple[str, ...]:
        """Enter a heading; return the headings above it. `path` holds them and it from now on."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        above = tuple(heading for _, heading in self._open)
        self._open.append((level, text))
        self.path = (*above, text)
        self.title = self.title or text
        return above

    @property
    def depth(self) -> int:
        """Return how many headings are open."""
        return len(self._open)
