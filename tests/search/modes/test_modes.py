"""Every mode, by the contract; and what each promises beside it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from files.models import FileRecord
from integrations.llm.base import LanguageModel
from orchestra.accounts.models import User
from orchestra.common.outbound.errors import OutboundRefused
from search import questions, services
from search.answering.answer import AnswerKind
from search.errors import ModeNotAllowed
from search.models import SearchAudit
from search.modes import modes
from tests.contracts.search_mode import QUESTION, SearchModeContract, flat
from tests.language_model import ScriptedModel

WrittenBy = Callable[[LanguageModel | None], None]
Library = dict[str, FileRecord]


class TestBasic(SearchModeContract):
    @pytest.fixture
    def mode(self) -> str:
        return "basic"

    def test_it_asks_the_database_twice_and_no_more(self, asker: User, library: Library) -> None:
        services.search(asker, QUESTION, remember=False)
        with CaptureQueriesContext(connection) as queries:
            services.search(asker, QUESTION, remember=False)
        assert len(queries) == 2


class TestDeep(SearchModeContract):
    @pytest.fixture
    def mode(self) -> str:
        return "deep"

    def test_without_a_model_the_order_is_that_of_basic(self, asker: User, library: Library) -> None:
        basic, deep = (services.search(asker, QUESTION, mode=mode, by_file=False).hits for mode in ("basic", "deep"))
        assert [hit.chunk_id for hit in deep] == [hit.chunk_id for hit in basic]

    def test_hits_are_files_unless_passages_are_asked_for(self, asker: User, library: Library) -> None:
        hits = services.search(asker, QUESTION, mode="deep").hits
        assert len({hit.file_id for hit in hits}) == len(hits)

    def test_other_phrasings_are_asked_and_shown_as_steps(
        self, asker: User, library: Library, written_by: WrittenBy
    ) -> None:
        written_by(ScriptedModel(answer=self._script(), rephrasing="1. kettle of boiling water\n2. seals that leak\n"))
        result = services.search(asker, QUESTION, mode="deep")
        assert [step.asked for step in result.steps[1:]] == ["kettle of boiling water", "seals that leak"]

    def test_a_partial_answer_stays_when_the_model_breaks_off(
        self, asker: User, library: Library, written_by: WrittenBy
    ) -> None:
        written_by(ScriptedModel(answer=self._script(), break_after=8, size=8))
        result = services.search(asker, QUESTION, mode="deep")
        assert result.answer is not None
        assert (result.answer.kind, result.answer.cut) == (AnswerKind.MODEL, True)
        assert any("The line was cut." in note for note in result.notes)


class TestSuperDeep(SearchModeContract):
    @pytest.fixture
    def mode(self) -> str:
        return "super_deep"

    def test_steps_are_bounded_and_led_by_what_was_found(self, asker: User, library: Library) -> None:
        result = services.search(asker, "diesel", mode="super_deep")
        assert 2 <= len(result.steps) <= 4
        assert [step.number for step in result.steps] == list(range(1, len(result.steps) + 1))
        assert "diesel" not in " ".join(step.asked for step in result.steps[1:])

    def test_no_secret_leads_on(self, asker: User, library: Library) -> None:
        result = services.search(asker, "By which card was the pump paid?", mode="super_deep")
        assert "4111" not in " ".join(step.asked for step in result.steps)

    def test_findings_stand_under_their_step(self, asker: User, library: Library) -> None:
        result = services.search(asker, "diesel", mode="super_deep")
        assert result.answer is not None
        assert {one.section for one in result.answer.sentences} <= {step.asked for step in result.steps}


class TestCreative(SearchModeContract):
    @pytest.fixture
    def mode(self) -> str:
        return "creative"

    def test_themes_are_named_after_words_of_their_passages(self, asker: User, library: Library) -> None:
        result = services.search(asker, QUESTION, mode="creative")
        assert result.answer is not None
        sections = {one.section for one in result.answer.sentences}
        assert sections
        assert all(sections)

    def test_files_are_linked_by_what_they_share(self, asker: User, library: Library) -> None:
        result = services.search(asker, "diesel pump", mode="creative")
        assert {frozenset(link.file_names) for link in result.links} >= {frozenset({"engines.txt", "pumps.txt"})}
        assert {passage for link in result.links for passage in link.passages} <= {hit.chunk_id for hit in flat(result)}


class TestPrivate(SearchModeContract):
    @pytest.fixture
    def mode(self) -> str:
        return "private"

    def test_a_model_elsewhere_is_not_asked(self, asker: User, library: Library, written_by: WrittenBy) -> None:
        model = ScriptedModel(local=False, answer=self._script())
        written_by(model)
        result = services.search(asker, QUESTION, mode="private")
        assert not model.asked
        assert result.answer is not None
        assert result.answer.kind is AnswerKind.EXTRACTIVE

    def test_no_connection_is_possible_meanwhile(self, asker: User, library: Library, written_by: WrittenBy) -> None:
        tried: list[str] = []

        def talk(prompt: object) -> str:
            for attempt in (
                _connect,
                lambda: socket.getaddrinfo("example.org", 443),
            ):
                with pytest.raises(OutboundRefused):
                    attempt()
                tried.append("refused")
            return "Nothing [1]."

        written_by(ScriptedModel(answer=talk))
        result = services.search(asker, QUESTION, mode="private")
        assert tried == ["refused", "refused"]
        assert [entry.refused for entry in result.outbound] == [True, True]

    def test_the_question_stays_nowhere(self, asker: User, library: Library, caplog: pytest.LogCaptureFixture) -> None:
        question = "zyzzyva pump"
        questions.forget()
        with caplog.at_level(logging.DEBUG):
            services.search(asker, question, mode="private")
        assert "zyzzyva" not in caplog.text
        assert questions.remembered() == 0
        assert not self._rows_with("zyzzyva")

    def _rows_with(self, word: str) -> list[str]:
        """Return the tables that hold a word."""
        found = []
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(
                    f"SELECT count(*) FROM {connection.ops.quote_name(table)} t WHERE t::text LIKE %s", [f"%{word}%"]
                )
                found += [table] if cursor.fetchone()[0] else []
        return found


def _connect() -> None:
    with socket.socket() as open_socket:
        open_socket.settimeout(1)
        open_socket.connect(("192.0.2.1", 443))


class TestUncensored(SearchModeContract):
    @pytest.fixture
    def mode(self) -> str:
        return "uncensored"

    def test_who_has_no_permission_is_refused_and_leaves_no_row(self, bob: User) -> None:
        with pytest.raises(ModeNotAllowed):
            services.search(bob, QUESTION, mode="uncensored")
        assert not SearchAudit.objects.exists()

    def test_each_search_leaves_one_row_without_the_question(self, asker: User, library: Library) -> None:
        services.search(asker, QUESTION, mode="uncensored")
        row: Any = SearchAudit.objects.values().get()
        assert row.keys() == {"id", "user_id", "mode", "created_at"}
        assert (row["user_id"], row["mode"]) == (asker.pk, "uncensored")

    def test_the_record_can_be_neither_changed_nor_deleted(self, asker: User) -> None:
        services.search(asker, QUESTION, mode="uncensored")
        for change in (lambda: SearchAudit.objects.update(mode="basic"), lambda: SearchAudit.objects.all().delete()):
            with pytest.raises(IntegrityError), transaction.atomic():
                change()

    def test_no_other_mode_leaves_a_row(self, asker: User) -> None:
        for alias in modes.aliases():
            if alias != "uncensored":
                services.search(asker, QUESTION, mode=alias)
        assert not SearchAudit.objects.exists()
