"""The packaged model in the form that engines load: built once, kept in a directory, found there by each process."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from search.indexing.embedding import EmbeddingModelUnavailable

if TYPE_CHECKING:
    from search.indexing.packaged_model import ModelFiles


def prepared_graph(files: ModelFiles, cache_dir: Path) -> Path:
    """Return the model's ONNX file in `cache_dir`, building it where it is missing.

    Its name holds the digest of the weights and the builder's version, and it appears complete or not at all, so that
    processes may start together and old files do no harm. Raises EmbeddingModelUnavailable.
    """
    try:
        path = cache_dir / f"{model_key(files)}.onnx"
        if not path.is_file():
            cache_dir.mkdir(parents=True, exist_ok=True)
            write_whole(path, _graph_bytes(files))
    except (ImportError, OSError, KeyError, ValueError) as error:
        hint = f"Check that {cache_dir} is writable and has 200 MB free, and that onnx and safetensors are installed."
        raise EmbeddingModelUnavailable("The embedding model could not be prepared.", hint=hint) from error
    return path


def model_key(files: ModelFiles) -> str:
    """Return what names everything made from these weights by this version of the builder. Raises OSError."""
    from search.indexing.bert_graph import BUILDER_VERSION

    with files.weights.open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    return f"{digest[:32]}-v{BUILDER_VERSION}"


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


def _graph_bytes(files: ModelFiles) -> bytes:
    from safetensors.numpy import load_file

    from search.indexing.bert_graph import BertShape, build_bert_graph

    shape = BertShape.from_config(files.config())
    content: bytes = build_bert_graph(load_file(files.weights), shape).SerializeToString()
    return content
