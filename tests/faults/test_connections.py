"""Each request runs in a thread of its own: what it borrows of the database must come back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stack import Stack

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]

REQUESTS = 1200  # with a connection left behind by each, PostgreSQL refuses more after a few hundred
AT_A_TIME = 8
WEB_POOL = 12
OTHERS = 12  # worker, beat, heartbeats, and this test


def test_requests_leave_no_connections_behind(stack: Stack) -> None:
    client = stack.client("poller")

    def poll(_: int) -> int:
        return client.get("/api/files").status_code

    with ThreadPoolExecutor(AT_A_TIME) as threads:
        answers = list(threads.map(poll, range(REQUESTS)))
    assert set(answers) == {200}
    with stack.database() as database:
        row = database.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'orchestra'").fetchone()
    assert row
    assert row[0] <= WEB_POOL + OTHERS
