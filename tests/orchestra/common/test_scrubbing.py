"""What counts as a secret in a line, and what stays."""

from __future__ import annotations

import json

import pytest

from orchestra.common.scrubbing import MASK, Scrubber

SCRUBBER = Scrubber(('a "quoted" secret', "word", "planted", ""))


@pytest.mark.parametrize(
    ("line", "scrubbed"),
    [
        ("it is planted here, planted", f"it is {MASK} here, {MASK}"),
        (json.dumps({"error": 'a "quoted" secret'}), json.dumps({"error": MASK})),
        ("postgresql://name:pass@host:5432/x", f"postgresql://{MASK}@host:5432/x"),
        ("redis://:pass@host/0", f"redis://{MASK}@host/0"),
        ("{'Authorization': 'Bearer abcdefghijkl0123'}", f"{{'Authorization': 'Bearer {MASK}'}}"),
        ("api-key orc_0123456789abcdef", f"api-key {MASK}"),
        ("key sk-proj-0123456789 refused", f"key {MASK} refused"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=", MASK),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlMTIz", MASK),
    ],
)
def test_secrets_are_taken_out(line: str, scrubbed: str) -> None:
    assert SCRUBBER.scrubbed(line) == scrubbed


@pytest.mark.parametrize(
    "line",
    [
        "a word stays",
        "http://127.0.0.1:18400/files",
        "GET /api/files/0193a1b2-0000-7000-8000-000000000000?at=line:3",
        "Basic authentication is not used",
        "secret_of(attempt.webhook)",
        "task-queue-of-the-worker-12345",
    ],
)
def test_all_else_stays(line: str) -> None:
    assert SCRUBBER.scrubbed(line) == line
