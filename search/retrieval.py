"""What crosses between the parts of search: scopes, requests, candidates, hits. Frozen, and free of Django."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from search.filtering import MASKING, ContentFilter
from search.ranking.highlighting import Snippet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from integrations.llm.base import LanguageModel
    from orchestra.common.outbound.ledger import Outbound
    from search.answering.answer import Answer, Link, Step
    from search.follow_ups import PastTurn


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose passages are searched, and which of them. Empty tuples and None do not narrow.

    A file must have all of `tags` and one of `any_tags`, and be one of `kinds`. `added_from` is included,
    `added_before` is not. `nothing` leaves every file out: conditions that no file can meet together.
    """

    owner_id: UUID
    file_ids: tuple[UUID, ...] = ()
    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    added_from: datetime | None = None
    added_before: datetime | None = None
    any_tags: tuple[str, ...] = ()
    nothing: bool = False

    @property
    def narrowed(self) -> bool:
        """Whether this is less than all of the owner's passages."""
        return self != Scope(self.owner_id)


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the two sides are fused: the share of meaning against words, and how many candidates each side brings."""

    weight: float = 0.5
    depth: int = 100


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A question, where to look, how to weigh, and how many hits to return.

    `by_file` makes each hit a file: its best passage, with the next ones below it. `filter` is what is taken out of all
    that is shown or sent; `model` writes the answer of a mode that has one, None where none is configured. `voice` is
    what a persona adds to that model's instructions, `model_name` which of its provider's models writes (empty: the one
    that is configured), `temperature` how freely.

    In a conversation, `before` is what was said before, oldest first, and `query` what is looked for: the question with
    words of the one that it leans on. `asked` is the question itself then, and empty elsewhere.
    """

    query: str
    scope: Scope
    limit: int = 10
    tuning: Tuning = field(default_factory=Tuning)
    by_file: bool = False
    explain: bool = False
    filter: ContentFilter = MASKING
    model: LanguageModel | None = None
    voice: str = ""
    model_name: str = ""
    temperature: float = 0.2
    asked: str = ""
    before: tuple[PastTurn, ...] = ()

    @property
    def question(self) -> str:
        """The question as it was asked."""
        return self.asked or self.query


@dataclass(frozen=True, slots=True)
class Space:
    """The vectors of one model; `dimensions` is their length."""

    id: int
    model_id: str
    dimensions: int


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedQuery:
    """A question's vector, of unit length and shape (dimensions,), and the space that it lies in."""

    vector: NDArray[np.float32]
    space: Space


@dataclass(frozen=True, slots=True)
class Found:
    """A passage, by number, that at least one side brought, with the scores of both.

    `near` and `worded` tell which side: among the nearest by meaning, among the best by words.
    """

    passage: int
    cosine: float
    keyword: float
    near: bool
    worded: bool


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """How a hit's score came about.

    `vector` is the cosine and `keyword` BM25, each with its rank among the candidates, from 1; `keyword_rank` is None
    for a passage that has none of the question's words. `vector_part` and `keyword_part` add up to the fused score,
    whose rank is `fused_rank`. `rerank` is what a reranker said of it, None where none was asked.
    """

    vector: float
    keyword: float
    vector_rank: int
    keyword_rank: int | None
    vector_part: float = 0.0
    keyword_part: float = 0.0
    fused_rank: int = 0
    rerank: float | None = None


@dataclass(frozen=True, slots=True)
class Twin:
    """A passage with the very same words as a hit's, which is therefore not a hit of its own."""

    chunk_id: UUID
    file_id: UUID
    file_name: str
    place: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers, with its file and its place.

    `more` are the next passages of the same file where hits are grouped by file. `passage` is its number in the index.
    """

    chunk_id: UUID
    file_id: UUID
    file_name: str
    media_type: str
    kind: str
    ordinal: int
    text: str
    place: dict[str, Any]
    snippet: Snippet
    score: float
    parts: ScoreParts
    twins: tuple[Twin, ...] = ()
    more: tuple[Hit, ...] = ()
    passage: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a search was done: what it looked through, how, and what its words weigh.

    `passages` counts the owner's, `candidates` those that were fused; `method` is how vectors were compared. `terms`
    maps each lexeme that was found to its weight.
    """

    weight: float
    depth: int
    passages: int
    candidates: int
    method: str
    reranker: str
    terms: dict[str, float]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first, with milliseconds per step. `notes` say in sentences what could not be done.

    `steps` are what a mode asked on its way; `outbound` is what left the machine for this search. `looked_for` is the
    question with what a conversation added to it, empty where nothing was; `conversation` is where the turn is kept.
    """

    query: str
    mode: str
    hits: tuple[Hit, ...]
    timings: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    explanation: Explanation | None = None
    answer: Answer | None = None
    steps: tuple[Step, ...] = ()
    links: tuple[Link, ...] = ()
    outbound: tuple[Outbound, ...] = ()
    looked_for: str = ""
    conversation: UUID | None = None
