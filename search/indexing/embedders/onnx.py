"""all-MiniLM-L6-v2 through ONNX Runtime: the same vectors as the reference, on any processor, without torch.

Its 8-bit form is another model, see `search.indexing.fast`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from search.indexing.embedding import EmbeddingModelUnavailable, PerProcess
from search.indexing.packaged_embedder import Batch, PackagedEmbedder
from search.indexing.packaged_model import packaged_model
from search.indexing.prepared_model import Form, prepared_graph

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession


class OnnxEmbedder(PackagedEmbedder):
    """The packaged model run by ONNX Runtime, on the processor, in fp32 or 8-bit integers."""

    def __init__(self, *, cache_dir: str | Path, threads: int = 0, batch_size: int = 4, form: Form = Form.FULL) -> None:
        """Set up without loading: the graph is kept in `cache_dir`; `threads` of 0 means one per core."""
        super().__init__(batch_size=batch_size, form=form)
        self._cache_dir = Path(cache_dir)
        self._threads = threads
        self._session = PerProcess(self._load)

    def _embedded(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        session = self._session.get()
        for batch in batches:
            (vectors,) = session.run(["embedding"], {"input_ids": batch.ids, "attention_mask": batch.mask})
            yield batch, vectors

    def _load(self) -> InferenceSession:
        try:
            import onnxruntime
            from onnxruntime.capi import onnxruntime_pybind11_state as native
        except ImportError as error:
            raise EmbeddingModelUnavailable("ONNX Runtime is not installed.") from error
        path = prepared_graph(packaged_model(), self._cache_dir, self._form)
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
