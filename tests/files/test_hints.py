"""Hints in the real broker: sent, counted, lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from files import hints


@pytest.fixture
def broker(embedded_services: None) -> Iterator[redis.Redis]:
    """The broker, emptied before and after."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushall()
        yield client
        client.flushall()


def test_waiting_hints_are_counted_so_that_the_sweeper_sends_no_more_than_are_missing(broker: redis.Redis) -> None:
    assert hints.waiting_hints() == 0
    hints.publish_hints(3)
    assert hints.waiting_hints() == 3
    broker.flushall()
    assert hints.waiting_hints() == 0
