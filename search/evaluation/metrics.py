"""The measures of a ranking against judgements, as trec_eval computes them. Pure functions of lists."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

MEASURES = ("nDCG@10", "Recall@10", "Recall@100", "MRR@10")
ANSWER_SHARE = "answer in 5"

_GAP = re.compile(r"\s+")
_SHORTEST_LINE = 12  # characters; a shorter line stands in too many places of a text to say where it is from


def measure(ranking: Sequence[str], grades: Mapping[str, int]) -> dict[str, float]:
    """Return every measure of one question. An empty ranking scores 0; documents without a grade are irrelevant."""
    gains = [grades.get(document, 0) for document in ranking]
    return {
        "nDCG@10": ndcg(gains, list(grades.values()), 10),
        "Recall@10": sum(gain > 0 for gain in gains[:10]) / len(grades),
        "Recall@100": sum(gain > 0 for gain in gains[:100]) / len(grades),
        "MRR@10": next((1 / rank for rank, gain in enumerate(gains[:10], 1) if gain > 0), 0.0),
    }


def ndcg(gains: Sequence[int], ideal: Sequence[int], cutoff: int) -> float:
    """Return the discounted gain of a ranking as a share of the best possible one: linear gain, log2 discount."""
    best = _discounted(sorted(ideal, reverse=True)[:cutoff])
    return _discounted(gains[:cutoff]) / best if best else 0.0


def answer_share(
    passages: Iterable[tuple[str, str]], texts: Mapping[str, str], spans: Mapping[str, Sequence[tuple[int, int]]]
) -> float:
    """Return which share of the answer's characters stands in `passages`, pairs of document and passage text.

    A passage is looked up in its document line by line, without regard to white space.
    """
    total = sum(end - start for ranges in spans.values() for start, end in ranges)
    covered: dict[str, set[int]] = {document: set() for document in spans}
    squeezed = {document: _squeeze(texts[document]) for document in spans}
    for document, passage in passages:
        if document in spans:
            covered[document] |= _positions(passage, *squeezed[document])
    found = sum(at in covered[d] for d, ranges in spans.items() for start, end in ranges for at in range(start, end))
    return found / total if total else 0.0


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _squeeze(text: str) -> tuple[str, list[int]]:
    """Return `text` without white space, and where each character of that stood."""
    at = [position for position, character in enumerate(text) if not character.isspace()]
    return "".join(text[position] for position in at), at


def _positions(passage: str, squeezed: str, at: list[int]) -> set[int]:
    found: set[int] = set()
    for line in passage.splitlines():
        wanted = _GAP.sub("", line)
        start = squeezed.find(wanted) if len(wanted) >= _SHORTEST_LINE else -1
        if start >= 0:
            # The white space between two characters of the passage belongs to it.
            found.update(range(at[start], at[start + len(wanted) - 1] + 1))
    return found
