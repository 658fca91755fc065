"""A restore: what comes back is what was there, all of it or nothing, and never over data by mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from files.models import FileRecord
from orchestra.accounts.models import User
from orchestra.backup.creating import create
from orchestra.backup.folder import Folder
from orchestra.backup.manifest import Manifest
from tests.orchestra.backup.installation import Installation, found, new_installation
from tests.s3_server import BUCKET, S3Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_redis"), pytest.mark.timeout(600)]

# Of the tables of vectors those alone that are searched: the tests' database keeps those of other tests.
_SCHEMA = """
SELECT kind, definition FROM (
    SELECT 'index' AS kind, tablename AS name, indexdef AS definition FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conrelid::regclass || ' ' || conname || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
) s WHERE name !~ '^search_vectors_' OR name ~ (
    SELECT '^search_vectors_' || id || '(_|$)' FROM search_embeddingspace WHERE state = 'active')
ORDER BY 1, 2
"""


@pytest.fixture
def root(source: Installation, tmp_path: Path) -> Path:
    create(tmp_path / "backups", with_secrets=True, tell=lambda _: None)
    return tmp_path / "backups"


def expected() -> dict[str, Any]:
    return json.loads(json.dumps({user.username: found(user) for user in User.objects.order_by("username")}))  # type: ignore[no-any-return]


def _users(installation: Installation) -> list[tuple[Any, ...]]:
    return installation.rows("SELECT username FROM accounts_user ORDER BY 1")


def test_every_document_digest_and_search_result_is_equal(
    root: Path, source: Installation, target: Installation
) -> None:
    said = target.done("restore", str(root))
    assert "6 files copied" in said
    assert target.searches() == expected()
    columns = "id, name, sha256, status, version, trashed_at"
    rows = f"SELECT {columns} FROM files_filerecord WHERE status <> 'uploading' ORDER BY 1"
    assert target.rows(rows) == source.rows(rows)
    assert target.rows(rows.replace("<>", "=")) == []
    assert target.stored() == source.stored()
    assert target.rows(_SCHEMA) == source.rows(_SCHEMA)
    assert len(target.rows(_SCHEMA)) > 300


def test_bytes_go_into_a_bucket_and_out_of_it_again(
    root: Path, source: Installation, target: Installation, tmp_path: Path, s3_server: S3Server
) -> None:
    s3_server.empty()
    target.done("restore", str(root), **s3_server.settings())
    client = s3_server.client()
    objects = {key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in s3_server.stored_keys()}
    assert objects == source.stored()
    assert target.stored() == {}, "nothing is left in the folder"
    target.done("backup", str(tmp_path / "of the bucket"), **s3_server.settings())
    with new_installation("restored_again", tmp_path / "again") as again:
        again.done("restore", str(tmp_path / "of the bucket"))
        assert again.stored() == source.stored()
        assert again.searches() == expected()


def test_numbers_go_on_where_they_were(root: Path, source: Installation, target: Installation) -> None:
    target.done("restore", str(root))
    for sequence in ("search_indexedfile_number_seq", "files_fileevent_id_seq"):
        query = f"SELECT last_value FROM {sequence}"
        assert target.rows(query) == source.rows(query)
    done = target.done(
        "shell", "-v0", "-c",
        "import io; from files import uploads, pipeline; from orchestra.accounts.models import User; "
        "owner = User.objects.get(username='alice'); "
        "uploads.receive_whole(owner, uploads.NewUpload('new.txt', 9), io.BytesIO(b'brand new')); "
        "from files import trash; from files.models import FileRecord; "
        "trash.restore(FileRecord.objects.get(name='trash.txt')); print('went on')",
    )  # fmt: skip
    assert "went on" in done


@pytest.mark.parametrize("place", ["restore.copied=kill:2", "restore.loaded=kill", "restore.loaded=raise"])
def test_interrupted_it_changed_nothing_in_the_database_and_goes_on(
    root: Path, source: Installation, target: Installation, place: str
) -> None:
    broken = target.manage("restore", str(root), FAILPOINTS=place)
    assert broken.returncode != 0
    assert target.rows("SELECT count(*) FROM pg_class WHERE relname = 'files_filerecord'") == [(0,)]
    said = target.done("restore", str(root))
    assert ("2 files" if "copied" in place else "6 there already") in said.replace("2 there already", "2 files")
    assert target.searches() == expected()
    assert target.stored() == source.stored()


def test_data_that_is_here_is_replaced_only_by_force_and_never_by_half(
    root: Path, target: Installation, alice: User
) -> None:
    target.done("migrate", "-v0")
    target.done("shell", "-v0", "-c", "from orchestra.accounts.models import User; User.objects.create_user('carol')")
    refused = target.manage("restore", str(root))
    assert "(restore_not_empty)" in refused.stderr
    assert "accounts_user has rows" in refused.stderr
    assert target.manage("restore", str(root), "--force", FAILPOINTS="restore.loaded=kill").returncode == -9
    assert _users(target) == [("carol",)]
    target.done("restore", str(root), "--force")
    assert _users(target) == [("alice",), ("bob",)]
    assert target.searches() == expected()


def test_a_migrated_but_empty_database_is_empty(root: Path, target: Installation) -> None:
    target.done("migrate", "-v0")
    target.done("restore", str(root))
    assert target.searches() == expected()


def test_a_database_in_use_is_refused(root: Path, target: Installation) -> None:
    with target.connected():
        refused = target.manage("restore", str(root))
    assert "(restore_while_running)" in refused.stderr


def test_damaged_bytes_stop_it_unless_the_loss_is_accepted(
    root: Path, source: Installation, target: Installation
) -> None:
    file = FileRecord.objects.get(name="clinic.txt")
    Folder(root).object_path(file.sha256).write_bytes(b"x" * file.size)
    refused = target.manage("restore", str(root))
    assert "(backup_damaged)" in refused.stderr
    assert f"the bytes of 'clinic.txt' (file {file.pk}" in refused.stderr
    accepted = target.manage("restore", str(root), "--accept-losses")
    assert accepted.returncode == 0, accepted.stderr
    assert "clinic.txt" in accepted.stderr
    assert target.searches() == expected(), "its text and passages are in the database"
    assert set(source.stored()) - set(target.stored()) == {file.storage_key}


def test_a_damaged_table_stops_it_before_anything_is_done(root: Path, target: Installation) -> None:
    part = Folder(root).chosen() / "tables" / "search_chunkembedding.copy"
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    refused = target.manage("restore", str(root), "--accept-losses")
    assert "(backup_damaged)" in refused.stderr
    assert "rows of the table search_chunkembedding" in refused.stderr
    assert target.stored() == {}


def test_a_backup_of_a_newer_version_is_refused(root: Path, target: Installation) -> None:
    folder = Folder(root).chosen()
    manifest = Manifest.read(folder)
    from dataclasses import replace

    replace(manifest, migrations=(*manifest.migrations, ("files", "0999_to_come"))).write(folder)
    refused = target.manage("restore", str(root))
    assert "(backup_newer)" in refused.stderr
    assert "files.0999_to_come" in refused.stderr


def test_a_backup_of_an_older_version_is_brought_up_to_date(
    root: Path, source: Installation, target: Installation, tmp_path: Path
) -> None:
    target.done("restore", str(root))
    forget = "from files.models import FileRecord; FileRecord.objects.get(name='trash.txt').delete()"
    target.done("shell", "-v0", "-c", forget)
    target.done("migrate", "-v0", "search", "0005")
    target.done("migrate", "-v0", "files", "0004")
    target.done("backup", str(tmp_path / "older"))
    target.done("restore", str(tmp_path / "older"), "--force")
    assert target.searches() == expected()
    applied = "SELECT app, name FROM django_migrations ORDER BY 1, 2"
    assert target.rows(applied) == source.rows(applied)
    assert target.rows(_SCHEMA) == source.rows(_SCHEMA)


def test_secrets_come_back_when_asked_for(root: Path, target: Installation) -> None:
    target.done("restore", str(root))
    own = (target.state / "secrets" / "secret_key").read_text()
    kept = (Folder(root).chosen() / "secrets" / "secret_key").read_text()
    assert own != kept
    target.done("restore", str(root), "--force", "--with-secrets")
    assert (target.state / "secrets" / "secret_key").read_text() == kept
    assert (target.state / "secrets" / "secret_key").stat().st_mode & 0o77 == 0


def test_an_earlier_backup_is_chosen_by_its_id(
    root: Path, target: Installation, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    (first,) = Folder(root).complete()
    make_file(alice, b"Only in the second one.", "second.txt")
    create(root, tell=lambda _: None)
    target.done("restore", str(root), "--backup", first)
    assert target.rows("SELECT count(*) FROM files_filerecord WHERE name = 'second.txt'") == [(0,)]
    refused = target.manage("restore", str(root), "--force", "--backup", "unheard-of")
    assert "(backup_folder_invalid)" in refused.stderr
