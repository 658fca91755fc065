"""Why a file is not among the hits: not read, without text, filtered out, ruled out by the question, or outranked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Length

from files.models import FileRecord, FileStatus
from files.selectors import files_of, get_file, with_status
from files.states import SEARCHABLE
from files.status_text import status_text
from orchestra.accounts.models import User
from search import questions
from search.candidates import find
from search.errors import EmptyQuery
from search.models import IndexedFile
from search.passages import document_of
from search.ranking.query_syntax import parse_query
from search.retrieval import Found, Scope, Tuning
from search.vector_stores import vector_stores

DEEP = 2_000
"""How far down the rankings a file's place is looked for."""

_MOST_NAMED = 3
_FILTERS = {
    "file_ids": "the choice of files",
    "kinds": "the filter on kinds",
    "tags": "the filter on tags",
    "added_from": "the filter on when it was added",
    "added_before": "the filter on when it was added",
    "any_tags": "the persona's tags",
    "nothing": "the filter on kinds, of which the persona searches none",
}


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a file is not among the first hits, in a code and a sentence.

    `code` is one of present, not_ready, failed, cancelled, no_text, not_indexed, disabled, filtered, ruled_out,
    outranked. `rank` is the place of its best passage among all that were compared, from 1; None where none was.
    `details` has figures: cosine, keyword, filters.
    """

    file_id: UUID
    file_name: str
    code: str
    message: str
    rank: int | None = None
    details: dict[str, object] = field(default_factory=dict)


def why_absent(
    user: User, query: str, file_id: UUID, *, scope: Scope | None = None, limit: int = 10, tuning: Tuning | None = None
) -> Absence:
    """Explain where a file of the user's stands for a question. Raises FileNotFound, EmptyQuery."""
    file = get_file(user, file_id)
    scope = scope or Scope(user.pk)
    if (reason := _unsearchable(file)) or (reason := _filtered(user, file, scope)):
        return reason
    parsed = parse_query(query.replace("\x00", " ").strip())
    if not parsed.text:
        raise EmptyQuery
    tuning = tuning or Tuning(settings.SEARCH_WEIGHT, settings.SEARCH_DEPTH)
    embedded, store = questions.embed(parsed.text), vector_stores["default"]
    document = IndexedFile.objects.get(file=file).number
    usual = find(parsed, scope, max(tuning.depth, limit), embedded, store)
    deep = find(parsed, scope, DEEP, embedded, store, including=document)
    order = _ordered(usual.found, deep.found, tuning.weight)
    return _standing(file, order, document, limit)


def absences(user: User, query: str, name: str, scope: Scope | None = None) -> list[Absence]:
    """Explain where the files whose names have `name` in them stand: the few with the shortest names."""
    found = files_of(user).filter(name__icontains=name.replace("\x00", "")).order_by(Length("name"), "pk")
    return [
        why_absent(user, query, file_id, scope=scope) for file_id in found.values_list("pk", flat=True)[:_MOST_NAMED]
    ]


def _unsearchable(file: FileRecord) -> Absence | None:
    said = status_text(with_status([file])[0])
    sentence = f"{said.label}. {said.detail}".strip()
    if file.status == FileStatus.FAILED:
        return Absence(file.pk, file.name, "failed", f"It could not be read: {file.error_message}")
    if file.status == FileStatus.CANCELLED:
        return Absence(file.pk, file.name, "cancelled", "Reading it was cancelled. Retry it to make it searchable.")
    if file.status not in SEARCHABLE:
        return Absence(file.pk, file.name, "not_ready", f"It is not read yet: {sentence}")
    return _without_passages(file)


def _without_passages(file: FileRecord) -> Absence | None:
    if not file.chunk_count:
        return Absence(file.pk, file.name, "no_text", "It was read, but holds no text that could be found.")
    document = IndexedFile.objects.filter(file=file).first()
    if document is None:
        return Absence(file.pk, file.name, "not_indexed", "Its passages are missing from the index. Retry the file.")
    if document.disabled_count >= document.chunk_count:
        return Absence(file.pk, file.name, "disabled", "All of its passages are disabled, on the file's page.")
    return None


def _filtered(user: User, file: FileRecord, scope: Scope) -> Absence | None:
    """Name the filters that leave the file out."""
    files = files_of(user).filter(pk=file.pk)
    passing = {
        "file_ids": not scope.file_ids or file.pk in scope.file_ids,
        "kinds": not scope.kinds or file.kind in scope.kinds,
        "tags": not scope.tags or files.filter(tags__contains=list(scope.tags)).exists(),
        "added_from": scope.added_from is None or file.created_at >= scope.added_from,
        "added_before": scope.added_before is None or file.created_at < scope.added_before,
        "any_tags": not scope.any_tags or files.filter(tags__overlap=list(scope.any_tags)).exists(),
        "nothing": not scope.nothing,
    }
    out = [name for name, passes in passing.items() if not passes]
    if not out:
        return None
    sentence = f"It is left out by {' and by '.join(dict.fromkeys(_FILTERS[name] for name in out))}."
    return Absence(file.pk, file.name, "filtered", sentence, details={"filters": out})


def _standing(file: FileRecord, order: Sequence[Found], document: int, limit: int) -> Absence:
    own = next(((rank, one) for rank, one in enumerate(order, 1) if document_of(one.passage) == document), None)
    if own is None:
        return Absence(
            file.pk, file.name, "ruled_out", "The question rules it out: an excluded word, or a phrase that it lacks."
        )
    rank, best = own
    details: dict[str, object] = {"cosine": round(best.cosine, 4), "keyword": round(best.keyword, 4), "of": len(order)}
    if rank <= limit:
        return Absence(file.pk, file.name, "present", f"It is there: its best passage has place {rank}.", rank, details)
    words = "has none of the question's words" if best.keyword <= 0 else "matches the words less well"
    sentence = f"Other passages answer better: its best one has place {rank:,} of {len(order):,} compared, and {words}."
    return Absence(file.pk, file.name, "outranked", sentence, rank, details)


def _ordered(usual: Sequence[Found], deep: Sequence[Found], weight: float) -> list[Found]:
    """Return all that was compared, best first, on the scale that the usual search has: what is below it goes on below.

    Widening the candidates would move both ends of the scale, and with them the order of the first hits.
    """
    cosine, keyword = _scale([one.cosine for one in usual]), _scale([one.keyword for one in usual])

    def score(one: Found) -> float:
        return weight * cosine(one.cosine) + (1 - weight) * keyword(one.keyword)

    every = {one.passage: one for one in (*deep, *usual)}
    return sorted(every.values(), key=lambda one: (-score(one), -one.cosine, -one.keyword, one.passage))


def _scale(values: Sequence[float]) -> Callable[[float], float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    return lambda value: (value - low) / (high - low) if high > low else float(value > 0)
