from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from search.indexing import packaged_model
from search.indexing.embedding import EmbeddingModelUnavailable, PerProcess

ROOT = Path(__file__).resolve().parents[3]
MODULES = (
    "search.indexing.automatic",
    "search.indexing.chunking",
    "search.indexing.embedding",
    "search.indexing.embedders.hashing",
    "search.indexing.embedders.onnx",
    "search.indexing.embedders.openvino",
    "search.indexing.embedders.sentence_transformers",
    "search.indexing.fast",
    "search.ranking.fusion",
    "search.ranking.highlighting",
)
HEAVY = (
    "torch",
    "onnx",
    "onnxruntime",
    "openvino",
    "transformers",
    "sentence_transformers",
    "tokenizers",
    "numpy",
    "django",
)


def test_importing_the_engines_loads_no_heavy_library() -> None:
    code = f"import sys, {', '.join(MODULES)}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_counting_tokens_and_embedding_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from search.indexing.embedders.onnx import OnnxEmbedder;"
        f"engine = OnnxEmbedder(cache_dir={str(tmp_path)!r});"
        "assert engine.count_tokens('a b') == 2 and 'onnxruntime' not in sys.modules;"
        "engine.embed_query('a question'); print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_model_that_is_not_installed_is_unavailable_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged_model, "_PACKAGE", "no_such_package")
    with pytest.raises(EmbeddingModelUnavailable) as caught:
        packaged_model.packaged_model()
    assert "pip install" in caught.value.hint


def test_a_value_is_made_once_for_all_threads_of_a_process() -> None:
    made: list[int] = []

    def make() -> object:
        made.append(1)
        return object()

    value = PerProcess(make)
    threads = [threading.Thread(target=value.get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_value_is_made_again_in_a_forked_child() -> None:
    value = PerProcess(os.getpid)
    assert value.get() == os.getpid()
    child = os.fork()
    if child == 0:
        os._exit(0 if value.get() == os.getpid() else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_failure_to_make_a_value_is_tried_again() -> None:
    answers = iter([None, "made"])

    def make() -> str:
        answer = next(answers)
        if answer is None:
            raise EmbeddingModelUnavailable
        return answer

    value = PerProcess(make)
    with pytest.raises(EmbeddingModelUnavailable):
        value.get()
    assert value.get() == "made"
