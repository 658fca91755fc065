"""A scope as SQL: the one place where "whose files, and which" becomes a condition."""

from __future__ import annotations

from typing import Any

from search.retrieval import Scope


def parameters_of(scope: Scope) -> dict[str, Any]:
    """Return the parameters of the conditions below."""
    parameters: dict[str, Any] = {"owner": scope.owner_id}
    if scope.file_ids:
        parameters["file_ids"] = list(scope.file_ids)
    if scope.kinds:
        parameters["kinds"] = list(scope.kinds)
    if scope.tags:
        parameters["tags"] = list(scope.tags)
    if scope.any_tags:
        parameters["any_tags"] = list(scope.any_tags)
    if scope.added_from:
        parameters["added_from"] = scope.added_from
    if scope.added_before:
        parameters["added_before"] = scope.added_before
    return parameters


def file_condition(scope: Scope) -> str:
    """Return a condition on a row's owner_id and file_id."""
    sql = "owner_id = %(owner)s"
    return f"{sql} AND file_id IN ({files})" if (files := files_in(scope)) else sql


def document_condition(scope: Scope) -> str:
    """Return a condition on a row's owner_id and document_id."""
    sql = "owner_id = %(owner)s"
    if not (files := files_in(scope)):
        return sql
    return f"{sql} AND document_id IN (SELECT number FROM search_indexedfile WHERE file_id IN ({files}))"  # noqa: S608


def files_in(scope: Scope) -> str:
    """Return a query for the ids of the scope's files; empty where it is all files of its owner."""
    conditions = {
        "f.id = ANY(%(file_ids)s)": scope.file_ids,
        "f.kind = ANY(%(kinds)s)": scope.kinds,
        "f.tags @> %(tags)s::varchar[]": scope.tags,
        "f.tags && %(any_tags)s::varchar[]": scope.any_tags,
        "f.created_at >= %(added_from)s": scope.added_from,
        "f.created_at < %(added_before)s": scope.added_before,
        "false": scope.nothing,
    }
    narrowing = [sql for sql, value in conditions.items() if value]
    if not narrowing:
        return ""
    where = " AND ".join(["f.owner_id = %(owner)s", *narrowing])
    return f"SELECT f.id FROM files_filerecord f WHERE {where}"  # noqa: S608  # fixed text only
