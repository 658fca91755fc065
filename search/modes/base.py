"""The search mode interface; modes are chosen by alias from settings.SEARCH_MODES."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias, TypedDict, Unpack

from search import hybrid
from search.answering.answer import Event, Link, Step
from search.retrieval import Hit, SearchRequest, SearchResult

if TYPE_CHECKING:
    from search.answering.writing import Written
    from search.hybrid import Retrieved
    from search.timing import Stopwatch

Run: TypeAlias = Generator[Event, None, SearchResult]


class Writer(StrEnum):
    """Which language model a mode may use."""

    NONE = "none"
    USUAL = "usual"
    LOCAL = "local"
    UNCENSORED = "uncensored"


class More(TypedDict, total=False):
    """What some results have beside hits and answer."""

    steps: tuple[Step, ...]
    links: tuple[Link, ...]


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

    def _result(
        self,
        request: SearchRequest,
        found: Retrieved,
        hits: tuple[Hit, ...],
        watch: Stopwatch,
        written: Written,
        **more: Unpack[More],
    ) -> SearchResult:
        """Return what was found and written; `more` is what this mode alone has to show."""
        return SearchResult(
            request.query,
            self.name,
            hits,
            watch.milliseconds(),
            found.notes + written.notes,
            hybrid.explained(request, found),
            written.answer,
            **more,
        )
