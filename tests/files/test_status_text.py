"""What is said about a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from files.metadata import Fact, metadata_facts
from files.models import FileRecord, FileStatus
from files.places import describe_place, place_address, place_of_address
from files.selectors import FileStatusView, Progress
from files.status_text import LABELS, stage_times, status_text, type_label

_OF_THE_VIEW = ("waiting_behind", "progress", "attempt", "retry_at", "cause", "workers", "estimate")


def view(status: FileStatus, **more: Any) -> FileStatusView:
    known = {key: more.pop(key) for key in _OF_THE_VIEW if key in more}
    empty = FileStatusView(FileRecord(name="a", size=1, status=status, **more), None, None, 0, None)
    return replace(empty, **known)


RUNNING = Progress("extract", 12, 40, "pages", 2.0)


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (view(FileStatus.QUEUED, waiting_behind=0), "Next in line."),
        (view(FileStatus.QUEUED, waiting_behind=1), "Waiting behind 1 file."),
        (view(FileStatus.QUEUED, waiting_behind=1200), "Waiting behind 1,200 files."),
        (
            view(FileStatus.QUEUED, waiting_behind=3, retry_at=datetime(2026, 1, 2, 12, 5, tzinfo=UTC)),
            "Tried again at 12:05 UTC.",
        ),
        (view(FileStatus.PROCESSING, progress=RUNNING, attempt=1), "Reading the text: 12 of 40 pages"),
        (view(FileStatus.PROCESSING, progress=RUNNING, attempt=2), "Reading the text: 12 of 40 pages (attempt 2)"),
        (view(FileStatus.PROCESSING, progress=replace(RUNNING, total=0), attempt=1), "Reading the text: 12 pages"),
        (view(FileStatus.PROCESSING, progress=replace(RUNNING, stage="", done=0), attempt=1), "Starting"),
        (
            view(FileStatus.PROCESSING, progress=replace(RUNNING, heartbeat_age=44.2), attempt=1),
            "Its worker has been silent for 44 s; if it is lost, another one starts again.",
        ),
        (view(FileStatus.READY, chunk_count=0), "It holds no text to search."),
        (view(FileStatus.PARTIAL, chunk_count=1, warnings=[{}, {}]), "1 passage. 2 things could not be read."),
        (view(FileStatus.FAILED, error_message="It is broken."), "It is broken."),
    ],
)
def test_each_status_has_a_sentence(shown: FileStatusView, sentence: str) -> None:
    assert status_text(shown).detail == sentence


@pytest.mark.parametrize(
    ("shown", "code", "sentence"),
    [
        (view(FileStatus.UPLOADING), "uploading", "Not all bytes are here yet."),
        (view(FileStatus.QUEUED, waiting_behind=0, workers=2), "waiting_next", "Next in line."),
        (
            view(FileStatus.QUEUED, waiting_behind=7, workers=2, estimate=130),
            "waiting_behind",
            "Waiting behind 7 files. About 2 min.",
        ),
        (
            view(FileStatus.QUEUED, waiting_behind=7, workers=0),
            "waiting_for_worker",
            "No worker is running; it is read as soon as one is.",
        ),
        (
            view(FileStatus.QUEUED, workers=0, retry_at=datetime(2026, 1, 2, 12, 5, tzinfo=UTC)),
            "waiting_for_retry",
            "Tried again at 12:05 UTC.",
        ),
        (
            view(FileStatus.PROCESSING, progress=RUNNING, attempt=1, estimate=40),
            "running",
            "Reading the text: 12 of 40 pages. About 40 s.",
        ),
        (
            view(FileStatus.PROCESSING, progress=RUNNING, attempt=2, cause="worker_lost"),
            "running_again",
            "Reading the text: 12 of 40 pages (the worker before was lost, attempt 2)",
        ),
        (
            view(FileStatus.PROCESSING, progress=replace(RUNNING, heartbeat_age=31.0), attempt=2, cause="worker_lost"),
            "worker_silent",
            "Its worker has been silent for 31 s; if it is lost, another one starts again.",
        ),
        (view(FileStatus.READY, chunk_count=1), "ready", "1 passage."),
        (view(FileStatus.PARTIAL, chunk_count=1, warnings=[{}]), "partial", "1 passage. 1 thing could not be read."),
        (view(FileStatus.FAILED, error_message="It is broken."), "failed", "It is broken."),
        (view(FileStatus.CANCELLED), "cancelled", "It is kept but not searchable."),
        (
            view(FileStatus.CANCELLED, chunk_count=3),
            "cancelled",
            "What was read of it before can still be searched.",
        ),
    ],
)
def test_each_situation_has_a_code_of_its_own(shown: FileStatusView, code: str, sentence: str) -> None:
    said = status_text(shown)
    assert (said.situation, said.detail) == (code, sentence)


def test_every_status_has_words() -> None:
    for status in FileStatus:
        assert status_text(view(status)).label == LABELS[status]


def test_stage_times_come_in_the_order_of_the_stages() -> None:
    assert [seconds for _, seconds in stage_times({"index": 2.0, "extract": 1.0})] == [1.0, 2.0]


def test_type_labels_begin_like_a_sentence() -> None:
    assert type_label("text/plain") == "Plain text"
    assert type_label("") == ""


def test_places_go_into_an_address_and_back() -> None:
    place = {"sheet": "Bilanz & Ü", "cells": "A1:C9", "headings": ["Limits"]}
    assert place_of_address(place_address({**place, "page": None})) == place
    assert place_address({}) == ""
    assert describe_place(place) == "sheet Bilanz & Ü, cells A1:C9, Limits"


def test_metadata_is_told_in_words() -> None:
    facts = metadata_facts(
        {
            "coverage": {"done": 3, "total": 4, "unit": "pages"},
            "more": {"paper_size": "A4"},
            "encrypted": False,
            "authors": ["A", "", "B"],
            "page_count": 4,
            "subject": "",
            "gps_lat": -33.8,
            "title": "Report",
        }
    )
    assert facts == [
        Fact("Read", "3 of 4 pages"),
        Fact("Title", "Report"),
        Fact("Page count", "4"),
        Fact("Latitude", "-33.8"),
        Fact("Authors", "A, B"),
        Fact("Encrypted", "no"),
        Fact("More", "Paper size: A4"),
    ]
