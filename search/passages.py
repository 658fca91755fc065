"""A passage as one number: its document's, then 24 bits for its place in the document.

Postings and vectors both name a passage so, which lets a search join them without a look at the passages themselves.
"""

from __future__ import annotations

ORDINAL_BITS = 24
LAST_ORDINAL = (1 << ORDINAL_BITS) - 1


def passage_of(document: int, ordinal: int) -> int:
    """Return the number of a document's passage."""
    return (document << ORDINAL_BITS) + ordinal


def document_of(passage: int) -> int:
    """Return the number of a passage's document."""
    return passage >> ORDINAL_BITS


def ordinal_of(passage: int) -> int:
    """Return a passage's place in its document, from 0."""
    return passage & LAST_ORDINAL
