from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from numpy.typing import NDArray

from search.evaluation.likeness import MOST_LOSS, Likeness, compare, reference_collection
from search.indexing.embedders.hashing import HashingEmbedder
from search.indexing.embedders.onnx import OnnxEmbedder
from search.indexing.embedders.openvino import OpenVinoEmbedder
from search.indexing.embedders.sentence_transformers import SentenceTransformerEmbedder
from search.indexing.embedding import Embedder
from search.indexing.fast import FastEmbedder

REFERENCE = "search.management.commands.prepare_model.SentenceTransformerEmbedder"


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


class _Remembering(SentenceTransformerEmbedder):
    """The reference, which takes seconds for what each engine is compared on: it does so once."""

    def __init__(self) -> None:
        super().__init__(threads=2)
        self._known: dict[tuple[str, ...], NDArray[np.float32]] = {}

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = super().embed_passages(texts)
        return self._known[key]


@pytest.fixture(scope="module")
def reference() -> Embedder:
    return _Remembering()


class _Turned(HashingEmbedder):
    """The vectors of the hashing embedder with some of their places negated."""

    def __init__(self, places: int) -> None:
        super().__init__()
        self._places = places

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = super().embed_passages(texts)
        vectors[:, : self._places] *= -1
        return vectors


class _Blind(HashingEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.model_id = "blind"

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.full((len(texts), self.dimensions), self.dimensions**-0.5, np.float32)


def test_the_collection_judges_ten_topics_of_six_passages() -> None:
    collection = reference_collection()
    documents = list(collection.documents())
    topics = Counter(document.id.rpartition("-")[0] for document in documents)
    assert len(topics) == 10
    assert set(topics.values()) == {6}
    assert len(collection.questions) == 100
    assert {key for question in collection.questions for key in question.grades} == {one.id for one in documents}
    assert len({question.text for question in collection.questions}) == 100


def test_the_same_engine_is_like_itself() -> None:
    likeness = compare(HashingEmbedder(), HashingEmbedder(), reference_collection())
    assert likeness.faults == ()
    assert likeness.least_cosine == pytest.approx(1)
    assert likeness.same_nearest == 1
    assert 0 < likeness.ndcg == likeness.reference_ndcg < 1


def test_other_vectors_under_the_same_model_id_are_a_fault_even_where_the_order_is_the_same() -> None:
    likeness = compare(_Turned(40), HashingEmbedder(), reference_collection())
    assert likeness.ndcg == pytest.approx(likeness.reference_ndcg)
    (fault,) = likeness.faults
    assert "vectors do not agree" in fault


def test_another_model_may_have_other_vectors_but_must_find_as_much() -> None:
    likeness = compare(_Blind(), HashingEmbedder(), reference_collection())
    assert not likeness.same_model
    (fault,) = likeness.faults
    assert "finds less than the reference" in fault


@pytest.mark.parametrize(("loss", "faults"), [(MOST_LOSS - 1e-6, 0), (MOST_LOSS + 1e-6, 1)])
def test_the_loss_has_a_limit(loss: float, faults: int) -> None:
    likeness = Likeness(
        same_model=False, least_cosine=0.9, mean_cosine=0.9, same_nearest=1, ndcg=0.9 - loss, reference_ndcg=0.9
    )
    assert len(likeness.faults) == faults


@pytest.mark.timeout(400)
@pytest.mark.parametrize("make", [OnnxEmbedder, OpenVinoEmbedder, FastEmbedder])
def test_the_engines_pass_against_sentence_transformers(make: Any, cache_dir: Path, reference: Embedder) -> None:
    likeness = compare(make(cache_dir=cache_dir), reference, reference_collection())
    assert likeness.faults == ()
    assert likeness.reference_ndcg > 0.9
    assert likeness.same_model == (make is not FastEmbedder)


def _prepare(*arguments: str) -> str:
    out = io.StringIO()
    call_command("prepare_model", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_the_command_says_what_it_made_and_makes_it_once(tmp_path: Path, settings: Any) -> None:
    backend = "search.indexing.embedders.onnx.OnnxEmbedder"
    settings.EMBEDDERS = {"default": {"BACKEND": backend, "OPTIONS": {"cache_dir": tmp_path / "models"}}}
    first = _prepare()
    (made,) = (tmp_path / "models").iterdir()
    assert f"Made {made} (" in first
    written = made.stat().st_mtime_ns
    assert "Nothing was to be prepared" in _prepare()
    assert made.stat().st_mtime_ns == written


def test_the_command_compares_and_tells_of_an_engine_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(REFERENCE, HashingEmbedder)
    told = _prepare("--check")
    assert "least 1.00000" in told
    assert "The engine may be used." in told


def test_the_command_ends_with_a_sentence_where_the_engine_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(REFERENCE, lambda: _Turned(40))
    with pytest.raises(CommandError, match="vectors do not agree") as caught:
        _prepare("--check")
    assert caught.value.returncode == 1
    assert "EMBEDDING_ENGINE" in str(caught.value)


def test_the_command_says_what_is_missing(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    backend = "search.indexing.embedders.onnx.OnnxEmbedder"
    settings.EMBEDDERS = {"default": {"BACKEND": backend, "OPTIONS": {"cache_dir": tmp_path / "file"}}}
    with pytest.raises(CommandError, match="could not be prepared"):
        _prepare()
