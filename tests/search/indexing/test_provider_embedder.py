"""Embeddings of a server that speaks OpenAI's protocol: the contract, and what is its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from files import pipeline
from files.models import FileRecord
from integrations import usage
from integrations.models import ModelUsage
from orchestra.accounts.models import User
from orchestra.common.outbound import guard
from orchestra.common.outbound.ledger import watched
from search import services, spaces
from search.indexing import refilling
from search.indexing.embedding import EmbedderElsewhere, EmbeddingModelUnavailable
from search.indexing.provider_embedder import ProviderEmbedder
from search.models import EmbeddingSpace
from tests.contracts.embedder import TEXTS, EmbedderContract
from tests.openai_server import KEY, MODEL, OpenAIServer, Reply, failure, hashed

MakeFile = Callable[..., FileRecord]
DIMENSIONS = 384


def embedder_at(server: OpenAIServer, **options: Any) -> ProviderEmbedder:
    values: dict[str, Any] = {"model": MODEL, "dimensions": DIMENSIONS, "key": KEY, "max_tokens": 200}
    values |= {"counted": lambda *_: None, **options}
    return ProviderEmbedder(base_url=server.base_url, **values)


class TestProviderEmbedder(EmbedderContract):
    """The contract, on the provider's embedder."""


@pytest.fixture
def embedder(openai_server: OpenAIServer) -> ProviderEmbedder:
    return embedder_at(openai_server)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Try again at once; the pauses that would have been made."""
    pauses: list[float] = []
    monkeypatch.setattr("integrations.embeddings.sleep", pauses.append)
    return pauses


def test_nothing_is_asked_before_the_first_text(openai_server: OpenAIServer, embedder: ProviderEmbedder) -> None:
    assert embedder.token_counts(["one two"]) == [2]
    assert embedder.embed_passages([]).shape == (0, DIMENSIONS)
    assert openai_server.asked == []
    assert KEY not in repr(vars(embedder))


def test_many_texts_go_in_batches_and_come_back_in_their_order(
    openai_server: OpenAIServer, embedder: ProviderEmbedder
) -> None:
    texts = [f"number {number} of many" for number in range(150)]
    assert np.allclose(embedder.embed_passages(texts) * 2, hashed(texts), atol=1e-5)
    assert openai_server.embedded == texts
    assert [len(asked.body["input"]) for asked in openai_server.asked] == [64, 64, 22]
    assert openai_server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert openai_server.asked[0].body["model"] == MODEL


def test_long_texts_go_in_smaller_batches(openai_server: OpenAIServer) -> None:
    embedder_at(openai_server, max_tokens=100_000).embed_passages(["word " * 8_000] * 5)
    assert [len(asked.body["input"]) for asked in openai_server.asked] == [2, 2, 1]


def test_no_text_is_empty_or_longer_than_the_model_reads(
    openai_server: OpenAIServer, embedder: ProviderEmbedder
) -> None:
    embedder.embed_passages(TEXTS)
    assert all(text.strip() for text in openai_server.embedded)
    assert max(embedder.token_counts(openai_server.embedded)) <= embedder.max_tokens


def test_what_was_asked_stands_in_the_ledger_and_is_counted(openai_server: OpenAIServer) -> None:
    counted: list[tuple[str, int]] = []
    embedder = embedder_at(openai_server, counted=lambda *call: counted.append(call))
    with watched() as entries:
        embedder.embed_passages(["one two three", "four"])
        embedder.embed_query("five six")
    assert counted == [(MODEL, 4), (MODEL, 2)]
    assert [(entry.host, entry.purpose) for entry in entries] == [
        ("127.0.0.1", "embedding of passages"),
        ("127.0.0.1", "embedding of a question"),
    ]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(
    openai_server: OpenAIServer, embedder: ProviderEmbedder, waited: list[float], status: int
) -> None:
    openai_server.script = [failure(status, None), failure(status, None, headers=(("Retry-After", "1.5"),))]
    assert embedder.embed_passages(["a text"]).shape == (1, DIMENSIONS)
    assert len(waited) == 2
    assert waited[1] == 1.5


@pytest.mark.usefixtures("waited")
@pytest.mark.parametrize(
    ("reply", "hint", "asked"),
    [
        (failure(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"), "EMBEDDING_API_KEY", 1),
        (failure(404, "model_not_found"), "EMBEDDING_MODEL", 1),
        (failure(429, None), "try again later", 4),
        (failure(500, None), "", 4),
        (failure(400, None, "the secret text is too long"), "EMBEDDING_TOKENS", 1),
    ],
)
def test_a_refusal_is_told_in_our_words(
    openai_server: OpenAIServer, embedder: ProviderEmbedder, reply: Reply, hint: str, asked: int
) -> None:
    openai_server.script = [reply] * 9
    with pytest.raises(EmbeddingModelUnavailable) as caught:
        embedder.embed_query("the secret text")
    said = f"{caught.value.message} {caught.value.hint}"
    assert hint in said
    assert KEY not in said
    assert "secret" not in said
    assert len(openai_server.asked) == asked


def test_a_provider_that_is_silent_is_left(openai_server: OpenAIServer) -> None:
    openai_server.script = [Reply(silent=0.5)]
    with pytest.raises(EmbeddingModelUnavailable, match="took too long"):
        embedder_at(openai_server, seconds=0.1).embed_query("a question")


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"null",
            b"[]",
            b"{}",
            b"1",
            b'{"data": 1}',
            b'{"data": [1]}',
            b'{"data": []}',
            b"[" * 100_000,
            b"<html>",
        ),
        *(b'{"data": [{"index": 0, "embedding": %s}]}' % one for one in (b"null", b'"x"', b"[[1]]", b"[true]")),
        b'{"data": [{"index": 0, "embedding": [%s]}]}' % b", ".join([b"NaN"] * DIMENSIONS),
        b'{"data": [{"index": 0, "embedding": [%s]}]}' % b", ".join([b"1e999"] * DIMENSIONS),
        b'{"data": [{"index": 0, "embedding": [%s]}]}' % b", ".join([b"0"] * DIMENSIONS),
        b'{"data": [{"index": 1, "embedding": [%s]}]}' % b", ".join([b"1"] * DIMENSIONS),
        b'{"data": [{"index": true, "embedding": [%s]}]}' % b", ".join([b"1"] * DIMENSIONS),
        json.dumps({"data": [{"index": 0, "embedding": [1] * DIMENSIONS}] * 2}).encode(),
    ],
    ids=lambda body: body[:40].decode(),
)
def test_what_is_no_vector_is_refused(openai_server: OpenAIServer, embedder: ProviderEmbedder, body: bytes) -> None:
    openai_server.script = [Reply(raw=body, content_type="application/json")]
    with pytest.raises(EmbeddingModelUnavailable, match="form that is not known"):
        embedder.embed_query("a question")


@pytest.mark.parametrize("number", ["1e-300", "1e300", "3"])
def test_vectors_of_any_length_become_unit_vectors(
    openai_server: OpenAIServer, embedder: ProviderEmbedder, number: str
) -> None:
    row = ", ".join([number] * DIMENSIONS)
    body = f'{{"data": [{{"index": 0, "embedding": [{row}]}}]}}'
    openai_server.script = [Reply(raw=body.encode(), content_type="application/json")]
    assert np.linalg.norm(embedder.embed_query("a question")) == pytest.approx(1, abs=1e-5)


def test_vectors_of_another_length_are_refused_and_the_right_one_is_named(openai_server: OpenAIServer) -> None:
    with pytest.raises(EmbeddingModelUnavailable, match="384 numbers, not of 1536") as caught:
        embedder_at(openai_server, dimensions=1536).embed_query("a question")
    assert "EMBEDDING_DIMENSIONS=384" in caught.value.hint


def test_nothing_leaves_where_nothing_may(openai_server: OpenAIServer, embedder: ProviderEmbedder) -> None:
    with guard.closed(), pytest.raises(EmbeddingModelUnavailable):
        embedder.embed_query("a question")
    assert openai_server.asked == []


def test_models_of_two_servers_or_lengths_are_two_models(openai_server: OpenAIServer) -> None:
    long = "x" * 300
    ids = {
        embedder_at(openai_server, **more).model_id
        for more in ({}, {"dimensions": 8}, {"model": "large"}, {"model": long}, {"model": f"{long}y"})
    }
    assert len(ids) == 5
    longest: Any = EmbeddingSpace._meta.get_field("model_id").max_length
    assert max(map(len, ids)) <= longest


@pytest.fixture
def provided(openai_server: OpenAIServer, settings: Any) -> None:
    """The provider's embedder, beside the one before."""
    options = {"base_url": openai_server.base_url, "model": MODEL, "key": KEY, "dimensions": DIMENSIONS}
    settings.EMBEDDERS = {
        "default": {"BACKEND": "search.indexing.provider_embedder.ProviderEmbedder", "OPTIONS": options},
        "before": {"BACKEND": "search.indexing.embedders.hashing.HashingEmbedder"},
    }


