"""A scope as SQL: the one place where "whose files, and which" becomes a condition."""

from __future__ import annotations

from typing import Any

from search.retrieval import Scope


def condition(scope: Scope) -> tuple[str, dict[str, Any]]:
    """Return an SQL condition on a row's owner_id and file_id, and its parameters."""
    inner, parameters = _narrowing(scope)
    sql = "owner_id = %(owner)s"
    return (f"{sql} AND file_id IN ({inner})" if inner else sql), parameters


def document_condition(scope: Scope) -> str:
    """Return the condition of `condition`, with its parameters, on a row's owner_id and document_id instead."""
    inner, _ = _narrowing(scope)
    sql = "owner_id = %(owner)s"
    if not inner:
        return sql
    return f"{sql} AND document_id IN (SELECT number FROM search_indexedfile WHERE file_id IN ({inner}))"  # noqa: S608


def _narrowing(scope: Scope) -> tuple[str, dict[str, Any]]:
    """Return a query for the ids of the scope's files, empty where it is all files of its owner, and its parameters."""
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
    if not narrowing:
        return "", parameters
    where = " AND ".join(["f.owner_id = %(owner)s", *narrowing])
    return f"SELECT f.id FROM files_filerecord f WHERE {where}", parameters  # noqa: S608  # fixed text only
