from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from search.indexing import automatic
from search.indexing.automatic import AutomaticEmbedder, sample_texts
from search.indexing.embedders.onnx import OnnxEmbedder
from search.indexing.embedders.openvino import OpenVinoEmbedder
from search.indexing.embedding import Embedder, EmbeddingModelUnavailable
from tests.contracts.embedder import EmbedderContract

BFLOAT16 = "model name\t: Some Processor\nflags\t\t: fpu avx512_bf16\n\nmodel name\t: Some Processor\n"
PLAIN = "model name\t: Some Processor\nflags\t\t: fpu avx2\n"


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def embedder(cache_dir: Path) -> Embedder:
    return AutomaticEmbedder(cache_dir=cache_dir)


class TestAutomaticEmbedder(EmbedderContract):
    """The contract, on whichever engine suits this machine."""


@pytest.fixture
def bfloat16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _processor(BFLOAT16, tmp_path, monkeypatch)
    monkeypatch.setattr(OpenVinoEmbedder, "precision", "bf16")


def _processor(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    monkeypatch.setattr(automatic, "_CPUINFO", path)


def _outcomes(cache_dir: Path) -> list[str]:
    return [json.loads(path.read_text())["reason_against"] for path in cache_dir.glob("*.json")]


@pytest.mark.usefixtures("bfloat16")
def test_openvino_is_taken_where_its_vectors_are_those_of_fp32_and_compared_once(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(AutomaticEmbedder(cache_dir=cache_dir).engine, OpenVinoEmbedder)
    assert "" in _outcomes(cache_dir)

    monkeypatch.setattr(OnnxEmbedder, "embed_passages", None)  # a second comparison would fail
    assert isinstance(AutomaticEmbedder(cache_dir=cache_dir).engine, OpenVinoEmbedder)


@pytest.mark.usefixtures("bfloat16")
def test_vectors_that_differ_keep_openvino_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(_: object, texts: list[str]) -> NDArray[np.float32]:
        return np.full((len(texts), 384), 384**-0.5, np.float32)

    monkeypatch.setattr(OpenVinoEmbedder, "embed_passages", other)
    engine = AutomaticEmbedder(cache_dir=tmp_path).engine
    assert isinstance(engine, OnnxEmbedder)
    (reason,) = _outcomes(tmp_path)
    assert reason.startswith("Its vectors differ from those of fp32")


@pytest.mark.usefixtures("bfloat16")
def test_openvino_that_does_not_load_is_replaced_and_tried_again_by_the_next_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object, texts: list[str]) -> NDArray[np.float32]:
        raise EmbeddingModelUnavailable

    monkeypatch.setattr(OpenVinoEmbedder, "embed_passages", fail)
    assert isinstance(AutomaticEmbedder(cache_dir=tmp_path).engine, OnnxEmbedder)
    assert _outcomes(tmp_path) == []


def test_a_processor_without_bfloat16_gets_onnx_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _processor(PLAIN, tmp_path, monkeypatch)
    assert isinstance(AutomaticEmbedder(cache_dir=tmp_path).engine, OnnxEmbedder)
    monkeypatch.setattr(automatic, "_CPUINFO", tmp_path / "none")
    assert isinstance(AutomaticEmbedder(cache_dir=tmp_path).engine, OnnxEmbedder)


def test_another_processor_or_version_is_compared_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _processor(PLAIN, tmp_path, monkeypatch)
    here = automatic._machine_key()
    _processor(BFLOAT16, tmp_path, monkeypatch)
    assert automatic._machine_key() != here
    there = automatic._machine_key()
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0")
    assert automatic._machine_key() != there


def test_a_runtime_that_computes_in_fp32_after_all_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _processor(BFLOAT16, tmp_path, monkeypatch)
    monkeypatch.setattr(OpenVinoEmbedder, "precision", "f32")
    assert isinstance(AutomaticEmbedder(cache_dir=tmp_path).engine, OnnxEmbedder)


def test_the_sample_spans_the_window() -> None:
    counts = AutomaticEmbedder(cache_dir="unused").token_counts(sample_texts())
    assert min(counts) <= 2
    assert max(counts) >= AutomaticEmbedder.max_tokens


def test_the_engines_share_one_model_id() -> None:
    classes = cast("list[type[Embedder]]", [AutomaticEmbedder, OnnxEmbedder, OpenVinoEmbedder])
    assert len({one.model_id for one in classes}) == 1


@pytest.mark.usefixtures("bfloat16")
def test_a_folder_that_is_part_of_an_image_is_only_read(
    cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    AutomaticEmbedder(cache_dir=cache_dir).embed_query("prepare")
    for path in cache_dir.iterdir():
        if path.suffix != ".json":
            (tmp_path / path.name).symlink_to(path)

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(automatic, "write_whole", refuse)
    assert isinstance(AutomaticEmbedder(cache_dir=tmp_path).engine, OpenVinoEmbedder)