@pytest.fixture
def library(alice: User, make_file: MakeFile) -> list[FileRecord]:
    texts = ("The cat sleeps on the sill.", "Diesel engines compress air.")
    files = [make_file(alice, text.encode(), f"{number}.txt") for number, text in enumerate(texts)]
    while pipeline.work("test"):
        pass
    return files


def test_a_change_to_it_fills_a_new_space_that_takes_over(
    alice: User, library: list[FileRecord], openai_server: OpenAIServer, request: pytest.FixtureRequest
) -> None:
    before = spaces.active()
    request.getfixturevalue("provided")
    refilling.maintain(30)
    spaces.searched.forget()
    after = spaces.active()
    assert before is not None
    assert after is not None
    assert (before.model_id, after.model_id) == ("hashing-384", f"127.0.0.1/{MODEL}/{DIMENSIONS}")
    assert len(openai_server.embedded) == 2
    result = services.search(alice, "Where does the cat sleep?")
    assert result.hits[0].file_name == "0.txt"
    assert [entry.purpose for entry in result.outbound] == ["embedding of a question"]


@pytest.mark.usefixtures("provided")
class TestSearches:
    """Searches where the provider's embedder made the vectors."""

    def test_private_mode_refuses_it_and_searches_by_words(
        self, alice: User, library: list[FileRecord], openai_server: OpenAIServer
    ) -> None:
        openai_server.asked.clear()
        result = services.search(alice, "Where does the cat sleep?", mode="private")
        assert result.hits[0].file_name == "0.txt"
        assert result.notes == (f"Searched by words alone. {EmbedderElsewhere.default_message}",)
        assert result.outbound == ()
        assert openai_server.asked == []

    def test_an_answer_asks_it_for_the_question_alone(
        self, alice: User, library: list[FileRecord], openai_server: OpenAIServer
    ) -> None:
        openai_server.asked.clear()
        result = services.search(alice, "Where does the cat sleep?", mode="deep")
        assert result.answer is not None
        assert openai_server.embedded == ["Where does the cat sleep?"]

    def test_a_search_goes_on_by_words_where_it_fails(
        self, alice: User, library: list[FileRecord], openai_server: OpenAIServer
    ) -> None:
        openai_server.script = [failure(401, "invalid_api_key")]
        result = services.search(alice, "Where does the cat nap?")
        assert result.hits[0].file_name == "0.txt"
        assert result.notes == ("Searched by words alone. The model's provider does not accept the key.",)


@pytest.mark.django_db(transaction=True)
def test_its_calls_are_counted_in_a_row_without_a_user() -> None:
    for tokens in (5, 7):
        usage.count_for_installation(MODEL, tokens)
    row = ModelUsage.objects.get()
    assert (row.user, row.model, row.own, row.calls, row.input_tokens) == (None, MODEL, False, 2, 12)
    assert row.month.day == 1
    assert str(row) == f"{MODEL} {row.month:%Y-%m}"


@pytest.mark.django_db
def test_counting_waits_for_the_end_of_a_transaction(django_capture_on_commit_callbacks: Any) -> None:
    with CaptureQueriesContext(connection) as queries, django_capture_on_commit_callbacks() as waiting:
        usage.count_for_installation(MODEL, 5)
    assert (len(queries), len(waiting)) == (0, 1)
