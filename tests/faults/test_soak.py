"""The short run of each commit, and what the long one is made of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

import pytest

from tests.faults import soak
from tests.faults.parts import leftovers
from tests.faults.product import faulty_product
from tests.faults.soak_files import BLOCK, Recording, name_and_content
from tests.stack import ROOT, wait_for


def test_a_recording_is_the_same_however_it_is_cut() -> None:
    recording = Recording(3, 2 * BLOCK + 4321)
    whole = recording.piece(0, recording.size)
    assert len(whole) == recording.size
    assert whole.startswith(b"RIFF")
    assert hashlib.sha256(whole).hexdigest() == recording.sha256
    for cut in (1, 44, 45, BLOCK, 2 * BLOCK + 1):
        assert recording.piece(0, cut) + recording.piece(cut, recording.size) == whole


def test_the_files_are_of_all_sizes_and_no_two_are_the_same() -> None:
    contents = [content for _, content in map(name_and_content, range(1000))]
    sizes = sorted(len(content) if isinstance(content, bytes) else content.size for content in contents)
    assert sizes[0] == 0
    assert sizes[500] < 64 * 1024
    assert 150 * BLOCK < sizes[-1] <= 200 * BLOCK
    assert sum(size > 8 * BLOCK for size in sizes) == 30
    texts = [content for content in contents if isinstance(content, bytes) and content]
    assert len(set(texts)) == len(texts)


@pytest.mark.services
@pytest.mark.timeout(1200)
def test_nothing_is_lost_in_sixty_uploads_with_twenty_kills() -> None:
    options = soak.Options(uploads=60, kills=20, largest=16 * BLOCK, pause=4, seconds=500)
    with faulty_product("soak-short", EMBEDDING_ENGINE="hashing") as product:
        report = soak.run(product, options)
        state = product.stack.state
    wait_for("all processes to be gone", lambda: not leftovers(state), 30)
    (ROOT / "var" / "reliability-short.json").write_text(json.dumps(asdict(report), indent=2))
    assert report.problems == [], report.summary()
    assert sum(report.kills.values()) >= options.kills
    assert report.longest_recovery <= 120
