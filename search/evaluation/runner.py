"""A collection through the product's own path: its documents become files of an account of their own, its questions
searches.

The account is named after the collection and cannot sign in, so that its words weigh on nobody else's ranking. What
is there from an earlier run is used again: equal bytes are the same file.
"""

from __future__ import annotations

import html
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from django.utils.text import slugify

from files import pipeline
from files.ingesting import ingest
from files.selectors import counts_by_status, files_of
from files.states import TERMINAL
from orchestra.accounts.models import User
from search import services, spaces
from search.evaluation.collections import Collection, Document, Question
from search.evaluation.metrics import ANSWER_SHARE, answer_share, measure
from search.evaluation.significance import Comparison, compare
from search.ranking.diversity import spread
from search.retrieval import Scope, SearchResult, Tuning
from search.vector_stores.reading import vectors_of

LIMIT = 100
DISTANCE = "distance in 10"
"""A measure of diversity, not of quality."""

_FIRST = 10
_PASSAGES = 5
_PAUSE = 0.5

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a run is done with: a mode and its tuning."""

    mode: str
    tuning: Tuning

    def __str__(self) -> str:
        return f"{self.mode}, weight {self.tuning.weight:g}, depth {self.tuning.depth}"


@dataclass
class Report:
    """The values of each question under one configuration, by question and measure; milliseconds per search."""

    configuration: Configuration
    values: dict[str, dict[str, float]] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)

    def means(self) -> dict[str, float]:
        """Return the mean of each measure over the questions."""
        names = next(iter(self.values.values()))
        return {name: sum(row[name] for row in self.values.values()) / len(self.values) for name in names}

    def latency(self, share: float) -> float:
        """Return the milliseconds that `share` of the searches stayed within."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def against(self, other: Report) -> dict[str, Comparison]:
        """Compare with a run over the same questions, measure by measure."""
        return {
            name: compare([self.values[q][name] for q in self.values], [other.values[q][name] for q in self.values])
            for name in self.means()
        }


def account_for(collection: Collection) -> User:
    """Return the account that holds the collection's documents; nobody can sign in as it."""
    user, made = User.objects.get_or_create(
        username=f"evaluation-{slugify(collection.name)[:100]}", defaults={"is_active": False}
    )
    if made:
        user.set_unusable_password()
        user.save()
    return user


def take_in(collection: Collection, owner: User, tell: Tell) -> dict[str, int]:
    """Ingest the documents, wait until each is read, and return how many ended in which status.

    Works on the queue itself, beside whatever workers there are.
    """
    known = set(files_of(owner).values_list("name", flat=True))
    with tempfile.TemporaryDirectory() as folder:
        for number, document in enumerate(collection.documents()):
            name = _file_name(document)
            if name not in known:
                path = Path(folder, name)
                path.write_text(_file_text(document), "utf-8")
                ingest(owner, path)
                path.unlink()
            tell("Taking in", number + 1, 0)
    waiting = files_of(owner).exclude(status__in=TERMINAL)
    total = waiting.count()
    while left := waiting.count():
        tell("Reading", total - left, total)
        if not pipeline.work("evaluation"):
            time.sleep(_PAUSE)  # the rest is with other workers
    return counts_by_status(owner)


def run(collection: Collection, owner: User, configuration: Configuration, tell: Tell) -> Report:
    """Ask every question and return what was measured."""
    report = Report(configuration)
    texts = _texts_with_answers(collection)
    for number, question in enumerate(collection.questions, 1):
        started = time.perf_counter()
        result = services.search(
            owner,
            question.text,
            mode=configuration.mode,
            limit=LIMIT,
            tuning=configuration.tuning,
            by_file=False,
            remember=False,
        )
        report.milliseconds.append((time.perf_counter() - started) * 1000)
        report.values[question.id] = {**_values(question, result, texts), DISTANCE: _distance(owner, result)}
        tell(str(configuration), number, len(collection.questions))
    return report


def _values(question: Question, result: SearchResult, texts: dict[str, str]) -> dict[str, float]:
    passages = [(_document_id(hit.file_name), hit.text) for hit in result.hits]
    values = measure(list(dict.fromkeys(document for document, _ in passages)), question.grades)
    if question.spans:
        values[ANSWER_SHARE] = answer_share(passages[:_PASSAGES], texts, question.spans)
    return values


def _distance(owner: User, result: SearchResult) -> float:
    """Return how unlike the first hits are: the mean distance (1 - cosine) of all pairs of them."""
    import numpy as np

    space = spaces.searched()
    first = [hit.passage for hit in result.hits[:_FIRST]]
    vectors = vectors_of(first, Scope(owner.pk), space) if space and first else {}
    return spread(np.stack(list(vectors.values()))) if vectors else 0.0


def _texts_with_answers(collection: Collection) -> dict[str, str]:
    wanted = {document for question in collection.questions for document in question.spans}
    return (
        {document.id: document.text for document in collection.documents() if document.id in wanted} if wanted else {}
    )


def _file_name(document: Document) -> str:
    """Return a name that `_document_id` turns back; a document with a title is a page, so that the title is one."""
    return quote(document.id, safe="") + (".html" if document.title else ".txt")


def _document_id(file_name: str) -> str:
    return unquote(file_name.rpartition(".")[0])


def _file_text(document: Document) -> str:
    if not document.title:
        return document.text
    title = html.escape(document.title)
    return "".join(_page(title, document.text))


def _page(title: str, text: str) -> Iterator[str]:
    yield f"<!doctype html><html><head><meta charset=utf-8><title>{title}</title></head><body><h1>{title}</h1>\n"
    for paragraph in text.split("\n"):
        if paragraph.strip():
            yield f"<p>{html.escape(paragraph)}</p>\n"
    yield "</body></html>\n"
