"""A large file, a bad line, a server that is killed: right digest, flat memory. `make benchmark` does 2 GB."""

from __future__ import annotations

import pytest

from tests.benchmarks.memory import MB
from tests.faults.large_upload import upload_through_faults
from tests.faults.product import faulty_product

# What may be under way when a line is cut or a web dies: Linux lets a sender keep 4 MB and a receiver 6 MB by default,
# and a loaded machine fills both. Beginning anew at each break would send about 3 GB twice.
_UNDER_WAY = 10 * MB

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]


def test_256_mb_with_20_cuts_and_3_kills_of_the_web_arrive_whole() -> None:
    with faulty_product("large-upload", EMBEDDING_ENGINE="hashing") as product:
        outcome = upload_through_faults(product, "large", 256 * MB, cuts=20, kills=3)
    assert outcome.stored_sha256 == outcome.sent_sha256
    assert outcome.web_growth <= 64 * MB
    assert outcome.sent_twice <= (outcome.cuts + outcome.kills) * _UNDER_WAY
