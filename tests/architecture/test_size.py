"""Small functions, small files."""

from __future__ import annotations

import ast

from tests.architecture.tree import parsed, sources, text_of

LONGEST_FUNCTION = 40
LONGEST_FILE = 500


def test_functions_are_short() -> None:
    too_long = [
        f"{path}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in sources()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert too_long == []


def test_files_are_short() -> None:
    too_long = [str(path) for path in sources() if len(text_of(path).splitlines()) > LONGEST_FILE]
    assert too_long == []
