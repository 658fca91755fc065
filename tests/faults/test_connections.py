"""Each request runs in a thread of its own: what it borrows of the database must come back."""

from __future__ import annotations

import pytest

from tests.stack import Stack

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]

REQUESTS = 150
WEB_POOL = 12
OTHERS = 12  # worker, beat, heartbeats, the servers' own, and this test


def test_requests_leave_no_connections_behind(stack: Stack) -> None:
    client = stack.client("poller")
    with stack.database() as database:
        for _ in range(REQUESTS):
            assert client.get("/api/files").status_code == 200
        row = database.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'orchestra'").fetchone()
    assert row
    assert row[0] <= WEB_POOL + OTHERS
