"""A scope as SQL: the one place where "whose files, and which" becomes a condition."""

from __future__ import annotations

from typing import Any

from search.retrieval import Scope


def condition(scope: Scope) -> tuple[str, dict[str, Any]]:
    """Return an SQL condition on a row's owner_id and file_id, and its parameters."""
    parameters: dict[str, Any] = {"owner": scope.owner_id}
    narrowing = []
    if scope.file_ids:
        narrowing.append("f.id = ANY(%(file_ids)s)")
        parameters["file_ids"] = list(scope.file_ids)
    if scope.kinds:
        narrowing.append("f.kind = ANY(%(kinds)s)")
        parameters["kinds"] = list(scope.kinds)
    if scope.tags:
        narrowing.append("f.tags @> %(tags)s::varchar[]")
        parameters["tags"] = list(scope.tags)
    sql = "owner_id = %(owner)s"
    if narrowing:
        inner = " AND ".join(["f.owner_id = %(owner)s", *narrowing])
        sql += f" AND file_id IN (SELECT f.id FROM files_filerecord f WHERE {inner})"  # noqa: S608  # fixed text only
    return sql, parameters
