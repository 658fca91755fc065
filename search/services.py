"""Searches, as the API, the pages and the commands make them."""

from __future__ import annotations

from dataclasses import asdict

import structlog
from django.conf import settings

from orchestra.accounts.models import User
from search.embedders import embedders
from search.errors import EmptyQuery, UnknownMode
from search.hits import build_hits
from search.models import SearchQuery
from search.modes import modes
from search.ranking.fusion import Candidate, fuse
from search.retrieval import Scope, SearchRequest, SearchResult, Tuning
from search.timing import Stopwatch
from search.vector_stores import vector_stores

logger = structlog.get_logger(__name__)

MAX_QUERY = 4000


def search(  # one question, its options by name
    user: User,
    query: str,
    *,
    mode: str = "basic",
    scope: Scope | None = None,
    limit: int = 10,
    tuning: Tuning | None = None,
    remember: bool = True,
) -> SearchResult:
    """Search `user`'s files in a mode and remember the question, unless told otherwise.

    Raises EmptyQuery, UnknownMode.
    """
    if mode not in settings.SEARCH_MODES:
        known = ", ".join(modes.aliases())
        raise UnknownMode(hint=f"Choose one of: {known}.", mode=mode)
    request = _request(user, query, scope, limit, tuning)
    result = modes[mode].search(request)
    if remember:
        _remember(user, request, result)
    return result


def nearest(user: User, query: str, *, scope: Scope | None = None, limit: int = 10) -> SearchResult:
    """Search `user`'s files by vectors alone."""
    request = _request(user, query, scope, limit)
    watch = Stopwatch()
    with watch.step("embed"):
        vector = embedders["default"].embed_query(request.query)
    with watch.step("vectors"):
        near = vector_stores["default"].nearest(vector, request.scope, request.limit)
    with watch.step("hits"):
        hits = build_hits(request, fuse([Candidate(n.chunk_id, n.score, 0.0) for n in near], vector_weight=1.0))
    result = SearchResult(request.query, "vector", hits, watch.milliseconds())
    _remember(user, request, result)
    return result


def _request(user: User, query: str, scope: Scope | None, limit: int, tuning: Tuning | None = None) -> SearchRequest:
    text = query.replace("\x00", " ").strip()[:MAX_QUERY]
    if not text:
        raise EmptyQuery
    tuning = tuning or Tuning(settings.SEARCH_WEIGHT, settings.SEARCH_DEPTH)
    return SearchRequest(text, scope or Scope(user.pk), limit, tuning)


def _remember(user: User, request: SearchRequest, result: SearchResult) -> None:
    filters = {key: value for key, value in asdict(request.scope).items() if value and key != "owner_id"}
    SearchQuery.objects.create(
        user=user,
        mode=result.mode,
        text=request.query,
        filters={key: [str(item) for item in value] for key, value in filters.items()},
        result_ids=[hit.chunk_id for hit in result.hits],
        timings=result.timings,
    )
    logger.info("searched", mode=result.mode, hits=len(result.hits), milliseconds=result.timings)
