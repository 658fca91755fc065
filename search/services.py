"""Searches, as the API, the pages and the commands make them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import structlog
from django.conf import settings
from django.utils import timezone

from orchestra.accounts.models import User
from search import history, questions
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
    by_file: bool = False,
    explain: bool = False,
    remember: bool = True,
) -> SearchResult:
    """Search `user`'s files in a mode and remember the question, unless told otherwise.

    `by_file` groups the passages of a file; `explain` adds how the ranking came about.
    Raises EmptyQuery, UnknownMode.
    """
    if mode not in settings.SEARCH_MODES:
        known = ", ".join(modes.aliases())
        raise UnknownMode(hint=f"Choose one of: {known}.", mode=mode)
    text = _text(query)
    tuning = tuning or Tuning(settings.SEARCH_WEIGHT, settings.SEARCH_DEPTH)
    request = SearchRequest(text, scope or Scope(user.pk), limit, tuning, by_file, explain)
    result = modes[mode].search(request)
    if remember:
        _remember(user, request, result)
    return result


def nearest(user: User, query: str, *, scope: Scope | None = None, limit: int = 10) -> SearchResult:
    """Search `user`'s files by vectors alone."""
    request = SearchRequest(_text(query), scope or Scope(user.pk), limit)
    watch = Stopwatch()
    with watch.step("embed"):
        embedded = questions.embed(request.query)
    with watch.step("vectors"):
        near = vector_stores["default"].neighbours(embedded, request.scope, limit) if embedded else []
    with watch.step("hits"):
        ranking = fuse([Candidate(n.passage, n.cosine, 0.0) for n in near], vector_weight=1.0)
        hits = build_hits(request, ranking, {})
    result = SearchResult(request.query, "vector", hits, watch.milliseconds())
    _remember(user, request, result)
    return result


def _text(query: str) -> str:
    text = query.replace("\x00", " ").strip()[:MAX_QUERY]
    if not text:
        raise EmptyQuery
    return text


def _remember(user: User, request: SearchRequest, result: SearchResult) -> None:
    history.remember(
        SearchQuery(
            user_id=user.pk,
            mode=result.mode,
            text=request.query,
            filters=_filters(request.scope),
            result_ids=[hit.chunk_id for hit in result.hits],
            timings=result.timings,
            created_at=timezone.now(),
        )
    )
    logger.info("searched", mode=result.mode, hits=len(result.hits), milliseconds=result.timings)


def _filters(scope: Scope) -> dict[str, Any]:
    """Return what narrows a scope, as JSON."""
    filters = {key: value for key, value in asdict(scope).items() if value and key != "owner_id"}
    return {key: list(map(str, value)) if isinstance(value, tuple) else str(value) for key, value in filters.items()}
