"""The search mode interface; modes are chosen by alias from settings.SEARCH_MODES."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from search.retrieval import SearchRequest, SearchResult


class SearchMode(ABC):
    """One way of answering a question. No state between calls."""

    name: ClassVar[str]

    @abstractmethod
    def search(self, request: SearchRequest) -> SearchResult:
        """Return the hits for `request`, best first."""
