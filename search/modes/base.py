"""The search mode interface; modes are chosen by alias from settings.SEARCH_MODES."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from enum import StrEnum
from typing import ClassVar, TypeAlias

from search.answering.answer import Event
from search.retrieval import SearchRequest, SearchResult

Run: TypeAlias = Generator[Event, None, SearchResult]


class Writer(StrEnum):
    """Which language model a mode may use."""

    NONE = "none"
    USUAL = "usual"
    LOCAL = "local"
    UNCENSORED = "uncensored"


class SearchMode(ABC):
    """One way of answering a question. No state between calls.

    `writer` says which model writes its answer where one is configured; `describes` is a line for people who choose.
    """

    name: ClassVar[str]
    describes: ClassVar[str]
    writer: ClassVar[Writer] = Writer.NONE
    remembered: ClassVar[bool] = True
    """Whether its questions go into their user's history."""
    permission: ClassVar[str] = ""
    """What a user needs to search so; each such search leaves an audit row. Empty: nothing."""
    by_file: ClassVar[bool] = False
    """Whether hits are grouped by file where the caller does not say."""

    @abstractmethod
    def run(self, request: SearchRequest) -> Run:
        """Yield what can be shown meanwhile and return the result: the hits, best first, and all that was yielded.

        Closing the generator stops the work, and with it the model's call. Raises EmptyQuery.
        """

    def search(self, request: SearchRequest) -> SearchResult:
        """Return the result of a whole run."""
        running = self.run(request)
        while True:
            try:
                next(running)
            except StopIteration as ended:
                result: SearchResult = ended.value
                return result
