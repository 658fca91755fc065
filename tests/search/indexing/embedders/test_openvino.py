from __future__ import annotations

import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

from search.indexing.embedders.openvino import OpenVinoEmbedder
from search.indexing.embedding import Embedder, EmbeddingModelUnavailable
from tests.contracts.embedder import EmbedderContract

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def embedder(cache_dir: Path) -> Embedder:
    return OpenVinoEmbedder(cache_dir=cache_dir)


class TestOpenVinoEmbedder(EmbedderContract):
    """The contract, on the engine."""


def _prepare(cache_dir: Path) -> None:
    OpenVinoEmbedder(cache_dir=cache_dir, threads=1).embed_query("a question")


def test_the_model_is_prepared_once(cache_dir: Path) -> None:
    _prepare(cache_dir)
    before = {path: path.stat().st_mtime_ns for path in cache_dir.rglob("*")}
    _prepare(cache_dir)
    assert {path: path.stat().st_mtime_ns for path in cache_dir.rglob("*")} == before
    assert sorted(path.suffix for path in before) == ["", ".bin", ".onnx", ".xml"]


def test_processes_that_start_together_may_prepare_it_at_the_same_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_prepare, args=(tmp_path,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", ".onnx"]


def test_a_spoilt_model_is_named_in_the_hint(tmp_path: Path) -> None:
    _prepare(tmp_path)
    (model,) = tmp_path.glob("*/model.xml")
    model.write_text("not a model")
    with pytest.raises(EmbeddingModelUnavailable, match="cannot be loaded") as caught:
        OpenVinoEmbedder(cache_dir=tmp_path).embed_query("a question")
    assert model.parent.name in caught.value.hint


def test_a_directory_that_cannot_be_written_is_named_in_the_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EmbeddingModelUnavailable) as caught:
        OpenVinoEmbedder(cache_dir=tmp_path / "file").embed_query("a question")
    assert str(tmp_path / "file") in caught.value.hint


def test_a_runtime_that_is_not_installed_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EmbeddingModelUnavailable, match="OpenVINO is not installed"):
        OpenVinoEmbedder(cache_dir=tmp_path).embed_query("a question")


def test_neither_torch_nor_a_telemetry_client_is_imported(cache_dir: Path) -> None:
    code = (
        "import sys; from search.indexing.embedders.openvino import OpenVinoEmbedder;"
        f"engine = OpenVinoEmbedder(cache_dir={str(cache_dir)!r});"
        "assert engine.count_tokens('a b') == 2 and 'openvino' not in sys.modules;"
        "engine.embed_query('a question');"
        "names = ('torch', 'transformers', 'onnxruntime', 'openvino_telemetry', 'openvino.tools.ovc');"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_its_precision_follows_the_processor(cache_dir: Path) -> None:
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    expected = "bf16" if "avx512_bf16" in flags or "amx_bf16" in flags else "f32"
    assert OpenVinoEmbedder(cache_dir=cache_dir).precision == expected
