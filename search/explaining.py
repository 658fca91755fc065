"""How a ranking came about: what was searched, by which method, and what each word of the question weighed."""

from __future__ import annotations

from search import spaces
from search.candidates import Candidates
from search.owners import facts_of
from search.retrieval import Explanation, SearchRequest


def explanation_of(request: SearchRequest, candidates: Candidates, reranker: str = "") -> Explanation:
    """Return what a search did, beside the parts of each hit's score."""
    space = spaces.searched()
    return Explanation(
        weight=request.tuning.weight,
        depth=request.tuning.depth,
        passages=facts_of(request.scope.owner_id, space).passages if space else 0,
        candidates=len(candidates.found),
        method=candidates.method,
        reranker=reranker,
        terms={lexeme: round(weight, 4) for lexeme, weight in candidates.weights.items()},
    )
