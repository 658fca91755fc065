"""A product with files, and an empty one to restore into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from files import pipeline, services, uploads
from files.models import FileRecord
from orchestra.accounts.models import User
from tests.orchestra.backup.installation import Installation, new_installation, this_installation

MakeFile = Callable[..., FileRecord]

TEXTS = {
    "harbour.txt": "The harbour master keeps the register of boats. The harbour opens at four.\n\n" * 30,
    "bakery.txt": "The bakery opens at four in the morning. The dough rests overnight.",
    "clinic.txt": "A physician treats children free of charge. The clinic is beside the bakery.",
    "trash.txt": "The old register of the harbour, long replaced.",
}


@pytest.fixture
def source(transactional_db: None, alice: User, bob: User, make_file: MakeFile) -> Installation:
    """The tests' own installation with files of two users, one of them in the trash, and an upload under way."""
    for name, text in TEXTS.items():
        make_file(alice, text.encode(), name)
    make_file(bob, TEXTS["harbour.txt"].encode(), "bobs.txt")
    make_file(bob, b"", "empty.txt")
    while pipeline.work("a worker"):
        pass
    services.delete(FileRecord.objects.get(name="trash.txt"))
    uploads.initiate(alice, uploads.NewUpload("under way.bin", 2 * 65536, chunk_size=65536))
    return this_installation()


@pytest.fixture
def target(source: Installation, tmp_path: Path) -> Iterator[Installation]:
    """An installation with an empty database and no bytes."""
    with new_installation("restored", tmp_path / "restored") as installation:
        yield installation
