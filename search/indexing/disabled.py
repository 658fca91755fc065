"""Passages that their owner took out of the search: their vectors and postings go, their texts stay.

What is in neither table is found by no side of a search and by no mode; it needs no filter anywhere. Statistics go on
counting such a passage, so that the scores of others stay as they are. Before it: `search.disabling`, which users call.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from search.indexing.keyword_rows import BLOCK, KeywordRow
from search.models import IndexedFile, VectorChunk

# With the owner before, so that one partition of each space is looked at. All spaces: also one that is being filled.
_TAKE = (
    "DELETE FROM search_chunkembedding "
    "WHERE owner_id = %(owner)s AND document_id = %(number)s AND ordinal = ANY(%(ordinals)s)",
    "UPDATE search_keywordposting p SET postings = ARRAY("
    "SELECT x FROM unnest(p.postings) AS x WHERE p.block * 1024 + (x >> 21) <> ALL(%(ordinals)s) ORDER BY x) "
    "WHERE p.owner_id = %(owner)s AND p.document_id = %(number)s AND p.block = ANY(%(blocks)s) "
    "AND EXISTS (SELECT FROM unnest(p.postings) AS x WHERE p.block * 1024 + (x >> 21) = ANY(%(ordinals)s))",
    "DELETE FROM search_keywordposting "
    "WHERE owner_id = %(owner)s AND document_id = %(number)s AND block = ANY(%(blocks)s) AND postings = '{}'",
    "UPDATE search_vectorchunk SET disabled = true WHERE file_id = %(file)s AND ordinal = ANY(%(ordinals)s)",
)
# A posting begins with its passage's ordinal, so that their order is that of the numbers.
_PUT = """
WITH new AS (SELECT * FROM unnest(%(lexemes)s::text[], %(postings)s::int[]) AS n (lexeme, posting)),
changed AS (
    UPDATE search_keywordposting p SET postings = ARRAY(SELECT x FROM unnest(p.postings || n.posting) AS x ORDER BY x)
    FROM new n WHERE p.owner_id = %(owner)s AND p.document_id = %(number)s AND p.block = %(block)s
      AND p.lexeme = n.lexeme
    RETURNING p.lexeme
)
INSERT INTO search_keywordposting (owner_id, document_id, block, lexeme, postings)
SELECT %(owner)s, %(number)s, %(block)s, n.lexeme, ARRAY[n.posting] FROM new n
WHERE n.lexeme NOT IN (SELECT lexeme FROM changed)
"""
_COUNT = """
UPDATE search_indexedfile d SET disabled_count = (
    SELECT count(*) FROM search_vectorchunk c WHERE c.file_id = d.file_id AND c.disabled
) WHERE d.file_id = %(file)s
"""


def texts_of(file_id: UUID) -> list[str]:
    """Return the texts of a file's disabled passages; whoever disables or enables one is waited for."""
    IndexedFile.objects.select_for_update().filter(file_id=file_id).first()
    return list(VectorChunk.objects.filter(file_id=file_id, disabled=True).values_list("text", flat=True))


def take_out_again(document: IndexedFile, texts: Collection[str]) -> None:
    """Disable the passages of a file that was read anew which have one of the texts, in the caller's transaction."""
    passages = VectorChunk.objects.filter(file_id=document.pk, text__in=texts)
    if ordinals := list(passages.values_list("ordinal", flat=True)):
        take_out(document, ordinals)


def take_out(document: IndexedFile, ordinals: Sequence[int]) -> None:
    """Disable passages of a document that the caller holds, in the caller's transaction."""
    values = {**_of(document), "ordinals": list(ordinals), "blocks": list({one // BLOCK for one in ordinals})}
    with connection.cursor() as cursor:
        for statement in (*_TAKE, _COUNT):
            cursor.execute(statement, values)


def put_back(document: IndexedFile, ordinal: int, rows: Sequence[KeywordRow]) -> None:
    """Enable a passage whose vectors the caller writes: `rows` are the postings of this passage alone."""
    values = {
        **_of(document),
        "block": ordinal // BLOCK,
        "lexemes": [row.lexeme for row in rows],
        "postings": [row.postings[0] for row in rows],
    }
    VectorChunk.objects.filter(file_id=document.pk, ordinal=ordinal).update(disabled=False)
    with connection.cursor() as cursor:
        cursor.execute(_PUT, values)
        cursor.execute(_COUNT, values)


def _of(document: IndexedFile) -> dict[str, Any]:
    return {"owner": document.owner_id, "number": document.number, "file": document.pk}
