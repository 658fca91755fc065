"""Builds the graph of a BERT sentence encoder whose matrices are multiplied in 8-bit integers.

Before it: `calibration`, which measures what goes into each matrix. It is the graph of `bert_graph`, with
QuantizeLinear and DequantizeLinear around most linear layers, which OpenVINO and ONNX Runtime turn into integer
products. Weights have one scale for each output, and lie symmetrically about 0; activations have one for the tensor.

What it does against the loss, each with its reason, is measured in docs/decisions/0009.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.indexing.bert_graph import BertGraph, BertShape, Weights

if TYPE_CHECKING:
    from onnx import ModelProto

INT8_VERSION = 1  # part of the file's name: raise it with every change to this graph or to the calibration

Floats = NDArray[np.float32]

# Exponents of SmoothQuant (Xiao et al. 2022, arXiv 2211.10438): how much of a channel's width the weights take over.
_SMOOTHING = {"attention.self": 0.75, "intermediate.dense": 0.75, "output.dense": 0.85}
# What lost most for the time it saves: the output of attention (a seventh of a layer's work at most), and the second
# matrix of the first two layers, where single values are a hundred times the others.
_KEPT_FLOAT = re.compile(r"attention\.output\.dense$|\.layer\.[01]\.output\.dense$")
_PROJECTION = re.compile(r"(attention\.self)\.(?:query|key|value)$")


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value of each channel of a tensor, both of shape (channels,)."""

    low: Floats
    high: Floats

    def joined(self, other: Range) -> Range:
        """Return the range that covers both."""
        return Range(np.minimum(self.low, other.low), np.maximum(self.high, other.high))


Ranges = Mapping[str, Range]
"""By the input's name, as `watched_graph` gives it."""


def build_int8_graph(weights: Weights, shape: BertShape, ranges: Ranges) -> ModelProto:
    """Return the model, with the inputs and the output of `build_bert_graph`. Raises KeyError for a missing range."""
    return _Int8Graph(weights, shape, ranges).build()


def watched_graph(weights: Weights, shape: BertShape) -> tuple[ModelProto, dict[str, str]]:
    """Return the fp32 model with the inputs of its linear layers as further outputs, and the outputs by input."""
    from onnx import TensorProto, helper

    graph = _WatchedGraph(weights, shape)
    model = graph.build()
    for output in graph.inputs.values():
        model.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, None))
    return model, graph.inputs


class _WatchedGraph(BertGraph):
    def __init__(self, weights: Weights, shape: BertShape) -> None:
        super().__init__(weights, shape)
        self.inputs: dict[str, str] = {}

    def linear(self, tensor: str, name: str, scale: float = 1.0) -> str:
        if not _KEPT_FLOAT.search(name):
            self.inputs[_input_of(name)] = tensor
        return super().linear(tensor, name, scale)


@dataclass(frozen=True, slots=True)
class _Quantised:
    """A tensor after rounding: what was added before (times its scale), and what its channels were divided by."""

    tensor: str
    offset: float
    divisors: Floats


class _Int8Graph(BertGraph):
    def __init__(self, weights: Weights, shape: BertShape, ranges: Ranges) -> None:
        super().__init__(weights, shape)
        self._ranges = ranges
        self._quantised: dict[str, _Quantised] = {}

    def linear(self, tensor: str, name: str, scale: float = 1.0) -> str:
        if _KEPT_FLOAT.search(name):
            return super().linear(tensor, name, scale)
        source = _input_of(name)
        if source not in self._quantised:
            self._quantised[source] = self._rounded(tensor, source)
        rounded = self._quantised[source]
        matrix = self._matrix(name) * np.float32(scale) * rounded.divisors[:, None]
        steps = (np.abs(matrix).max(axis=0) / 127).astype(np.float32)
        whole = np.clip(np.rint(matrix / steps), -127, 127).astype(np.int8)
        zero = self.constant(f"{name}.int8_zero", np.zeros(len(steps), np.int8))
        stored = (self.constant(f"{name}.int8", whole), self.constant(f"{name}.steps", steps), zero)
        product = self.add("MatMul", rounded.tensor, self.add("DequantizeLinear", *stored, axis=1))
        moved = rounded.offset * (whole.astype(np.float64) * steps).sum(axis=0)
        bias = self._weights[f"{name}.bias"] * np.float32(scale) - moved
        return self.add("Add", product, self.constant(f"{name}.bias", bias.astype(np.float32)))

    def _rounded(self, tensor: str, source: str) -> _Quantised:
        """Add the rounding to 0 … 255.

        The zero point is 0: OpenVINO multiplies in integers only then. So the tensor is moved up before, and the bias
        of the layer takes that back.
        """
        divisors = self._divisors(source)
        low = min(float((self._ranges[source].low / divisors).min()), 0.0)
        high = max(float((self._ranges[source].high / divisors).max()), 0.0)
        step = np.float32((high - low) / 255)
        offset = np.float32(round(-low / step)) * step
        smooth = self.add("Mul", tensor, self.constant(f"{source}.smoothing", 1 / divisors))
        moved = self.add("Add", smooth, self.constant(f"{source}.offset", offset))
        grid = (self.constant(f"{source}.step", step), self.constant(f"{source}.zero", np.uint8(0)))
        rounded = self.add("DequantizeLinear", self.add("QuantizeLinear", moved, *grid), *grid)
        return _Quantised(rounded, float(offset), divisors)

    def _divisors(self, source: str) -> Floats:
        """Return what to divide the channels by: wide ones give a part of their width to the weights."""
        exponent = next(value for ending, value in _SMOOTHING.items() if source.endswith(ending))
        names = [f"{source}.{part}" for part in ("query", "key", "value")] if source.endswith("self") else [source]
        largest = np.max([np.abs(self._matrix(name)).max(axis=1) for name in names], axis=0)
        width = np.maximum(np.abs(self._ranges[source].low), np.abs(self._ranges[source].high))
        shares = np.maximum(width, 1e-5) ** exponent / np.maximum(largest, 1e-5) ** (1 - exponent)
        divisors: Floats = (shares / np.exp(np.log(shares).mean())).astype(np.float32)
        return divisors

    def _matrix(self, name: str) -> Floats:
        matrix: Floats = self._weights[f"{name}.weight"].T
        return matrix


def _input_of(name: str) -> str:
    """Return what names the input of a layer: query, key and value have the same one."""
    return _PROJECTION.sub(r"\1", name)
