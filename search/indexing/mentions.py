"""Takes a file that is deleted completely out of what its owner searched and measured: its id, and its passages' ids.

What a user wrote, the questions themselves, stays.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

from search.models import EvaluationRun

_NOBODY = str(UUID(int=0))
_RESULTS = """
UPDATE search_searchquery q SET result_ids = ARRAY(
    SELECT r.id FROM unnest(q.result_ids) WITH ORDINALITY AS r (id, place)
    WHERE NOT EXISTS (SELECT FROM search_vectorchunk c WHERE c.id = r.id AND c.file_id = %(file)s) ORDER BY place)
WHERE q.user_id = %(owner)s AND EXISTS (
    SELECT FROM unnest(q.result_ids) AS r (id)
    JOIN search_vectorchunk c ON c.id = r.id WHERE c.file_id = %(file)s)
"""
_FILTERS = """
UPDATE search_searchquery SET filters = jsonb_set(filters, '{file_ids}', (filters -> 'file_ids') - %(id)s::text)
WHERE user_id = %(owner)s AND filters -> 'file_ids' ? %(id)s
"""


def forget(file_id: UUID) -> None:
    """Take a file out of its owner's kept searches and evaluation runs, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT owner_id FROM files_filerecord WHERE id = %s", [file_id])
        if (found := cursor.fetchone()) is None:
            return
        values: dict[str, Any] = {"file": file_id, "id": str(file_id), "owner": found[0]}
        for statement in (_RESULTS, _FILTERS):
            cursor.execute(statement, values)
    for run in EvaluationRun.objects.filter(author_id=found[0], results__icontains=str(file_id)):
        _forget_in(run, str(file_id))
        run.save(update_fields=("results",))


def _forget_in(run: EvaluationRun, file_id: str) -> None:
    """Let what came first instead of the right file be nobody's: it is shown as a file that is no more."""
    for question in run.results["questions"]:
        for answer in question["answers"]:
            if answer["instead"] and answer["instead"]["file"] == file_id:
                answer["instead"] = {"file": _NOBODY, "chunk": _NOBODY}
