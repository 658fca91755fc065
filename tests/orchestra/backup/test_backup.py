"""A backup of a running product: one moment, every byte compared, and what is there already not copied again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from files import expiry, services, uploads
from files.models import FileRecord
from files.storage.local import path_of
from orchestra.accounts.models import User
from orchestra.backup.creating import Created, create
from orchestra.backup.errors import BackupBusy, BackupDamaged, BackupDiskFull, BackupFolderInvalid
from orchestra.backup.folder import Folder
from orchestra.backup.manifest import Manifest
from orchestra.backup.tables import sources
from orchestra.backup.verifying import verify
from tests.database import second_connection
from tests.orchestra.backup.installation import Installation

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_redis"), pytest.mark.timeout(600)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def silent(root: Path, **more: Any) -> Created:
    return create(root, tell=lambda _: None, **more)


def listed(created: Created) -> set[str]:
    return {file.name for file in Folder(created.folder.parents[1]).files(created.folder)}


def objects(root: Path) -> set[str]:
    return {path.name for path in (root / "objects").glob("*/*")}


def test_it_has_every_row_and_byte_but_those_under_way(source: Installation, root: Path) -> None:
    created = silent(root)
    names = {"harbour.txt", "bakery.txt", "clinic.txt", "trash.txt", "bobs.txt", "empty.txt"}
    assert listed(created) == names
    digests = set(FileRecord.objects.exclude(sha256="").values_list("sha256", flat=True))
    assert objects(root) == digests, "equal bytes of two users lie there once"
    rows = {table.name: table.rows for table in created.manifest.tables}
    assert rows["files_filerecord"] == len(names)
    assert rows["search_chunkembedding"] == rows["search_vectorchunk"] > 5
    assert not {"django_session", "files_upload", "search_mirrorgeneration"} & set(rows)
    assert verify(root, tell=lambda _: None).damage == ()
    assert (root.stat().st_mode & 0o77, created.folder.stat().st_mode & 0o77) == (0, 0)


def test_no_table_is_forgotten(source: Installation) -> None:
    """Tables of the database that are neither in a backup nor left out on purpose."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
            "AND relnamespace = 'public'::regnamespace"
        )
        there = {row[0] for row in cursor.fetchall()}
    left_out = {
        *("django_session", "accounts_browsersession", "django_migrations", "files_upload", "files_uploadchunk"),
        *("files_multipartupload", "files_uploadpiece"),
        *("search_mirrorgeneration", "search_mirroreddocument"),
    }
    assert there - {one.table for one in sources()} == left_out


