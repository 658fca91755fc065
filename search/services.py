"""Searches, as the API, the pages and the commands make them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, TypedDict, Unpack
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from orchestra.accounts.models import User
from orchestra.common.outbound.ledger import watched
from personas.facts import PersonaFacts
from search import history, metrics, questions, talking
from search.errors import EmptyQuery, ModeNotAllowed, UnknownMode
from search.filtering import ContentFilter
from search.hits import build_hits
from search.models import SearchAudit, SearchQuery
from search.modes import modes
from search.modes.base import Run, SearchMode, Writer
from search.persona_scope import narrowed
from search.ranking.fusion import Candidate, fuse
from search.retrieval import Scope, SearchRequest, SearchResult, Tuning
from search.talking import Talk
from search.timing import Stopwatch
from search.vector_stores import vector_stores
from search.writers import writer_for

logger = structlog.get_logger(__name__)

MAX_QUERY = 4000


class Options(TypedDict, total=False):
    """What a search may be told beside its question and its mode.

    `by_file` groups the passages of a file, None leaves that to the mode; `explain` adds how the ranking came about;
    `remember` says whether the question goes into the history, where the mode keeps one. A `persona` narrows the scope,
    adds its words to a model's instructions, and blocks its terms. A `talk` is the conversation that the question
    belongs to: it is understood by what came before, and kept there where the mode keeps anything.
    """

    scope: Scope | None
    limit: int
    tuning: Tuning | None
    by_file: bool | None
    explain: bool
    remember: bool
    persona: PersonaFacts | None
    talk: Talk | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a search whose mode keeps anything: in the history, and in which conversation."""

    remember: bool
    talk: Talk | None
    persona_id: UUID | None


def search(user: User, query: str, *, mode: str = "basic", **options: Unpack[Options]) -> SearchResult:
    """Search `user`'s files in a mode and remember the question, unless told otherwise.

    Raises EmptyQuery, UnknownMode, ModeNotAllowed.
    """
    return finish(begin(user, query, mode=mode, **options))


def finish(running: Run) -> SearchResult:
    """Return the result of a search that was begun."""
    while True:
        try:
            next(running)
        except StopIteration as ended:
            result: SearchResult = ended.value
            return result


def begin(user: User, query: str, *, mode: str = "basic", **options: Unpack[Options]) -> Run:
    """Return a search that is done while it is driven, in one context; closing it stops the work.

    What is wrong with the question or its asker is found at once. Raises EmptyQuery, UnknownMode, ModeNotAllowed.
    """
    text, chosen = _text(query), _allowed(user, mode)
    by_file = options.get("by_file")
    request = SearchRequest(
        text,
        options.get("scope") or Scope(user.pk),
        options.get("limit", 10),
        options.get("tuning") or Tuning(settings.SEARCH_WEIGHT, settings.SEARCH_DEPTH),
        chosen.by_file if by_file is None else by_file,
        options.get("explain", False),
        model=writer_for(user, chosen.writer),
    )
    persona, talk = options.get("persona"), options.get("talk")
    if persona is not None:
        request = _as_persona(request, persona, chosen)
    if talk is not None:
        request = talking.understood(request, talk)
    if chosen.permission:
        SearchAudit.objects.create(user=user, mode=chosen.name)
    return _run(user, chosen, request, _Kept(options.get("remember", True), talk, persona.id if persona else None))


def _as_persona(request: SearchRequest, persona: PersonaFacts, mode: SearchMode) -> SearchRequest:
    """Return the request as a persona makes it; a mode without filter hears its words without the product's rules.

    Its model is one of the usual provider's: the models of private and uncensored are chosen for what those promise.
    """
    return replace(
        request,
        scope=narrowed(request.scope, persona),
        filter=ContentFilter(blocked=persona.blocked_terms),
        voice=persona.unguarded if mode.writer is Writer.UNCENSORED else persona.system,
        model_name=persona.model if mode.writer is Writer.USUAL else "",
        temperature=request.temperature if persona.temperature is None else persona.temperature,
    )


def _run(user: User, mode: SearchMode, request: SearchRequest, kept: _Kept) -> Run:
    with watched() as left, metrics.Searching(mode.name):
        result = yield from mode.run(request)
    if left:
        result = replace(result, outbound=tuple(left))
    if request.question != request.query:
        result = replace(result, query=request.question, looked_for=request.query)
    if mode.remembered and kept.remember:
        _remember(user, request, result)
    if mode.remembered and kept.talk is not None:
        result = replace(result, conversation=talking.keep(user, kept.talk, result, kept.persona_id))
    return result


def _allowed(user: User, alias: str) -> SearchMode:
    """Return a mode. Raises UnknownMode, ModeNotAllowed."""
    if alias not in settings.SEARCH_MODES:
        raise UnknownMode(hint=f"Choose one of: {', '.join(modes.aliases())}.", mode=alias)
    mode = modes[alias]
    if mode.permission and not user.has_perm(mode.permission):
        raise ModeNotAllowed(mode=alias)
    return mode


def nearest(user: User, query: str, *, scope: Scope | None = None, limit: int = 10) -> SearchResult:
    """Search `user`'s files by vectors alone."""
    request = SearchRequest(_text(query), scope or Scope(user.pk), limit)
    watch = Stopwatch()
    with metrics.Searching(metrics.NO_MODE):
        with watch.step("embed"):
            embedded = questions.embed(request.query)
        with watch.step("vectors"):
            near = vector_stores["default"].neighbours(embedded, request.scope, limit) if embedded else []
        with watch.step("hits"):
            ranking = fuse([Candidate(n.passage, n.cosine, 0.0) for n in near], vector_weight=1.0)
            hits = build_hits(request, ranking, {})
    result = SearchResult(request.query, metrics.NO_MODE, hits, watch.milliseconds())
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
            text=request.question,
            filters=_filters(request.scope),
            result_ids=[hit.chunk_id for hit in result.hits],
            timings=result.timings,
            created_at=timezone.now(),
        )
    )
    logger.info("searched", mode=result.mode, hits=len(result.hits), milliseconds=result.timings)


def _filters(scope: Scope) -> dict[str, Any]:
    """Return what narrows a scope, as JSON."""
    filters = {key: value for key, value in asdict(scope).items() if value and key not in ("owner_id", "nothing")}
    return {key: list(map(str, value)) if isinstance(value, tuple) else str(value) for key, value in filters.items()}
