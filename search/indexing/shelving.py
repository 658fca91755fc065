"""The index of a file in the trash lies on a shelf: an owner that is no user, so that no search comes by.

Every statement of a search is about one owner's rows. Rows under another owner's id cost it nothing, and do not count
in how rare a word is. A file that comes back brings the very vectors and postings that it had
(docs/decisions/0014-the-index-of-a-trashed-file-lies-on-a-shelf.md).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from django.db import connection

from search import spaces
from search.models import NUMBERS, IndexedFile, MirrorGeneration

_SHELVES = UUID("6d0f2f5e-8f0b-4c55-9a57-7b4f1c1d4c11")
# With the owner before, so that one partition of each space is looked at.
_MOVES = (
    "UPDATE search_chunkembedding SET owner_id = %(to)s, document_id = %(new)s "
    "WHERE owner_id = %(from)s AND document_id = %(number)s",
    "UPDATE search_keywordposting SET owner_id = %(to)s, document_id = %(new)s WHERE document_id = %(number)s",
    "UPDATE search_indexedfile SET owner_id = %(to)s, number = %(new)s WHERE number = %(number)s",
)


def shelf_of(owner_id: UUID) -> UUID:
    """Return the id under which the index of an owner's trashed files lies."""
    return uuid5(_SHELVES, str(owner_id))


def shelve(file_id: UUID) -> None:
    """Put what the index holds of a file on the shelf, in the caller's transaction."""
    if (document := _locked(file_id)) is not None:
        _move(document, shelf_of(document.owner_id), document.number)


def unshelve(file_id: UUID, owner_id: UUID) -> None:
    """Put what the index holds of a file back to its owner, in the caller's transaction."""
    if (document := _locked(file_id)) is None or document.owner_id == owner_id:
        return
    # Held as by whoever stores a file: a mirror that is being brought up to date waits, or knows of a number to come.
    spaces.hold_any()
    _move(document, owner_id, _number_for(document, owner_id))


def renumber(document: IndexedFile) -> None:
    """Give a document whose passages changed a new number where a mirror may hold it as it was.

    The mirror then drops what it holds, and is not believed until it does. The caller holds the spaces and the row.
    """
    if (number := _number_for(document, document.owner_id)) != document.number:
        _move(document, document.owner_id, number)


def _locked(file_id: UUID) -> IndexedFile | None:
    """Return the document; whoever fills in its vectors or makes its words anew is waited for."""
    return IndexedFile.objects.select_for_update().filter(file_id=file_id).first()


def _number_for(document: IndexedFile, owner_id: UUID) -> int:
    """Return the number under which a document comes back: its own, but where a mirror has counted past it.

    Such a mirror is not asked about older documents that it lacks (`MirrorGeneration.complete_to`).
    """
    if not MirrorGeneration.objects.filter(owner_id=owner_id).exists():
        return document.number
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [NUMBERS])
        return int(cursor.fetchone()[0])


def _move(document: IndexedFile, owner_id: UUID, number: int) -> None:
    values: dict[str, Any] = {
        "from": document.owner_id,
        "to": owner_id,
        "number": document.number,
        "new": number,
    }
    with connection.cursor() as cursor:
        for statement in _MOVES:
            cursor.execute(statement, values)
