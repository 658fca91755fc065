"""Whether a difference between two configurations is more than chance, from the values of the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """The mean difference, its 95 % bootstrap interval, and the two-sided p-value of a sign-flip test."""

    difference: float
    low: float
    high: float
    p: float


def compare(ours: Sequence[float], theirs: Sequence[float], samples: int = SAMPLES) -> Comparison:
    """Compare paired values of equal length, at least one pair. The same input gives the same output."""
    import numpy as np

    difference = np.asarray(ours) - np.asarray(theirs)
    generator = np.random.default_rng(0)
    observed = float(difference.mean())
    picks = generator.integers(0, difference.size, size=(samples, difference.size))
    low, high = np.percentile(difference[picks].mean(axis=1), [2.5, 97.5])
    signs = generator.choice((-1.0, 1.0), size=(samples, difference.size))
    flipped = np.abs((signs * difference).mean(axis=1))
    p = (1 + int(np.sum(flipped >= abs(observed) - 1e-12))) / (samples + 1)
    return Comparison(observed, float(low), float(high), p)
