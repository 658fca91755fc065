from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from search.indexing.rebuild import outdated, rebuild_keywords
from search.models import IndexedFile, KeywordPosting
from search.services import search


@pytest.fixture
def indexed(alice: User, make_file: Callable[..., FileRecord]) -> IndexedFile:
    text = "Los ingenieros midieron los puentes del puerto viejo mientras llovía sobre la ciudad. " * 30
    file = make_file(alice, text.encode(), "puentes.txt")
    assert pipeline.work("test")
    return IndexedFile.objects.get(file=file)


def rows() -> list[tuple[Any, ...]]:
    return sorted(KeywordPosting.objects.values_list("lexeme", "block", "postings"))


def test_rebuilding_makes_the_same_rows(indexed: IndexedFile) -> None:
    before = rows()
    assert list(rebuild_keywords(IndexedFile.objects.all())) == [indexed.pk]
    assert rows() == before
    assert IndexedFile.objects.get().lexeme_count == indexed.lexeme_count


def test_only_what_would_come_out_otherwise_is_rebuilt(alice: User, indexed: IndexedFile, settings: Any) -> None:
    assert not outdated().exists()
    before = rows()
    IndexedFile.objects.update(analysis=0, language="", configuration="english")
    KeywordPosting.objects.filter(lexeme__startswith="es=").delete()
    call_command("rebuild_keywords")
    assert rows() == before
    assert search(alice, "ingeniero").hits
    IndexedFile.objects.update(language="")
    settings.TEXT_SEARCH_CONFIG = "simple"
    assert outdated().exists()
