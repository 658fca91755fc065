"""How like an engine is to the reference: the same texts through both, and the same questions.

The collection in `reference/` was written for this: short passages on ten subjects, six on each, and questions that
share few words with their answer. Before it: `search.indexing`. After it: `manage.py prepare_model --check`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from search.evaluation.collections import Collection, load
from search.evaluation.metrics import measure
from search.indexing.automatic import LEAST_COSINE, sample_texts
from search.indexing.embedding import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_LOSS = 0.005
"""Of nDCG@10, on the collection in `reference/`."""

_NEAREST = 10


@dataclass(frozen=True, slots=True)
class Likeness:
    """Cosines of the two vectors of one text, the share of equal nearest ten, and nDCG@10 of both engines."""

    same_model: bool
    least_cosine: float
    mean_cosine: float
    same_nearest: float
    ndcg: float
    reference_ndcg: float

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the engine, a sentence each."""
        faults = []
        if self.same_model and self.least_cosine < LEAST_COSINE:
            faults.append(
                f"The engine shares the reference's model id, but its vectors do not agree: the least cosine is "
                f"{self.least_cosine:.5f}, below {LEAST_COSINE}."
            )
        if (loss := self.reference_ndcg - self.ndcg) > MOST_LOSS:
            faults.append(f"The engine finds less than the reference: nDCG@10 is {loss:.4f} lower, above {MOST_LOSS}.")
        return tuple(faults)


def reference_collection() -> Collection:
    """Return the collection that the project carries."""
    return load(Path(__file__).parent / "reference")


def compare(engine: Embedder, reference: Embedder, collection: Collection) -> Likeness:
    """Embed the collection and sample texts of 1 to 256 tokens with both. Raises EmbeddingModelUnavailable."""
    ours, theirs = (_embedded(one, collection) for one in (engine, reference))
    cosines = [*(ours.passages * theirs.passages).sum(axis=1), *(ours.questions * theirs.questions).sum(axis=1)]
    rankings = list(zip(ours.rankings(), theirs.rankings(), strict=True))
    return Likeness(
        same_model=engine.model_id == reference.model_id,
        least_cosine=float(min(cosines)),
        mean_cosine=float(mean(map(float, cosines))),
        same_nearest=mean(len(set(one[:_NEAREST]) & set(other[:_NEAREST])) / _NEAREST for one, other in rankings),
        ndcg=_ndcg(collection, [one for one, _ in rankings]),
        reference_ndcg=_ndcg(collection, [other for _, other in rankings]),
    )


@dataclass(frozen=True, slots=True)
class _Embedded:
    """The vectors of one engine: of the collection's passages and then the sample texts, and of the questions."""

    ids: list[str]
    passages: NDArray[np.float32]
    questions: NDArray[np.float32]

    def rankings(self) -> list[list[str]]:
        """Return, for each question, the ids of the collection's passages, nearest first."""
        scores = self.questions @ self.passages[: len(self.ids)].T
        return [[self.ids[place] for place in order] for order in (-scores).argsort(axis=1, kind="stable")]


def _embedded(embedder: Embedder, collection: Collection) -> _Embedded:
    import numpy as np

    documents = list(collection.documents())
    passages = embedder.embed_passages([*(document.text for document in documents), *sample_texts()])
    questions = np.stack([embedder.embed_query(question.text) for question in collection.questions])
    return _Embedded([document.id for document in documents], passages, questions)


def _ndcg(collection: Collection, rankings: list[list[str]]) -> float:
    pairs = zip(collection.questions, rankings, strict=True)
    return mean(measure(ranking, question.grades)["nDCG@10"] for question, ranking in pairs)
