"""The reranker interface: a question and passages to scores, by reading both together.

Before it: `search.ranking.fusion`, which gives the passages. After it: `search.ranking.reranking`, which makes an order
of the scores. Importing this module or an implementation loads no model and no heavy library.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from orchestra.common.errors import OrchestraError


class RerankerUnavailable(OrchestraError):
    """The reranker cannot be loaded, does not answer, or answers with what is no score."""

    code = "reranker_unavailable"
    status = 503
    transient = True
    default_message = "The reranker cannot be used."
    default_hint = "Look at the RERANKER settings, then run manage.py doctor; RERANKER=off searches without it."


class Reranker(ABC):
    """Reads a question beside each passage and says how well the passage answers it.

    Thread-safe, and usable after a fork. What it loads or opens, it does at first use, once per process.
    """

    name: ClassVar[str]
    local: ClassVar[bool]
    """Whether the question and the passages stay in this process: private mode may use no other reranker."""

    @abstractmethod
    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Return one finite number per passage, higher is better, on the reranker's own scale.

        Raises RerankerUnavailable.
        """
