"""The extract stage through the real sandbox: what a file's record says afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from files import extraction_stage, jobs, pipeline
from files.extraction import registry
from files.jobs import Claim
from files.models import FileEvent, FileRecord, FileSegment, FileStatus, ProcessingJob
from orchestra.accounts.models import User
from tests.pace import within

MakeFile = Callable[..., FileRecord]
pytestmark = pytest.mark.django_db(transaction=True)


def process(file: FileRecord) -> FileRecord:
    assert pipeline.work("w")
    return FileRecord.objects.get(pk=file.pk)


def test_the_timeline_names_the_reader(alice: User, make_file: MakeFile) -> None:
    file = process(make_file(alice, b"# Tides\n\nHigh at six.\n", name="tides.md"))

    assert (file.status, file.reader) == (FileStatus.READY, "markdown")
    event = FileEvent.objects.get(file=file, code="text_read")
    assert event.message == "Read by markdown."
    assert event.details == {"reader": "markdown", "gave_up": []}


def test_a_worker_that_was_frozen_and_is_late_removes_and_adds_nothing(
    alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file(alice, b"# Tides\n\nHigh at six.\n", name="tides.md")
    find_type = extraction_stage._find_type
    overtaken: list[bool] = []

    def frozen_before_it_begins(record: FileRecord, path: Path) -> str:
        if not overtaken:
            overtaken.append(True)
            ProcessingJob.objects.update(lease_until=Now() - timedelta(seconds=1))
            jobs.sweep()
            assert pipeline.work("another")
        return find_type(record, path)

    monkeypatch.setattr(extraction_stage, "_find_type", frozen_before_it_begins)
    read = process(file)

    assert (read.status, read.generation) == (FileStatus.READY, 2)
    assert set(FileSegment.objects.values_list("generation", flat=True)) == {2}
    assert FileSegment.objects.count() == read.segment_count > 0


def test_nothing_is_stored_for_a_job_that_was_cancelled(
    alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n\n".join(f"Paragraph {n}." for n in range(1000))
    file = make_file(alice, text.encode(), name="many.txt")
    report = jobs.report

    def cancelled_when_some_is_stored(claim: Claim, stage: str, done: int, *rest: Any) -> None:
        report(claim, stage, done, *rest)
        if done:
            assert FileSegment.objects.exists()
            jobs.cancel(file)

    monkeypatch.setattr(pipeline, "_REPORT_EVERY", 0.0)
    monkeypatch.setattr(jobs, "report", cancelled_when_some_is_stored)

    assert process(file).status == FileStatus.CANCELLED
    assert not FileSegment.objects.exists()


def test_the_type_is_found_anew(alice: User, make_file: MakeFile) -> None:
    made = make_file(alice, b'{"tide": "high"}', name="data.json")
    FileRecord.objects.filter(pk=made.pk).update(media_type="application/octet-stream", kind="other")

    file = process(made)

    assert (file.status, file.media_type, file.kind) == (FileStatus.READY, "application/json", "data")


def test_text_of_an_attachment_says_where_it_is_from(alice: User, make_file: MakeFile) -> None:
    mail = (
        b"From: a@example.org\nTo: b@example.org\nSubject: Rates\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed; boundary="x"\n\n--x\nContent-Type: text/plain\n\nSee attached.\n'
        b'--x\nContent-Type: text/csv\nContent-Disposition: attachment; filename="rates.csv"\n\n'
        b"country,rate\nChile,7\n--x--\n"
    )

    file = process(make_file(alice, mail, name="rates.eml"))

    assert file.status == FileStatus.READY
    places = FileSegment.objects.filter(file=file, text__contains="Chile").values_list("place", flat=True)
    assert [place["part"] for place in places] == [["rates.csv"]]


def test_a_small_picture_is_kept_and_goes_with_the_file(alice: User, make_file: MakeFile) -> None:
    from io import BytesIO

    from PIL import Image

    picture = BytesIO()
    Image.new("RGB", (640, 400), "teal").save(picture, "PNG")

    file = process(make_file(alice, picture.getvalue(), name="sea.png"))

    assert (file.status, file.has_thumbnail) == (FileStatus.READY, True)
    assert file.thumbnail.width <= 320
    assert bytes(file.thumbnail.data)[8:12] == b"WEBP"


def test_source_code_has_a_programming_language_and_no_other(alice: User, make_file: MakeFile) -> None:
    file = process(make_file(alice, b"package main\n\nfunc Tide() int {\n\treturn 6\n}\n", name="tide.go"))

    assert (file.kind, file.language, file.metadata["language"]) == ("code", "", "Go")
    assert file.metadata["functions"] == ["Tide"]


class TestASilentReader:
    @pytest.fixture
    def silent(self, alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch) -> FileRecord:
        """A file whose reader says a few words, and then nothing for a minute."""
        line = registry.Format("", ("text/plain",), ("misbehaving.Misbehaving",), package="tests.files.extraction")
        monkeypatch.setattr(registry, "FORMATS", [line, *registry.FORMATS])
        return make_file(alice, b"+wait", name="silent.txt")

    def test_its_words_are_stored_and_its_job_can_be_cancelled(
        self, silent: FileRecord, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report, seen = jobs.report, list[int]()

        def cancelling(claim: Claim, stage: str, *rest: Any) -> None:
            seen.append(FileSegment.objects.filter(file=silent).count())
            if seen[-1]:
                jobs.cancel(silent)
            report(claim, stage, *rest)

        monkeypatch.setattr(jobs, "report", cancelling)
        began = time.monotonic()
        file = process(silent)

        assert time.monotonic() - began < within(5)
        assert (file.status, file.generation, seen[-1]) == (FileStatus.CANCELLED, 0, 1)

    def test_it_is_asked_about_once_a_second(self, silent: FileRecord, monkeypatch: pytest.MonkeyPatch) -> None:
        report, at = jobs.report, list[float]()

        def counting(claim: Claim, stage: str, *rest: Any) -> None:
            at.append(time.monotonic())
            if len(at) == 5:
                jobs.cancel(silent)
            report(claim, stage, *rest)

        monkeypatch.setattr(jobs, "report", counting)
        assert process(silent).status == FileStatus.CANCELLED
        assert min(later - earlier for earlier, later in pairwise(at[2:])) > 0.9
