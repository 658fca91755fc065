"""What is done to many files at once, and what is said about those that it cannot be done to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from files import bulk, services
from files.bulk import Outcome, Refusal
from files.errors import TagMissing
from files.models import FileEvent, FileRecord, FileStatus
from files.names import MAX_TAGS
from files.selectors import files_of, trash_of
from orchestra.accounts.models import User

pytestmark = pytest.mark.django_db

MakeFile = Callable[..., FileRecord]


@pytest.fixture
def many(alice: User, make_file: MakeFile) -> list[FileRecord]:
    """Three files that wait, and one that is still being uploaded."""
    FileRecord.objects.create(owner=alice, name="half.bin", size=1)
    return [make_file(alice, b"%d" % number, f"{number}.txt") for number in range(3)]


def statuses(alice: User) -> list[str]:
    return sorted(files_of(alice).values_list("status", flat=True))


def test_what_waits_is_cancelled_and_read_again(alice: User, many: list[FileRecord]) -> None:
    services.cancel(many[0])
    assert bulk.cancel(files_of(alice)) == Outcome(
        2, (Refusal("Their state is “Cancelled”.", 1), Refusal("Their state is “Uploading”.", 1))
    )
    assert statuses(alice) == ["cancelled"] * 3 + ["uploading"]
    assert bulk.retry(files_of(alice)) == Outcome(3, (Refusal("Their state is “Uploading”.", 1),))
    assert statuses(alice) == ["queued"] * 3 + ["uploading"]
    FileRecord.objects.filter(pk=many[1].pk).update(status=FileStatus.FAILED, storage_key="")
    assert Refusal("Their bytes are not here.", 1) in bulk.retry(files_of(alice)).refused


def test_the_trash_takes_what_can_come_back(alice: User, many: list[FileRecord]) -> None:
    assert bulk.trash(files_of(alice)) == Outcome(3, (Refusal("Their state is “Uploading”.", 1),))
    assert trash_of(alice).count() == 3
    assert files_of(alice).count() == 1


def test_a_file_that_moved_on_meanwhile_holds_up_no_other(
    alice: User, many: list[FileRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = services.cancel

    def late(file: FileRecord) -> None:
        if file.pk == many[0].pk:
            FileRecord.objects.filter(pk=file.pk).update(status=FileStatus.READY)
        cancel(file)

    monkeypatch.setattr(services, "cancel", late)
    outcome = bulk.cancel(files_of(alice).exclude(status=FileStatus.UPLOADING))
    assert outcome.changed == 2
    assert [one.files for one in outcome.refused] == [1]


def test_more_than_the_bound_is_left_and_done_the_next_time(
    alice: User, many: list[FileRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_MOVED", 2)
    monkeypatch.setattr(bulk, "MOST_TAGGED", 2)
    monkeypatch.setattr(bulk, "_BATCH", 1)
    waiting = files_of(alice).exclude(status=FileStatus.UPLOADING)
    assert [(one.changed, one.left) for one in (bulk.add_tag(waiting, "a"), bulk.add_tag(waiting, "a"))] == [
        (2, 1),
        (1, 0),
    ]
    assert [(one.changed, one.left) for one in (bulk.cancel(waiting), bulk.cancel(waiting))] == [(2, 1), (1, 0)]
    # Those which were read again can be once more; it goes on with the one that was not, all the same.
    assert bulk.retry(waiting).left == 1
    FileRecord.objects.filter(status=FileStatus.QUEUED).update(status=FileStatus.FAILED)
    assert bulk.retry(waiting).left == 1
    assert FileEvent.objects.filter(code="retried").values("file").distinct().count() == 3


def test_tags_are_added_once_removed_and_bounded(
    alice: User, many: list[FileRecord], django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    files = files_of(alice).filter(pk__in=[file.pk for file in many])
    services.update(many[0], tags=["yard", "old"])
    full = [str(number) for number in range(MAX_TAGS)]
    services.update(many[1], tags=full)
    before = FileRecord.objects.get(pk=many[2].pk).version
    outcome = bulk.add_tag(files, "  yard\u202e ")
    assert outcome.changed == 1
    assert outcome.refused == (
        Refusal("They have this tag already.", 1),
        Refusal(f"They have {MAX_TAGS} tags, as many as there may be.", 1),
    )
    tags = dict(files.values_list("name", "tags"))
    assert (tags["0.txt"], tags["1.txt"], tags["2.txt"]) == (["yard", "old"], full, ["yard"])
    assert FileRecord.objects.get(pk=many[2].pk).version == before + 1
    assert bulk.remove_tag(files, "yard") == Outcome(2, (Refusal("They do not have this tag.", 1),))
    assert FileRecord.objects.get(pk=many[0].pk).tags == ["old"]
    for nothing in ("", "  ", "\u202e\x00"):
        with pytest.raises(TagMissing):
            bulk.add_tag(files, nothing)


def test_the_number_of_statements_for_tags_does_not_grow_with_files(
    alice: User, make_file: MakeFile, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(12):
        make_file(alice, b"%d" % number, f"{number}.txt")
    with django_assert_max_num_queries(9):  # type: ignore[attr-defined]  # a context manager
        assert bulk.add_tag(files_of(alice), "a").changed == 12
