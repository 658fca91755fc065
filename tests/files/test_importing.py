"""Imports from a source in memory: what becomes of files, of runs that die, and of what a hostile source may say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from files import import_runs, importing, pipeline, selectors, services, tasks, trash
from files.errors import ConnectionOff, ImportLost
from files.import_runs import Ending
from files.models import FileRecord, ImportedItem, ImportRun, ImportState
from files.webhooks import subscribing
from integrations import services as connections
from integrations.errors import ConnectionNotFound
from integrations.models import ExternalIntegration
from integrations.sources.base import SourceUnavailable
from orchestra.accounts.models import User
from orchestra.monitoring import pulses
from orchestra.monitoring.models import ProcessPulse, ProcessRole
from tests.contracts.source import Died, counts, dies_at, imported
from tests.shelf import Shelf


def names(user: User) -> set[str]:
    return {file.name for file in selectors.files_of(user)}


def test_an_imported_file_is_processed_like_an_uploaded_one(
    shelf: Shelf, connection: ExternalIntegration, alice: User
) -> None:
    shelf.held["note"] = b"The harbour master keeps the register."
    imported(connection)
    assert pipeline.work("a worker")
    (file,) = selectors.files_of(alice)
    assert (file.status, file.name, file.origin) == ("ready", "note.txt", "https://shelf.example.org/4")


def test_content_that_the_owner_uploaded_stays_the_owners(
    shelf: Shelf, connection: ExternalIntegration, alice: User, make_file: Callable[..., FileRecord]
) -> None:
    own = make_file(alice, b"The same words.")
    shelf.held["note"] = b"The same words."
    assert counts(imported(connection)) == {"duplicates": 1}
    assert ImportedItem.objects.get().file_id == own.pk
    del shelf.held["note"]
    assert counts(imported(connection)) == {"deleted": 1}
    assert list(selectors.files_of(alice)) == [own]


def test_a_renamed_document_keeps_its_file(shelf: Shelf, connection: ExternalIntegration, alice: User) -> None:
    shelf.held["old"] = b"The same words."
    imported(connection)
    (file,) = selectors.files_of(alice)
    del shelf.held["old"]
    shelf.held["renamed"] = b"The same words."
    assert counts(imported(connection)) == {"duplicates": 1, "deleted": 1}
    (kept,) = selectors.files_of(alice)
    assert (kept.pk, kept.origin) == (file.pk, "https://shelf.example.org/7")
    del shelf.held["renamed"]
    imported(connection)
    assert not selectors.files_of(alice).exists()


def test_webhooks_are_told_of_what_an_import_trashes(
    shelf: Shelf, connection: ExternalIntegration, alice: User
) -> None:
    webhook = subscribing.create(alice, "https://example.org/", ["deleted"]).webhook
    shelf.held["note"] = b"first"
    imported(connection)
    (first,) = selectors.files_of(alice)
    shelf.held["note"] = b"second"
    imported(connection)
    (told,) = webhook.deliveries.all()
    assert (told.event, told.file_id) == ("deleted", first.pk)


def test_what_comes_back_to_what_it_was_comes_out_of_the_trash(
    shelf: Shelf, connection: ExternalIntegration, alice: User
) -> None:
    shelf.held["note"] = b"first"
    imported(connection)
    (first,) = selectors.files_of(alice)
    shelf.held["note"] = b"second"
    imported(connection)
    shelf.held["note"] = b"first"
    imported(connection)
    assert list(selectors.files_of(alice)) == [first]
    assert selectors.trash_of(alice).count() == 1


def test_what_the_owner_deleted_stays_deleted_until_it_changes(
    shelf: Shelf, connection: ExternalIntegration, alice: User
) -> None:
    shelf.held["note"] = b"first"
    imported(connection)
    services.delete(selectors.files_of(alice).get())
    assert counts(imported(connection)) == {"unchanged": 1}
    assert names(alice) == set()
    trash.empty(alice)
    assert counts(imported(connection)) == {"unchanged": 1}
    shelf.held["note"] = b"second"
    imported(connection)
    assert names(alice) == {"note.txt"}


def test_without_a_trash_what_is_gone_is_gone(
    shelf: Shelf, connection: ExternalIntegration, alice: User, settings: Any
) -> None:
    settings.TRASH_DAYS = 0
    shelf.held["note"] = b"first"
    imported(connection)
    del shelf.held["note"]
    assert counts(imported(connection)) == {"deleted": 1}
    assert not FileRecord.objects.exists()


def test_an_empty_document_is_an_empty_file(shelf: Shelf, connection: ExternalIntegration, alice: User) -> None:
    shelf.held["empty"] = b""
    assert counts(imported(connection)) == {"added": 1}
    assert selectors.files_of(alice).get().size == 0


def test_a_death_behind_the_stored_bytes_leaves_no_file_that_nobody_owns(
    shelf: Shelf, connection: ExternalIntegration, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Died

    shelf.held["note"] = b"first"
    with monkeypatch.context() as patch:
        patch.setattr(import_runs, "held", dies)
        with pytest.raises(Died):
            importing.run(connection.pk)
    assert names(alice) == {"note.txt"}
    assert not ImportedItem.objects.exists()
    assert imported(connection).failed == 0
    assert ImportedItem.objects.get().made
    del shelf.held["note"]
    imported(connection)
    assert names(alice) == set()


def test_a_lost_worker_is_followed_by_another_once_its_lease_is_over(
    shelf: Shelf, connection: ExternalIntegration, alice: User
) -> None:
    lost = import_runs.begin(connection.pk)
    assert lost is not None
    shelf.held["note"] = b"first"
    assert import_runs.due() == []
    ImportRun.objects.filter(pk=lost.pk).update(lease_until=Now() - timedelta(seconds=1))
    assert import_runs.due() == [connection.pk]
    assert counts(imported(connection)) == {"added": 1}
    lost.refresh_from_db()
    assert lost.state == ImportState.INTERRUPTED
    with pytest.raises(ImportLost):
        import_runs.beat(lost)
    with pytest.raises(ImportLost), import_runs.held(lost):
        pass
    import_runs.end(lost, Ending(ImportState.DONE))
    lost.refresh_from_db()
    assert lost.state == ImportState.INTERRUPTED


def test_a_bug_ends_the_run_and_is_not_hidden(
    shelf: Shelf, connection: ExternalIntegration, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.held["note"] = KeyError("a bug")
    with pytest.raises(KeyError):
        importing.run(connection.pk)
    run = ImportRun.objects.get()
    assert (run.state, run.error_code) == ("failed", "internal_error")


def test_time_that_is_up_cuts_a_run_and_the_next_one_is_due_at_once(
    shelf: Shelf, connection: ExternalIntegration, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.held |= {str(number): str(number).encode() for number in range(3)}
    imported(connection)
    del shelf.held["0"]
    shelf.held["3"] = b"3"
    with monkeypatch.context() as patch:
        patch.setattr(importing, "SECONDS", -1.0)
        run = imported(connection)
    assert (run.state, counts(run)) == ("cut", {"unchanged": 2})
    assert names(alice) == {"0.txt", "1.txt", "2.txt"}
    assert import_runs.due() == [connection.pk]
    assert counts(imported(connection)) == {"unchanged": 2, "added": 1, "deleted": 1}


def test_a_run_reads_only_so_many_bytes(
    shelf: Shelf, connection: ExternalIntegration, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.held |= {str(number): str(number).encode() * 10 for number in range(4)}
    monkeypatch.setattr(importing, "MOST_BYTES", 15)
    assert counts(imported(connection)) == {"added": 2}
    assert counts(imported(connection)) == {"unchanged": 2, "added": 2}


def test_a_listing_that_breaks_off_deletes_nothing(shelf: Shelf, connection: ExternalIntegration, alice: User) -> None:
    shelf.held |= {"a": b"a", "b": b"b"}
    imported(connection)
    del shelf.held["b"]
    shelf.breaks_off = SourceUnavailable()
    run = imported(connection)
    assert (run.state, run.error_code, run.deleted) == ("failed", "source_unavailable", 0)
    assert names(alice) == {"a.txt", "b.txt"}


def test_a_listing_that_takes_too_long_deletes_nothing(
    shelf: Shelf, connection: ExternalIntegration, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.held["a"] = b"a"
    imported(connection)
    del shelf.held["a"]
    monkeypatch.setattr(importing, "LISTING_SECONDS", 0.0)
    run = imported(connection)
    assert (run.state, run.error_code, run.deleted) == ("failed", "source_too_slow", 0)
    assert names(alice) == {"a.txt"}


def test_a_worker_whose_only_process_imports_is_heard_of(shelf: Shelf, connection: ExternalIntegration) -> None:
    pulses.show(pulses.Sign("celery@one", ProcessRole.WORKER, pid=1, slots=1))
    ProcessPulse.objects.update(seen_at=Now() - timedelta(minutes=5))
    assert pulses.live_slots() == 0
    importing.run(connection.pk, node="celery@one")
    assert pulses.live_slots() == 1


def test_a_lease_is_longer_than_a_sources_patience_which_is_renewed_with_it(
    shelf: Shelf, connection: ExternalIntegration
) -> None:
    shelf.patience.renew(0.0)
    imported(connection)
    left = timedelta(seconds=shelf.patience.left())
    assert timedelta(minutes=1) < left < import_runs.LEASE - timedelta(minutes=2)


def test_what_is_only_not_listed_stays(shelf: Shelf, connection: ExternalIntegration, alice: User) -> None:
    shelf.held |= {"a": b"a", "b": b"b"}
    shelf.parts["b"] = {"part": b"part"}
    imported(connection)
    shelf.hidden.add("b")
    assert counts(imported(connection)) == {"unchanged": 1}
    assert names(alice) == {"a.txt", "b.txt", "part.txt"}


def test_parts_go_with_what_they_are_in(shelf: Shelf, connection: ExternalIntegration, alice: User) -> None:
    shelf.held["page"] = b"page"
    shelf.parts["page"] = {"one": b"one", "two": b"two"}
    assert counts(imported(connection)) == {"added": 3}
    assert counts(imported(connection)) == {"unchanged": 1}
    assert names(alice) == {"page.txt", "one.txt", "two.txt"}
    shelf.parts["page"].pop("two")
    assert counts(imported(connection)) == {"unchanged": 2, "deleted": 1}
    del shelf.held["page"]
    assert counts(imported(connection)) == {"deleted": 2}
    assert names(alice) == set()


def test_parts_of_what_cannot_be_read_now_stay(shelf: Shelf, connection: ExternalIntegration, alice: User) -> None:
    shelf.held["page"] = b"page"
    shelf.parts["page"] = {"one": b"one"}
    imported(connection)
    shelf.held["page"] = SourceUnavailable()
    assert counts(imported(connection)) == {"failed": 1}
    assert names(alice) == {"page.txt", "one.txt"}
    shelf.held["page"] = b"page"
    assert imported(connection).deleted == 0


def test_a_page_whose_part_failed_for_now_is_read_again(
    shelf: Shelf, connection: ExternalIntegration, alice: User
) -> None:
    shelf.held["page"] = b"page"
    shelf.parts["page"] = {"one": SourceUnavailable()}
    assert counts(imported(connection)) == {"added": 1, "failed": 1}
    assert counts(imported(connection)) == {"unchanged": 1, "failed": 1}
    assert shelf.read.count("page") == 2


def test_what_failed_before_comes_last(shelf: Shelf, connection: ExternalIntegration, alice: User) -> None:
    shelf.held |= {"a": SourceUnavailable(), "b": SourceUnavailable()}
    assert counts(imported(connection)) == {"failed": 2}
    shelf.read.clear()
    shelf.held |= {"a": b"a", "c": b"c"}
    assert counts(imported(connection)) == {"added": 2, "failed": 1}
    assert shelf.read == ["c", "a", "b"]


def test_a_source_that_is_away_ends_the_run_soon(shelf: Shelf, connection: ExternalIntegration) -> None:
    shelf.held |= {str(number): SourceUnavailable() for number in range(50)}
    run = imported(connection)
    assert (run.state, run.failed) == ("failed", 5)


@pytest.mark.parametrize(
    ("key", "name", "origin"),
    [
        ("a\x00b", "a", "https://example.org/"),
        ("\ud800", "a", "https://example.org/"),
        ("x" * 1200, "a", "https://example.org/"),
        ("", "a", "https://example.org/"),
        ("a", "a\x00", "https://example.org/"),
        ("a", "a", "javascript:alert(1)"),
        ("a", "a", "https://example.org/" + "x" * 5000),
    ],
)
def test_what_cannot_be_kept_is_told_and_stops_nobody(
    shelf: Shelf, connection: ExternalIntegration, alice: User, *, key: str, name: str, origin: str
) -> None:
    shelf.held |= {key: b"odd", "good": b"good"}
    shelf.names[key], shelf.origins[key] = name, origin
    run = imported(connection)
    assert counts(run) == {"added": 1, "failed": 1}
    assert names(alice) == {"good.txt"}
    assert {entry.code for entry in run.shown} == {"", "import_name_invalid"}  # type: ignore[attr-defined]  # prefetched


def test_names_are_no_paths(shelf: Shelf, connection: ExternalIntegration, alice: User) -> None:
    shelf.held["a"] = b"a"
    shelf.names["a"] = "../../etc/\u202epass\nwd" + "x" * 1000 + ".txt"
    imported(connection)
    (name,) = names(alice)
    assert name.startswith("passwd")
    assert len(name) <= 255


def test_a_key_that_comes_twice_is_one_document(shelf: Shelf, connection: ExternalIntegration, alice: User) -> None:
    shelf.held["a"] = b"a"
    one = next(shelf.items())
    shelf.items = lambda: iter([one, one])  # type: ignore[method-assign]  # what a hostile one may do
    assert counts(imported(connection)) == {"added": 1}


def test_the_log_of_a_run_has_an_end(
    shelf: Shelf, connection: ExternalIntegration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_runs, "_MOST_ENTRIES", 3)
    shelf.held |= {str(number): str(number).encode() for number in range(6)}
    run = imported(connection)
    assert (run.added, run.entries.count()) == (6, 3)


def test_only_the_last_runs_are_kept(
    shelf: Shelf, connection: ExternalIntegration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_runs, "_KEPT_RUNS", 2)
    shelf.held["a"] = b"a"
    for _ in range(4):
        imported(connection)
    assert ImportRun.objects.count() == 2
    assert imported(connection).unchanged == 1


def test_a_connection_that_is_switched_off_imports_no_more(
    shelf: Shelf, connection: ExternalIntegration, alice: User
) -> None:
    current = import_runs.begin(connection.pk)
    assert current is not None
    connections.change(connection, enabled=False)
    with pytest.raises(ConnectionOff):
        import_runs.beat(current)
    connection.refresh_from_db()
    with pytest.raises(ConnectionOff):
        import_runs.ask(connection)
    assert import_runs.due() == []
    assert import_runs.begin(connection.pk) is None


def test_an_import_of_a_connection_deleted_meanwhile_is_told(shelf: Shelf, connection: ExternalIntegration) -> None:
    ExternalIntegration.objects.all().delete()
    with pytest.raises(ConnectionNotFound):
        import_runs.ask(connection)


def test_a_deleted_connection_leaves_its_files(shelf: Shelf, connection: ExternalIntegration, alice: User) -> None:
    shelf.held["a"] = b"a"
    imported(connection)
    connections.disconnect(connection)
    assert names(alice) == {"a.txt"}
    assert not ImportRun.objects.exists()


def test_an_import_is_due_after_its_minutes(shelf: Shelf, connection: ExternalIntegration) -> None:
    assert import_runs.due() == [connection.pk]
    imported(connection)
    assert import_runs.due() == []
    ImportRun.objects.update(started_at=F("started_at") - timedelta(minutes=59))
    assert import_runs.due() == []
    ImportRun.objects.update(started_at=F("started_at") - timedelta(minutes=2))
    assert import_runs.due() == [connection.pk]


def test_what_was_asked_for_comes_first_and_is_asked_for_once(
    shelf: Shelf, connection: ExternalIntegration, bob: User
) -> None:
    other = connections.connect(bob, "shelf", "Another", {})
    first, again = import_runs.ask(other), import_runs.ask(other)
    assert first == again
    assert first.state == ImportState.WAITING
    assert import_runs.due() == [other.pk, connection.pk]
    assert imported(other).pk == first.pk


def test_half_of_the_workers_stay_for_files(shelf: Shelf, connection: ExternalIntegration, bob: User) -> None:
    other = connections.connect(bob, "shelf", "Another", {})
    assert import_runs.begin(connection.pk) is not None
    assert import_runs.begin(other.pk) is None


def test_a_users_import_brings_nothing_to_another(shelf: Shelf, connection: ExternalIntegration, bob: User) -> None:
    shelf.held["a"] = b"a"
    imported(connection)
    assert not selectors.files_of(bob).exists()


def test_beat_sends_what_is_due_and_the_task_imports(
    shelf: Shelf, connection: ExternalIntegration, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(importing, "publish_import", sent.append)
    tasks.start_imports()
    assert sent == [connection.pk]
    shelf.held["a"] = b"a"
    tasks.import_source(str(connection.pk))
    assert names(alice) == {"a.txt"}
    tasks.import_source("0193a1b2-0000-7000-8000-000000000000")


def test_a_run_that_dies_in_the_middle_is_no_loss(
    shelf: Shelf, connection: ExternalIntegration, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.held |= {str(number): str(number).encode() for number in range(10)}
    for visit in (3, 4, 2):
        with monkeypatch.context() as patch:
            dies_at(patch, visit=visit)
            with pytest.raises(Died):
                importing.run(connection.pk)
    run = imported(connection)
    assert counts(run) == {"unchanged": 6, "added": 4}
    assert len(names(alice)) == 10
