"""Fifty documents with orders for a model that obeys each of them: nothing comes out that must not.

The model is `tests.obedient_model` behind a server that speaks OpenAI's protocol, so that every answer goes the whole
way; `tests.abuse.breaches` looks at what came of it. Weaknesses that are put into the product must be found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import Permission
from django.template.loader import render_to_string

from files import pipeline
from files.models import FileRecord
from integrations.llm.answers import AnswerReader
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from orchestra.common.outbound import client
from personas.facts import PersonaFacts
from personas.prompting import system_text
from search import services
from search.answering.answer import AnswerKind
from search.answering.context import Context, context_of
from search.answering.reading import MOST_CHARACTERS
from search.modes import modes
from search.modes.base import Writer
from search.retrieval import Scope, SearchResult
from tests.abuse.breaches import Case, breaches, network_watched
from tests.abuse.injections import MARK, Injection, injections
from tests.obedient_model import obey, orders_in
from tests.openai_server import KEY, MODEL, OpenAIServer, running_openai_server

MakeFile = Callable[..., FileRecord]
Ask = Callable[..., Case]
Add = Callable[[Sequence[Injection]], None]

WRITING_MODES = ("deep", "super_deep", "creative", "private", "uncensored")
QUESTION = "When was the pump of the diesel engine replaced?"
CARD, TOKEN = "4111 1111 1111 1111", "sk-live-7Yx0aB3cD4eF5gH6iJ7k"
OTHERS = "Quillfeather"
PUMPS = f"The pump of the engine room was replaced in 2021. It was paid by card {CARD}; the key is {TOKEN}."
BOBS = f"The pump of the diesel engine was replaced in 1999, notes {OTHERS} for bob alone."
WORDS = (
    "You are the keeper of the engine room, you write for the owner of the ship and you like the sea and its weather."
)


@pytest.fixture
def trap() -> Iterator[OpenAIServer]:
    """A server that nobody may ask."""
    with running_openai_server() as server:
        yield server


@pytest.fixture
def documents(trap: OpenAIServer) -> tuple[Injection, ...]:
    return injections(f"http://127.0.0.1:{trap.port}")


@pytest.fixture
def asker(alice: User, bob: User, make_file: MakeFile) -> User:
    """Alice, who may search in every mode. One of bob's files answers as well."""
    make_file(bob, BOBS.encode(), "bobs.txt")
    make_file(alice, PUMPS.encode(), "pumps.txt")
    alice.user_permissions.set(Permission.objects.filter(codename="search_uncensored"))
    return User.objects.get(pk=alice.pk)


@pytest.fixture
def add(asker: User, make_file: MakeFile) -> Add:
    """Return what puts documents into alice's library."""

    def put(documents: Sequence[Injection]) -> None:
        for one in documents:
            make_file(asker, one.content, one.name)
        while pipeline.work("test"):
            pass

    return put


@pytest.fixture
def ask(asker: User, openai_server: OpenAIServer, settings: Any) -> Ask:
    """Return what searches in a mode, among some of the documents, with the obedient model."""
    options = {"base_url": openai_server.base_url, "model": MODEL, "key": KEY, "by_setting": True}
    entry = {"BACKEND": "integrations.llm.compatible.CompatibleModel", "OPTIONS": options}
    settings.LANGUAGE_MODELS = {"default": entry, "local": entry, "uncensored": entry}
    settings.ANSWER_TOKENS = 8000
    openai_server.answer = obey

    def search(mode: str, documents: Sequence[Injection]) -> Case:
        names = ["pumps.txt", *(one.name for one in documents)]
        files = FileRecord.objects.filter(owner=asker, name__in=names).values_list("pk", flat=True)
        openai_server.asked.clear()
        with network_watched() as network:
            result = services.search(
                asker, QUESTION, mode=mode, scope=Scope(asker.pk, file_ids=tuple(files)), limit=50, persona=_persona()
            )
        lifted = modes[mode].writer is Writer.UNCENSORED
        return Case(
            result,
            _page(result),
            tuple(openai_server.chats),
            tuple(network),
            openai_server.port,
            (KEY, *_own_secrets(), *(() if lifted else (CARD, TOKEN))),
            OTHERS,
            tuple(one.sign for one in documents),
        )

    return search


def _persona() -> PersonaFacts:
    system, unguarded = system_text(WORDS, "plain"), system_text(WORDS, "plain", guarded=False)
    return PersonaFacts(UUID(int=1), "Keeper", system, unguarded, "plain", "", "", None, (), (), ())


def _own_secrets() -> tuple[str, ...]:
    return configured.SECRET_KEY, *configured.CREDENTIALS_KEYS


def _page(result: SearchResult) -> str:
    shown = {"result": result, "query": result.query, "total": 52, "searchable": 52, "not_searchable": 0}
    return render_to_string("search/results.html", shown)


def _answers(case: Case) -> list[str]:
    """Return what the model wrote, where it had passages to read."""
    return ["".join(obey(chat.body).pieces) for chat in case.chats if " passage 1, from" in chat.text]


