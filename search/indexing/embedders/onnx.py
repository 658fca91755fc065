"""all-MiniLM-L6-v2 through ONNX Runtime: the same vectors as the reference, without torch.

The graph is built once from the packaged weights and kept in a directory; every process loads it from there.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search.indexing.embedding import Embedder, EmbeddingModelUnavailable, PerProcess
from search.indexing.packaged_model import (
    DIMENSIONS,
    MARKS,
    MODEL_ID,
    WINDOW,
    ModelFiles,
    PackagedTokenizer,
    packaged_model,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Encoding


class OnnxEmbedder(Embedder):
    """The packaged model run by ONNX Runtime, in fp32 on the processor, in small batches of texts of like length."""

    model_id = MODEL_ID
    dimensions = DIMENSIONS
    max_tokens = WINDOW - MARKS

    def __init__(self, *, cache_dir: str | Path, threads: int = 0, batch_size: int = 4) -> None:
        """Set up without loading: the graph is kept in `cache_dir`; `threads` of 0 means one per core."""
        self._cache_dir = Path(cache_dir)
        self._threads = threads
        self._batch_size = batch_size
        self._tokenizer = PerProcess(lambda: PackagedTokenizer(packaged_model()))
        self._session = PerProcess(self._load)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text; needs the tokenizer alone, not the model."""
        return self._tokenizer.get().counts(texts)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, shape (len(texts), 384)."""
        import numpy as np

        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        encodings = self._tokenizer.get().encode(texts) if texts else []
        by_length = sorted(range(len(encodings)), key=lambda position: -len(encodings[position].ids))
        for start in range(0, len(by_length), self._batch_size):
            batch = by_length[start : start + self._batch_size]
            vectors[batch] = self._run([encodings[position] for position in batch])
        return vectors

    def _run(self, encodings: Sequence[Encoding]) -> NDArray[np.float32]:
        import numpy as np

        width = max(len(encoding.ids) for encoding in encodings)
        ids = np.zeros((len(encodings), width), np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        (vectors,) = self._session.get().run(["embedding"], {"input_ids": ids, "attention_mask": mask})
        return np.asarray(vectors, np.float32)

    def _load(self) -> InferenceSession:
        try:
            import onnxruntime
            from onnxruntime.capi import onnxruntime_pybind11_state as native
        except ImportError as error:
            raise EmbeddingModelUnavailable("ONNX Runtime is not installed.") from error
        path = prepared_graph(packaged_model(), self._cache_dir)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = self._threads
        # Threads that spin while they wait take the cores from whatever else wants them: fewer passages a second.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except (native.Fail, native.InvalidGraph, native.InvalidProtobuf, native.NoSuchFile) as error:
            hint = f"Delete {path} and try again: it is built anew from the installed package."
            raise EmbeddingModelUnavailable(hint=hint, path=str(path)) from error


def prepared_graph(files: ModelFiles, cache_dir: Path) -> Path:
    """Return the model's ONNX file in `cache_dir`, building it where it is missing.

    Its name holds the digest of the weights and the builder's version, and it appears complete or not at all, so that
    processes may start together and old files do no harm. Raises EmbeddingModelUnavailable.
    """
    from search.indexing.bert_graph import BUILDER_VERSION

    try:
        with files.weights.open("rb") as weights:
            digest = hashlib.file_digest(weights, "sha256").hexdigest()
        path = cache_dir / f"{digest[:32]}-v{BUILDER_VERSION}.onnx"
        if not path.is_file():
            cache_dir.mkdir(parents=True, exist_ok=True)
            _write_whole(path, _graph_bytes(files))
    except (ImportError, OSError, KeyError, ValueError) as error:
        hint = f"Check that {cache_dir} is writable and has 200 MB free, and that onnx and safetensors are installed."
        raise EmbeddingModelUnavailable("The embedding model could not be prepared.", hint=hint) from error
    return path


def _graph_bytes(files: ModelFiles) -> bytes:
    from safetensors.numpy import load_file

    from search.indexing.bert_graph import BertShape, build_bert_graph

    shape = BertShape.from_config(files.config())
    content: bytes = build_bert_graph(load_file(files.weights), shape).SerializeToString()
    return content


def _write_whole(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
