"""A machine whose clock is off changes nothing: what is compared with the database's times is the database's clock."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.tree import parsed, sources

# Signing in, tokens and sessions are outside: their times are the machine's, and `doctor` compares the two clocks.
WATCHED = ("files", "search", "personas", "integrations", "orchestra/monitoring", "orchestra/common")
LOCAL = {"timezone.now", "datetime.now", "time.time", "datetime.utcnow", "date.today"}
ALLOWED = {
    "files/feeds.py": "the heartbeat tells its time and nothing compares it",
    "files/extraction/isolation/scratch.py": "the age of a folder of this machine",
    "files/expiry.py": "the age of bytes on the disk; when an upload ends is the database's matter",
    "files/uploads.py": "when an upload was completed is shown, and only its being set is asked",
    "files/verifying_bytes.py": "the age of bytes on the disk",
    "orchestra/monitoring/infrastructure.py": "compares the two clocks, as is its purpose",
    "search/services.py": "when a search was made is shown in its user's history",
    "search/vector_stores/faiss.py": "decides only how soon a copy is tidied",
}


def _local_clocks(path: Path) -> set[str]:
    return {
        f"{node.func.value.id}.{node.func.attr}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and f"{node.func.value.id}.{node.func.attr}" in LOCAL
    }


def test_the_local_clock_is_read_in_the_listed_places_only() -> None:
    found = {str(path) for path in sources(tests=False) if str(path).startswith(WATCHED) and _local_clocks(path)}
    assert found - set(ALLOWED) == set(), "ask the database (Now()), or time.monotonic() for a length of time"


def test_the_queue_reads_no_local_clock_at_all() -> None:
    for name in ("jobs", "pipeline", "queue_places", "estimates", "selectors", "states"):
        assert _local_clocks(Path(f"files/{name}.py")) == set()
