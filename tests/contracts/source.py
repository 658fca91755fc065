"""What every source is tested for, by way of the imports that are made of it: added, changed, unchanged, gone, cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

import pytest

from files import import_runs, importing, selectors, uploads
from files.import_selectors import runs_of
from files.models import FileRecord, ImportedItem, ImportRun
from integrations import services
from integrations.models import ExternalIntegration
from integrations.sources.base import SourceTooSlow
from orchestra.accounts.models import User


class World(Protocol):
    """The service that a source speaks to, as far as the contract changes it."""

    def connect(self, owner: User) -> ExternalIntegration:
        """Return a connection to it."""

    def put(self, name: str, words: str) -> None:
        """Put a document with these words there, or change the one of that name."""

    def remove(self, name: str) -> None:
        """Take a document away."""

    def refuse(self) -> None:
        """Take the connections' credentials no more."""


class Died(BaseException):
    """The process ends here."""


def imported(connection: ExternalIntegration) -> ImportRun:
    """Return the run that was just made of a connection."""
    importing.run(connection.pk)
    return runs_of(connection)[0]


def counts(run: ImportRun) -> dict[str, int]:
    names = ("unchanged", "added", "changed", "duplicates", "deleted", "failed")
    return {name: getattr(run, name) for name in names if getattr(run, name)}


