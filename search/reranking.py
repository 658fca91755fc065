"""The best of the fused passages read again, where a reranker is configured, and put into its order.

Between `ranking.fusion` and `hits`. A reranker that does not answer costs the search its order, not its hits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from search.hits import read_passages
from search.ranking.fusion import Fused
from search.ranking.reranking import rerank
from search.rerankers import reranker
from search.rerankers.base import RerankerUnavailable
from search.retrieval import SearchRequest


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """A ranking after the second reading: the reranker's score of each passage that it read, and its name.

    `notes` say what could not be done.
    """

    ranking: Sequence[Fused[int]]
    scores: dict[int, float] = field(default_factory=dict)
    name: str = ""
    notes: tuple[str, ...] = ()


def read_again(request: SearchRequest, text: str, ranking: Sequence[Fused[int]], *, local: bool = False) -> ReadAgain:
    """Return the ranking in the reranker's order; as it is where none is configured or it does not answer.

    A reranker that is another server reads what the request's filter leaves, and nothing where all must be `local`.
    """
    model = reranker()
    if model is None or not ranking or (local and not model.local):
        return ReadAgain(ranking)
    head = ranking[: settings.RERANK_DEPTH]
    passages = read_passages(request.scope.owner_id, [fused.id for fused in head])
    head = [fused for fused in head if fused.id in passages]
    clean: Callable[[str], str] = str if model.local else request.filter.clean
    try:
        scores = model.scores(text, [clean(passages[fused.id].text) for fused in head])
    except RerankerUnavailable as error:
        return ReadAgain(ranking, notes=(f"The best passages were not read again. {error.message}",))
    order = rerank([*head, *ranking[settings.RERANK_DEPTH :]], scores)
    told = {one.fused.id: one.score for one in order if one.score is not None}
    return ReadAgain([one.fused for one in order], told, model.name)
