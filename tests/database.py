"""A second connection to the test database, for what two processes do to one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection


@contextmanager
def second_connection() -> Iterator[psycopg.Connection[Any]]:
    """Connect once more, as another process would."""
    facts = connection.settings_dict
    with psycopg.connect(
        host=facts["HOST"], user=facts["USER"], password=facts["PASSWORD"], dbname=facts["NAME"], autocommit=True
    ) as other:
        yield other