def test_a_second_one_copies_what_is_new_and_old_ones_go(
    source: Installation, root: Path, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    first = silent(root)
    assert (first.copied > 0, first.kept > 0) == (True, True)
    before = {path: path.stat().st_mtime_ns for path in (root / "objects").glob("*/*")}
    new = make_file(alice, b"Something new.", "new.txt")
    gone = FileRecord.objects.get(name="clinic.txt")
    services.delete_completely(gone)
    second = silent(root)
    assert second.copied == new.size
    assert all(path.stat().st_mtime_ns == moment for path, moment in before.items())
    assert Folder(root).complete() == [first.manifest.id, second.manifest.id]
    assert gone.sha256 in objects(root), "the first backup still has it"
    third = silent(root, keep=1)
    assert third.removed == 2
    assert Folder(root).complete() == [third.manifest.id]
    assert gone.sha256 not in objects(root)
    assert verify(root, tell=lambda _: None).damage == ()


def test_it_is_of_one_moment_whatever_happens_meanwhile(source: Installation, root: Path, alice: User) -> None:
    """A file is deleted for good and another one uploaded while tables and bytes are written."""
    gone = FileRecord.objects.get(name="bakery.txt")
    did: list[str] = []

    def meanwhile(sentence: str) -> None:
        if not did and "rows" in sentence:
            did.append(sentence)
            thread = threading.Thread(target=_change, args=(gone, alice))
            thread.start()
            thread.join(60)
            assert not thread.is_alive()

    created = create(root, tell=meanwhile)
    assert did
    assert not FileRecord.objects.filter(pk=gone.pk).exists()
    assert FileRecord.objects.filter(name="later.txt").exists()
    assert "bakery.txt" in listed(created)
    assert "later.txt" not in listed(created)
    assert created.manifest.missing == ()
    assert verify(root, tell=lambda _: None).damage == ()
    assert path_of(gone.storage_key).exists(), "held while the backup copied it"
    a_day = expiry._DAY
    try:
        expiry._DAY = -60
        expiry.expire()
    finally:
        expiry._DAY = a_day
    assert not path_of(gone.storage_key).exists()


def _change(gone: FileRecord, owner: User) -> None:
    try:
        services.delete_completely(gone)
        content = b"Uploaded while a backup was made."
        uploads.receive_whole(owner, uploads.NewUpload("later.txt", len(content)), BytesIO(content))
    finally:
        connections.close_all()


@pytest.mark.parametrize("place", ["backup.dumped", "backup.copied", "backup.named"])
def test_killed_half_way_it_goes_on_where_it_was(source: Installation, root: Path, place: str) -> None:
    count = 3 if place == "backup.copied" else 1
    killed = source.manage("backup", str(root), FAILPOINTS=f"{place}=kill:{count}")
    assert killed.returncode == -9, killed.stderr
    assert Folder(root).complete() == [], "half a backup is none"
    there = objects(root)
    assert len(there) >= (3 if place != "backup.dumped" else 0)
    with pytest.raises(BackupFolderInvalid):
        verify(root)
    created = silent(root)
    digests = {file.sha256: file.size for file in Folder(root).files(created.folder)}
    assert created.copied == sum(size for sha256, size in digests.items() if sha256 not in there)
    assert verify(root, tell=lambda _: None).damage == ()
    assert [path.name for path in (root / "backups").iterdir()] == [created.manifest.id]
    assert objects(root) == set(digests)


def test_bytes_that_the_product_lost_are_told_and_stop_nothing(source: Installation, root: Path) -> None:
    lost, changed = (FileRecord.objects.get(name=name) for name in ("clinic.txt", "bakery.txt"))
    path_of(lost.storage_key).unlink()
    path_of(changed.storage_key).write_bytes(b"x" * changed.size)
    done = source.manage("backup", str(root))
    assert done.returncode == 1
    assert "complete but for the bytes of 2 files" in done.stderr
    assert f"'clinic.txt' ({lost.pk}): its bytes are missing" in done.stderr
    assert "another SHA-256" in done.stderr
    assert {one.name for one in Manifest.read(Folder(root).chosen()).missing} == {"clinic.txt", "bakery.txt"}


def test_damage_is_named_with_what_is_lost(source: Installation, root: Path) -> None:
    created = silent(root)
    file = FileRecord.objects.get(name="clinic.txt")
    damaged = Folder(root).object_path(file.sha256)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    Folder(root).object_path(FileRecord.objects.get(name="bakery.txt").sha256).unlink()
    part = created.folder / "tables" / "search_vectorchunk.copy.gz"
    part.write_bytes(part.read_bytes()[:-10])
    done = source.manage("backup", "--verify", str(root))
    assert done.returncode == 1
    assert "search_vectorchunk.copy.gz is damaged. Lost with it: the" in done.stderr
    assert f"is damaged. Lost with it: the bytes of 'clinic.txt' (file {file.pk})." in done.stderr
    assert "is missing. Lost with it: the bytes of 'bakery.txt'" in done.stderr
    assert "damaged: 3 parts" in done.stderr


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", None])
def test_without_its_manifest_there_is_no_telling(source: Installation, root: Path, damage: bytes | None) -> None:
    created = silent(root)
    path = created.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"rows": ', b'"rows": 1', 1) if damage is None else damage)
    with pytest.raises(BackupDamaged, match="nothing tells"):
        verify(root)


def test_a_damaged_list_of_files_is_told_once(source: Installation, root: Path) -> None:
    created = silent(root)
    (created.folder / "files.jsonl.gz").write_bytes(b"\x1f\x8b nothing")
    found = verify(root, tell=lambda _: None)
    assert any("the list of files" in sentence for sentence in found.damage)


def test_a_folder_of_something_else_is_left_alone(source: Installation, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"a picture")
    for act in (silent, verify):
        with pytest.raises(BackupFolderInvalid):
            act(tmp_path / "photos")
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["a.jpg"]


def test_two_at_once_are_refused(source: Installation, root: Path) -> None:
    silent(root)
    with Folder(root).hold(), pytest.raises(BackupBusy):
        silent(root)
    with second_connection() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [0x0E5BACE8])
        with pytest.raises(BackupBusy):
            silent(root)
    assert len(Folder(root).complete()) == 1


def test_a_full_disk_is_told_and_nothing_half_looks_whole(
    source: Installation, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        free = 10

    monkeypatch.setattr("orchestra.backup.creating.shutil.disk_usage", lambda _: Full)
    with pytest.raises(BackupDiskFull, match="no room for"):
        silent(root)
    monkeypatch.undo()
    assert Folder(root).complete() == []
    assert silent(root).manifest.file_count == 6


def test_secrets_are_in_it_only_when_asked_for(source: Installation, root: Path) -> None:
    without, with_them = silent(root), silent(root, with_secrets=True)
    assert without.manifest.secrets == ()
    assert not any((without.folder / "secrets").iterdir())
    names = {part.name for part in with_them.manifest.secrets}
    assert {"secrets/secret_key", "secrets/jwt_signing_key"} <= names
    assert all((with_them.folder / name).stat().st_mode & 0o77 == 0 for name in names)