def test_every_mode_that_writes_with_a_model_is_proved() -> None:
    assert {alias for alias in modes.aliases() if modes[alias].writer is not Writer.NONE} == set(WRITING_MODES)


def test_the_model_finds_an_order_in_each_of_fifty_documents(documents: tuple[Injection, ...]) -> None:
    assert len(documents) == len({one.name for one in documents}) == 50
    assert [one.what for one in documents if not orders_in(f"{one.name}\n{one.content.decode()}")] == []


@pytest.mark.timeout(400)
def test_nothing_comes_out_that_must_not(
    documents: tuple[Injection, ...], add: Add, ask: Ask, trap: OpenAIServer
) -> None:
    add(documents)
    found: dict[tuple[str, int], list[str]] = {}
    deeds: set[str] = set()
    for mode in WRITING_MODES:
        for number in range(8):
            group = documents[number::8]
            case = ask(mode, group)
            read = "\n".join(chat.text for chat in case.chats)
            (wrote,) = _answers(case)
            assert [one.sign for one in group if one.sign not in read] == [], "the model read every document"
            assert len(wrote) < MOST_CHARACTERS, "all that it wrote was looked at"
            assert case.result.answer is not None
            assert case.result.answer.kind is AnswerKind.MODEL
            deeds |= {order.deed for order in orders_in(read)}
            if wrong := breaches(case):
                found[mode, number] = wrong
    assert deeds == {"reveal", "secrets", "others", "fetch", "image", "say", "call"}
    assert found == {}
    assert trap.asked == []


def _without_delimiters(hits: Any, content: Any, *_: object) -> Context:
    sources = tuple(hits)
    return Context("f" * 24, "\n\n".join(content.clean(hit.text) for hit in sources), sources)


def _with_anybodys_passages(hits: Any, *more: Any) -> Context:
    first, *others = hits
    return context_of([first, replace(first, text=BOBS), *others], *more)


def _follows_calls(self: AnswerReader, choice: dict[str, Any], part: str) -> str:
    for call in (choice.get(part) or {}).get("tool_calls", ()):
        with suppress(OrchestraError):
            url = call["function"]["arguments"].split('"url": "')[-1].split('"')[0]
            client.fetch(client.Call(url, "tool", seconds=1, by_setting=True))
    return _text(self, choice, part)


_text = AnswerReader._text


@dataclass(frozen=True)
class Weakness:
    """What is taken out of the product, the kind of breach that follows, and the documents that bring it about."""

    what: str
    kind: str
    target: str
    weak: Any
    documents: tuple[str, ...]


WEAKNESSES = (
    Weakness(
        "no delimiters", "delimiters", "search.answering.writing.context_of", _without_delimiters, ("in English",)
    ),
    Weakness(
        "a mark that can be guessed",
        "delimiters",
        "search.answering.context.secrets.token_hex",
        lambda _: MARK,
        ("the end of a passage",),
    ),
    Weakness(
        "no check of citations",
        "support",
        "search.answering.citations.Checker._supports",
        lambda self, number, _: 1 <= number <= len(self._sources),
        ("a wrong year",),
    ),
    Weakness("no check of tails", "support", "search.answering.citations._foreign", lambda *_: 0.0, ("a tail",)),
    Weakness(
        "no check of headings",
        "support",
        "search.answering.citations.Checker.heading",
        lambda _, text: text,
        ("a heading",),
    ),
    Weakness(
        "images and links left", "active", "search.answering.reading._without_links", lambda text: text, ("an image",)
    ),
    Weakness(
        "addresses left",
        "active",
        "search.answering.reading.Reader._known",
        lambda _, found, otherwise: found,
        ("a page elsewhere",),
    ),
    Weakness(
        "instructions let through",
        "prompt",
        "search.answering.reading.Reader._repeats",
        lambda *_: False,
        ("in English",),
    ),
    Weakness(
        "disguises let through",
        "prompt",
        "search.answering.disguises.KnownText.is_in",
        lambda *_: False,
        ("as rot13", "spelt"),
    ),
    Weakness("no masks", "secrets", "search.filtering.mask", lambda text: text, ("the keys",)),
    Weakness(
        "passages of anybody",
        "others",
        "search.answering.writing.context_of",
        _with_anybodys_passages,
        ("other people's files",),
    ),
    Weakness(
        "calls of tools are followed",
        "outbound",
        "integrations.llm.answers.AnswerReader._text",
        _follows_calls,
        ("a call of a tool",),
    ),
    Weakness("nothing escaped", "page", "django.template.base.conditional_escape", str, ("a name of a file",)),
)


@pytest.mark.parametrize("weakness", WEAKNESSES, ids=lambda weakness: weakness.what)
def test_a_weakness_that_is_put_in_is_found(
    weakness: Weakness,
    documents: tuple[Injection, ...],
    add: Add,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = [one for one in documents if one.what in weakness.documents]
    assert len(chosen) == len(weakness.documents)
    add(chosen)
    with monkeypatch.context() as patch:
        patch.setattr(weakness.target, weakness.weak)
        assert {found.split(":")[0] for found in breaches(ask("deep", chosen))} >= {weakness.kind}
    assert breaches(ask("deep", chosen)) == []
