"""An order that repeats itself to one that does not, and its passages to groups. After `fusion`, before hits.

Maximal marginal relevance: each next passage is the one with the best score that is least like those taken already
(Carbonell and Goldstein 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def diversified(scores: Sequence[float], vectors: NDArray[np.float32], most: int, relevance: float = 0.5) -> list[int]:
    """Return the places of up to `most` passages in the order in which they are taken.

    `scores` lie between 0 and 1, `vectors` are unit rows. `relevance` is what the score says against being unlike.
    """
    import numpy as np

    left = np.ones(len(scores), bool)
    worth = np.asarray(scores, np.float32)
    nearest = np.zeros(len(scores), np.float32)
    taken: list[int] = []
    while len(taken) < min(most, len(scores)):
        marginal = np.where(left, relevance * worth - (1 - relevance) * nearest, -np.inf)
        taken.append(place := int(marginal.argmax()))
        left[place] = False
        nearest = np.maximum(nearest, vectors @ vectors[place])
    return taken


def spread(vectors: NDArray[np.float32]) -> float:
    """Return the mean distance (1 - cosine) of all pairs; 0 for fewer than two."""
    count = len(vectors)
    if count < 2:
        return 0.0
    total = vectors.sum(axis=0)
    return float(1 - (total @ total - (vectors * vectors).sum()) / (count * (count - 1)))


def grouped(vectors: NDArray[np.float32], most: int, least: float = 0.45) -> list[list[int]]:
    """Return groups of places: those with the highest mean cosine are joined until `most` are left.

    Groups are joined further while their mean cosine is above `least`. The first place of each decides their order.
    """
    groups = [[place] for place in range(len(vectors))]
    cosines = vectors @ vectors.T
    while len(groups) > 1:
        pairs = [
            (float(cosines[one][:, two].mean()), row, column)
            for column, two in enumerate(groups)
            for row, one in enumerate(groups[:column])
        ]
        mean, row, column = max(pairs, key=lambda pair: (pair[0], -pair[1], -pair[2]))
        if len(groups) <= most and mean < least:
            break
        groups[row] = sorted(groups[row] + groups.pop(column))
    return sorted(groups)