class SourceContract:
    """A class for each source inherits this, and has a fixture `world`."""

    @pytest.fixture
    def connection(self, world: World, alice: User) -> ExternalIntegration:
        return world.connect(alice)

    def test_what_is_there_becomes_files_that_name_where_they_come_from(
        self, world: World, connection: ExternalIntegration, alice: User
    ) -> None:
        world.put("first", "The harbour master keeps the register.")
        world.put("second", "Tides are in the almanac.")
        run = imported(connection)
        assert (run.state, counts(run)) == ("done", {"added": 2}), run.error_message
        files = list(selectors.files_of(alice))
        assert {file.status for file in files} == {"queued"}
        assert all(file.origin.startswith(("https://", "http://")) for file in files)
        assert {file.events.last().code for file in files} == {"imported"}  # type: ignore[union-attr]  # it is there
        assert {entry.action for entry in run.shown} == {"added"}  # type: ignore[attr-defined]  # prefetched

    def test_what_did_not_change_is_not_read_again(self, world: World, connection: ExternalIntegration) -> None:
        world.put("first", "The harbour master keeps the register.")
        imported(connection)
        run = imported(connection)
        assert (counts(run), run.bytes) == ({"unchanged": 1}, 0)

    def test_what_changed_is_exchanged_and_the_old_one_is_in_the_trash(
        self, world: World, connection: ExternalIntegration, alice: User
    ) -> None:
        world.put("first", "The harbour master keeps the register.")
        imported(connection)
        (old,) = selectors.files_of(alice)
        world.put("first", "The harbour master lost the register.")
        assert counts(imported(connection)) == {"changed": 1}
        (new,) = selectors.files_of(alice)
        assert new.pk != old.pk
        assert list(selectors.trash_of(alice)) == [old]

    def test_what_is_gone_is_in_the_trash(self, world: World, connection: ExternalIntegration, alice: User) -> None:
        world.put("first", "The harbour master keeps the register.")
        world.put("second", "Tides are in the almanac.")
        imported(connection)
        world.remove("first")
        assert counts(imported(connection)) == {"unchanged": 1, "deleted": 1}
        assert selectors.files_of(alice).count() == selectors.trash_of(alice).count() == 1
        assert ImportedItem.objects.filter(integration=connection).count() == 1

    def test_what_the_owner_had_is_linked_and_outlives_its_document(
        self, world: World, connection: ExternalIntegration, alice: User
    ) -> None:
        world.put("first", "The harbour master keeps the register.")
        imported(connection)
        other = world.connect(alice)
        assert counts(imported(other)) == {"duplicates": 1}
        assert selectors.files_of(alice).count() == 1
        world.remove("first")
        assert counts(imported(other)) == {"deleted": 1}
        assert selectors.files_of(alice).count() == 1
        assert counts(imported(connection)) == {"deleted": 1}
        assert selectors.files_of(alice).count() == 0

    def test_a_run_that_dies_goes_on_where_it_stopped(
        self, world: World, connection: ExternalIntegration, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            world.put(f"document {number}", f"Words of number {number}.")
        with monkeypatch.context() as patch:
            dies_at(patch, visit=2)
            with pytest.raises(Died):
                importing.run(connection.pk)
        assert selectors.files_of(alice).count() == 1
        assert counts(imported(connection)) == {"unchanged": 1, "added": 2}
        assert selectors.files_of(alice).count() == 3

    def test_what_has_no_room_is_told_and_tried_again(
        self, world: World, connection: ExternalIntegration, alice: User, settings: Any
    ) -> None:
        world.put("first", "The harbour master keeps the register.")
        settings.DEFAULT_QUOTA = 10
        run = imported(connection)
        assert (run.state, counts(run)) == ("done", {"failed": 1})
        (entry,) = run.shown  # type: ignore[attr-defined]  # prefetched
        assert entry.code == "quota_exceeded"
        settings.DEFAULT_QUOTA = 0
        assert counts(imported(connection)) == {"added": 1}
        assert selectors.files_of(alice).count() == 1

    def test_what_is_too_large_is_told_and_not_tried_again(
        self, world: World, connection: ExternalIntegration, settings: Any
    ) -> None:
        world.put("first", "The harbour master keeps the register.")
        settings.MAX_FILE_SIZE = 10
        assert counts(imported(connection)) == {"failed": 1}
        assert counts(imported(connection)) == {"unchanged": 1}

    def test_refused_credentials_end_the_run_and_delete_nothing(
        self, world: World, connection: ExternalIntegration, alice: User
    ) -> None:
        world.put("first", "The harbour master keeps the register.")
        imported(connection)
        world.refuse()
        run = imported(connection)
        assert (run.state, run.error_code, counts(run)) == ("failed", "source_key_refused", {})
        assert selectors.files_of(alice).count() == 1
        connection.refresh_from_db()
        verdict = services.test(connection)
        assert (verdict.works, verdict.code) == (False, "source_key_refused")

    def test_a_test_says_whether_it_works(self, world: World, connection: ExternalIntegration) -> None:
        empty = services.test(connection)
        assert (empty.works, "no documents" in empty.message) == (True, True)
        world.put("first", "The harbour master keeps the register.")
        assert services.test(connection).works

    def test_a_source_without_patience_asks_nothing(self, world: World, connection: ExternalIntegration) -> None:
        world.put("first", "The harbour master keeps the register.")
        imported(connection)
        source = services.source(connection)
        source.patience.renew(0.0)
        with pytest.raises(SourceTooSlow):
            list(source.items())
        with pytest.raises(SourceTooSlow):
            source.gone(ImportedItem.objects.get().key)

    def test_two_runs_of_one_connection_do_not_mix(self, world: World, connection: ExternalIntegration) -> None:
        world.put("first", "The harbour master keeps the register.")
        going_on = import_runs.begin(connection.pk)
        assert going_on is not None
        importing.run(connection.pk)
        assert ImportRun.objects.filter(integration=connection).count() == 1
        assert not FileRecord.objects.exists()


def dies_at(monkeypatch: pytest.MonkeyPatch, *, visit: int) -> None:
    """End the process at the n-th storing of a document."""
    real: Callable[..., Any] = uploads.receive_whole
    visits: list[UUID] = []

    def storing(owner: User, *rest: Any) -> Any:
        visits.append(owner.pk)
        if len(visits) == visit:
            raise Died
        return real(owner, *rest)

    monkeypatch.setattr(uploads, "receive_whole", storing)
