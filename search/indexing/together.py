"""Callers that wait at the same time are served together.

A model reads all of its weights for a batch of one as for a batch of eight: questions that come while another one is
under way share the next run. Who comes alone does not wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Waiting(Generic[Item, Result]):
    """What one caller asks for, and what became of it."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.taken = False
        self.result: Result | None = None


class Together(Generic[Item, Result]):
    """Runs `run` for one caller at a time, and for up to `most` of those that wait meanwhile and are `alike`."""

    def __init__(
        self, run: Callable[[Sequence[Item]], Sequence[Result]], *, alike: Callable[[Item], Hashable], most: int
    ) -> None:
        self._run = run
        self._alike = alike
        self._most = most
        self._changed = threading.Condition()
        self._waiting: list[_Waiting[Item, Result]] = []
        self._busy = False

    def __call__(self, item: Item) -> Result:
        """Return the result for `item`, or raise what a run raised that it shared."""
        mine: _Waiting[Item, Result] = _Waiting(item)
        with self._changed:
            self._waiting.append(mine)
            self._changed.wait_for(lambda: mine.result is not None or not (self._busy or mine.taken))
            if mine.result is not None:
                return mine.result
            group = self._take(mine)
        return self._serve(group)

    def _take(self, mine: _Waiting[Item, Result]) -> list[_Waiting[Item, Result]]:
        kind = self._alike(mine.item)
        others = [one for one in self._waiting if one is not mine and self._alike(one.item) == kind]
        group = [mine, *others[: self._most - 1]]
        for one in group:
            one.taken = True
            self._waiting.remove(one)
        self._busy = True
        return group

    def _serve(self, group: Sequence[_Waiting[Item, Result]]) -> Result:
        results: Sequence[Result] = ()
        try:
            results = self._run([one.item for one in group])
        finally:
            with self._changed:
                for one, result in zip(group, results, strict=False):
                    one.result = result
                if not results:  # the first raises what went wrong; the others try again, and meet it themselves
                    for one in group[1:]:
                        one.taken = False
                    self._waiting += group[1:]
                self._busy = False
                self._changed.notify_all()
        return results[0]
