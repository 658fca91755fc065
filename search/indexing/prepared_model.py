"""The packaged model in the form that engines load: built once, kept in a directory, found there by each process."""

from __future__ import annotations

import hashlib
import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from search.indexing.embedding import EmbeddingModelUnavailable

if TYPE_CHECKING:
    from search.indexing.packaged_model import ModelFiles


class Form(StrEnum):
    """What the prepared model multiplies in: INT8 gives other vectors, and is another model."""

    FULL = "fp32"
    INT8 = "int8"


def prepared_graph(files: ModelFiles, cache_dir: Path, form: Form = Form.FULL) -> Path:
    """Return the model's ONNX file in `cache_dir`, building it where it is missing.

    Its name holds the digest of the weights and the builder's version, and it appears complete or not at all, so that
    processes may start together and old files do no harm. Raises EmbeddingModelUnavailable.
    """
    try:
        path = cache_dir / f"{model_key(files, form)}.onnx"
        if not path.is_file():
            cache_dir.mkdir(parents=True, exist_ok=True)
            write_whole(path, _graph_bytes(files, form))
    except (ImportError, OSError, KeyError, ValueError) as error:
        hint = f"Check that {cache_dir} is writable and has 200 MB free, and that onnx and safetensors are installed."
        raise EmbeddingModelUnavailable("The embedding model could not be prepared.", hint=hint) from error
    return path


def model_key(files: ModelFiles, form: Form = Form.FULL) -> str:
    """Return what names everything made from these weights by this version of the builder. Raises OSError."""
    from search.indexing.bert_graph import BUILDER_VERSION
    from search.indexing.int8_graph import INT8_VERSION

    with files.weights.open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    kind = f"-int8-v{INT8_VERSION}" if form is Form.INT8 else ""
    return f"{digest[:32]}-v{BUILDER_VERSION}{kind}"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears complete or not at all. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _graph_bytes(files: ModelFiles, form: Form) -> bytes:
    from safetensors.numpy import load_file

    from search.indexing.bert_graph import BertShape, build_bert_graph
    from search.indexing.calibration import measured_ranges
    from search.indexing.int8_graph import build_int8_graph

    shape, weights = BertShape.from_config(files.config()), load_file(files.weights)
    if form is Form.INT8:
        model = build_int8_graph(weights, shape, measured_ranges(files, weights, shape))
    else:
        model = build_bert_graph(weights, shape)
    content: bytes = model.SerializeToString()
    return content
