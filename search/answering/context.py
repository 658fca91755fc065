"""Hits to what a language model reads of them: numbered, delimited, within a budget.

What was retrieved is data. Each passage stands between two lines with a mark that is drawn for this request alone, so
that no text can end its own passage or begin another one; the instructions say that nothing between them is an order.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from search.answering.disguises import visible
from search.filtering import ContentFilter
from search.retrieval import Hit

_LONGEST_NAME = 120
_LEAST = 200  # characters of a passage that are worth reading when the rest has no room


@dataclass(frozen=True, slots=True)
class Context:
    """`text` is the passages as a model reads them; `sources` are their hits, of which the first has the number 1."""

    mark: str
    text: str
    sources: tuple[Hit, ...]


def context_of(hits: Iterable[Hit], content: ContentFilter, characters: int) -> Context:
    """Return as many passages as fit, in their order; the last one may be cut."""
    mark = secrets.token_hex(12)
    blocks: list[str] = []
    sources: list[Hit] = []
    left = characters
    for hit in hits:
        name = content.clean(_visible(hit.file_name))[:_LONGEST_NAME].replace("\n", " ")
        text = content.clean(_visible(hit.text))
        if left < min(len(text), _LEAST):
            break
        sources.append(hit)
        blocks.append(f"[{mark} passage {len(sources)}, from {name}]\n{text[:left]}\n[{mark} end]")
        left -= len(text)
    return Context(mark, "\n\n".join(blocks), tuple(sources))


def flat(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return hits with the further passages of their files, each once, as single hits."""
    return tuple({one.chunk_id: one for hit in hits for one in (hit, *hit.more)}.values())


def _visible(text: str) -> str:
    """Return the text without characters that nobody sees: they carry instructions that nobody reads."""
    return visible(text)
