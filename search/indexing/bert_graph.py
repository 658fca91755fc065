"""Builds the ONNX graph of a BERT sentence encoder from its weights, without torch and without a network.

The published package carries weights only (safetensors). The graph is that of Devlin et al. 2019 (post-layer-norm
encoder), followed by the mean over the tokens and L2 normalisation: token ids go in, sentence vectors come out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

BUILDER_VERSION = 1  # part of the cache key: raise it with every change to the graph
_OPSET = 20
_IR_VERSION = 9

Weights = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class BertShape:
    """The sizes that the graph is built from, named as in the model's config.json."""

    layers: int
    hidden: int
    heads: int
    epsilon: float

    @classmethod
    def from_config(cls, config: Mapping[str, object]) -> BertShape:
        """Read a config.json. Raises KeyError or ValueError where it does not describe a BERT that this can build."""
        if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
            raise ValueError("only BERT with GELU is known here")
        return cls(
            layers=int(str(config["num_hidden_layers"])),
            hidden=int(str(config["hidden_size"])),
            heads=int(str(config["num_attention_heads"])),
            epsilon=float(str(config["layer_norm_eps"])),
        )


def build_bert_graph(weights: Weights, shape: BertShape) -> ModelProto:
    """Return the model, from the int64 (batch, tokens) `input_ids` and `attention_mask` to `embedding`.

    `embedding` is float32 (batch, hidden), L2-normalised. Raises KeyError where a weight is missing.
    """
    return BertGraph(weights, shape).build()


def _float() -> int:
    from onnx import TensorProto

    return int(TensorProto.FLOAT)


class BertGraph:
    """Collects nodes and constants; each method adds a part and returns the name of its output.

    `int8_graph` changes what a linear layer is.
    """

    def __init__(self, weights: Weights, shape: BertShape) -> None:
        self._weights = weights
        self._shape = shape
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}

    def build(self) -> ModelProto:
        """Return the whole model, as `build_bert_graph` says."""
        keep = self.add("Cast", "attention_mask", to=_float())
        hidden = self.embeddings()
        bias = self.mask_bias(keep)
        for layer in range(self._shape.layers):
            hidden = self.encoder_layer(hidden, bias, f"encoder.layer.{layer}")
        return self.finish(self.mean_direction(hidden, keep))

    def linear(self, tensor: str, name: str, scale: float = 1.0) -> str:
        """Add the layer `name` of the weights, its output multiplied by `scale`."""
        matrix = self._weights[f"{name}.weight"].T * np.float32(scale)
        product = self.add("MatMul", tensor, self.constant(f"{name}.weight", matrix))
        bias = self._weights[f"{name}.bias"] * np.float32(scale)
        return self.add("Add", product, self.constant(f"{name}.bias", bias))

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node."""
        from onnx import helper

        output = f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, name: str, value: object) -> str:
        """Add a constant, unless there is one of that name."""
        from onnx import numpy_helper

        if name not in self._constants:
            array = np.asarray(value)
            # Contiguity turns a scalar into a vector of one, hence the shape again.
            whole = np.ascontiguousarray(array).reshape(array.shape)
            self._constants[name] = numpy_helper.from_array(whole, name)
        return name

    def embeddings(self) -> str:
        """Add word, position and (constant) token-type embeddings, and their normalisation."""
        words = self.constant("words", self._weights["embeddings.word_embeddings.weight"])
        table = self._weights["embeddings.position_embeddings.weight"]
        table = table + self._weights["embeddings.token_type_embeddings.weight"][0]
        length = self.add("Shape", "input_ids", start=1, end=2)
        start, axis = self.constant("zero", np.array([0])), self.constant("axis0", np.array([0]))
        positions = self.add("Slice", self.constant("positions", table), start, length, axis)
        summed = self.add("Add", self.add("Gather", words, "input_ids"), positions)
        return self._normalised(summed, "embeddings.LayerNorm")

    def mask_bias(self, keep: str) -> str:
        """Add what keeps attention off the padding: 0 for a token, a large negative number for padding."""
        away = self.add("Sub", keep, self.constant("one", np.float32(1)))
        scaled = self.add("Mul", away, self.constant("far", np.float32(1e4)))
        return self.add("Unsqueeze", scaled, self.constant("axes12", np.array([1, 2])))

    def encoder_layer(self, hidden: str, bias: str, name: str) -> str:
        """Add attention and the two matrices after it, each with its residual and normalisation."""
        attended = self.linear(
            self._attention(hidden, bias, f"{name}.attention.self"), f"{name}.attention.output.dense"
        )
        hidden = self._normalised(self.add("Add", attended, hidden), f"{name}.attention.output.LayerNorm")
        inner = self.add("Gelu", self.linear(hidden, f"{name}.intermediate.dense"))
        outer = self.linear(inner, f"{name}.output.dense")
        return self._normalised(self.add("Add", outer, hidden), f"{name}.output.LayerNorm")

    def mean_direction(self, hidden: str, keep: str) -> str:
        """Add the sum over the tokens, scaled to length 1: dividing by their number first would change nothing."""
        axis = self.constant("axis1", np.array([1]))
        row = self.add("Unsqueeze", keep, axis)
        total = self.add("Squeeze", self.add("MatMul", row, hidden), axis)
        length = self.add("ReduceL2", total, self.constant("last", np.array([-1])), keepdims=1)
        return self.add("Div", total, length)

    def finish(self, output: str) -> ModelProto:
        """Return the checked model, whose output this is."""
        from onnx import TensorProto, checker, helper

        self._nodes.append(helper.make_node("Identity", [output], ["embedding"]))
        names = ("input_ids", "attention_mask")
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in names]
        result = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", self._shape.hidden])
        graph = helper.make_graph(self._nodes, "sentence-encoder", inputs, [result], list(self._constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
        checker.check_model(model)
        return model

    def _attention(self, hidden: str, bias: str, name: str) -> str:
        shape = self._shape
        scale = 1 / math.sqrt(shape.hidden // shape.heads)
        query = self._heads(self.linear(hidden, f"{name}.query", scale), (0, 2, 1, 3))
        keys = self._heads(self.linear(hidden, f"{name}.key"), (0, 2, 3, 1))
        values = self._heads(self.linear(hidden, f"{name}.value"), (0, 2, 1, 3))
        scores = self.add("Add", self.add("MatMul", query, keys), bias)
        mixed = self.add("MatMul", self.add("Softmax", scores, axis=-1), values)
        joined = self.constant("joined", np.array([0, 0, shape.hidden]))
        return self.add("Reshape", self.add("Transpose", mixed, perm=(0, 2, 1, 3)), joined)

    def _heads(self, tensor: str, order: tuple[int, ...]) -> str:
        split = self.constant("split", np.array([0, 0, self._shape.heads, self._shape.hidden // self._shape.heads]))
        return self.add("Transpose", self.add("Reshape", tensor, split), perm=order)

    def _normalised(self, tensor: str, name: str) -> str:
        gain = self.constant(f"{name}.weight", self._weights[f"{name}.weight"])
        shift = self.constant(f"{name}.bias", self._weights[f"{name}.bias"])
        return self.add("LayerNormalization", tensor, gain, shift, axis=-1, epsilon=self._shape.epsilon)
