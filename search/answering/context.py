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
from search.follow_ups import PastTurn
from search.retrieval import Hit

_LONGEST_NAME = 120
_LEAST = 200  # characters of a passage that are worth reading when the rest has no room


@dataclass(frozen=True, slots=True)
class Context:
    """`text` is the passages as a model reads them; `sources` are their hits, of which the first has the number 1.

    `earlier` is what was said before in the conversation; empty where there is none.
    """

    mark: str
    text: str
    sources: tuple[Hit, ...]
    earlier: str = ""


def context_of(
    hits: Iterable[Hit], content: ContentFilter, characters: int, before: Sequence[PastTurn] = ()
) -> Context:
    """Return as many passages as fit, in their order; the last one may be cut.

    What was said before has room in a quarter of the characters.
    """
    mark = secrets.token_hex(12)
    earlier = _earlier(before, content, characters // 4)
    blocks: list[str] = []
    sources: list[Hit] = []
    left = characters - len(earlier)
    for hit in hits:
        name = content.clean(_visible(hit.file_name))[:_LONGEST_NAME].replace("\n", " ")
        text = content.clean(_visible(hit.text))
        if left < min(len(text), _LEAST):
            break
        sources.append(hit)
        blocks.append(f"[{mark} passage {len(sources)}, from {name}]\n{text[:left]}\n[{mark} end]")
        left -= len(text)
    said = f"[{mark} said before]\n{earlier}\n[{mark} end]" if earlier else ""
    return Context(mark, "\n\n".join(blocks), tuple(sources), said)


def flat(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """Return hits with the further passages of their files, each once, as single hits."""
    return tuple({one.chunk_id: one for hit in hits for one in (hit, *hit.more)}.values())


def _earlier(before: Sequence[PastTurn], content: ContentFilter, characters: int) -> str:
    """Return the newest turns that fit, oldest first; the newest is cut where it alone does not."""
    kept: list[str] = []
    for turn in reversed(before):
        answered = f"\nAnswer: {turn.answer}" if turn.answer else ""
        said = content.clean(_visible(f"Question: {turn.question}{answered}"))
        if kept and len(said) > characters:
            break
        kept.append(said[:characters])
        characters -= len(kept[-1])
    return "\n\n".join(reversed(kept))


def _visible(text: str) -> str:
    """Return the text without characters that nobody sees: they carry instructions that nobody reads."""
    return visible(text)
