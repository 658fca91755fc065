"""A broad `except` stands only where a job, a request or a socket ends."""

from __future__ import annotations

import ast
from collections import Counter

from tests.architecture.tree import parsed, sources

ALLOWED = {
    "files/extraction/guarding.py": "the reading of a file ends here, and third-party readers raise anything",
    "files/feeds.py": "sockets end here: they close rather than fall silent",
    "files/pipeline.py": "a job ends here: whatever broke is recorded, and the worker lives on",
    "search/mcp/tools.py": "a call of a tool ends here: a program is told our error, not the library's text of it",
    "search/event_stream.py": "a streamed request ends here: its status was sent long ago",
    "orchestra/monitoring/checks.py": "a broken check is a failed check and must not hide the others",
}


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or getattr(kind, "id", "") in ("Exception", "BaseException") for kind in kinds)


def test_broad_excepts_are_the_listed_ones() -> None:
    found = Counter(
        str(path)
        for path in sources(tests=False)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    )
    assert found == dict.fromkeys(ALLOWED, 1), "state a reason above, or name the exceptions that are meant"
