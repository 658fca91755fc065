from __future__ import annotations

import numpy as np
import pytest

from search.indexing.bert_graph import BertShape
from search.indexing.calibration import calibration_texts
from search.indexing.int8_graph import Range, build_int8_graph, watched_graph
from search.indexing.packaged_model import PackagedTokenizer, packaged_model

SHAPE = BertShape(layers=3, hidden=8, heads=2, epsilon=1e-12)


def _weights() -> dict[str, np.ndarray]:
    chance = np.random.default_rng(3)
    sizes = {"embeddings.word_embeddings": (20, 8), "embeddings.position_embeddings": (16, 8)}
    sizes["embeddings.token_type_embeddings"] = (2, 8)
    norms = ["embeddings.LayerNorm"]
    for layer in range(SHAPE.layers):
        name = f"encoder.layer.{layer}"
        sizes |= {f"{name}.attention.self.{part}": (8, 8) for part in ("query", "key", "value")}
        sizes |= {f"{name}.attention.output.dense": (8, 8), f"{name}.intermediate.dense": (16, 8)}
        sizes[f"{name}.output.dense"] = (8, 16)
        norms += [f"{name}.attention.output.LayerNorm", f"{name}.output.LayerNorm"]
    weights = {f"{name}.weight": chance.standard_normal(size).astype(np.float32) for name, size in sizes.items()}
    weights |= {f"{name}.bias": np.zeros(size[0], np.float32) for name, size in sizes.items()}
    weights |= {f"{name}.weight": np.ones(8, np.float32) for name in norms}
    return weights | {f"{name}.bias": np.zeros(8, np.float32) for name in norms}


def _run(content: bytes, outputs: list[str], ids: np.ndarray) -> list[np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found: list[np.ndarray] = session.run(outputs, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    return found


def test_the_integer_graph_gives_nearly_the_vectors_of_the_plain_one() -> None:
    weights, ids = _weights(), np.array([[3, 7, 1, 19, 4]])
    watched, inputs = watched_graph(weights, SHAPE)
    vectors, *values = _run(watched.SerializeToString(), ["embedding", *inputs.values()], ids)
    ranges = {name: Range(v.min(axis=(0, 1)), v.max(axis=(0, 1))) for name, v in zip(inputs, values, strict=True)}
    (rounded,) = _run(build_int8_graph(weights, SHAPE, ranges).SerializeToString(), ["embedding"], ids)
    cosine = float((vectors * rounded).sum())
    assert 0.98 < cosine < 0.9999999


def test_what_loses_most_stays_in_float() -> None:
    _, inputs = watched_graph(_weights(), SHAPE)
    assert "encoder.layer.2.output.dense" in inputs
    assert not {"encoder.layer.0.output.dense", "encoder.layer.1.output.dense"} & set(inputs)
    assert not [name for name in inputs if name.endswith("attention.output.dense")]
    assert sum(name.endswith("attention.self") for name in inputs) == SHAPE.layers


def test_a_range_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError):
        build_int8_graph(_weights(), SHAPE, {})


def test_ranges_are_joined_channel_by_channel() -> None:
    one = Range(np.array([0, -1], np.float32), np.array([1, 1], np.float32))
    other = Range(np.array([-2, 0], np.float32), np.array([0, 5], np.float32))
    joined = one.joined(other)
    assert joined.low.tolist() == [-2, -1]
    assert joined.high.tolist() == [1, 5]


def test_the_calibration_texts_are_the_same_each_time_and_span_the_window() -> None:
    texts = calibration_texts()
    assert texts == calibration_texts()
    counts = PackagedTokenizer(packaged_model()).counts(texts)
    assert min(counts) <= 3
    assert max(counts) >= 254
