"""all-MiniLM-L6-v2 through OpenVINO: in bfloat16 where the processor multiplies it, at about twice the speed of fp32.

Its vectors are those of the reference to a cosine of 0.9999 and better, so it shares the reference's model id. Its
8-bit form is another model, see `search.indexing.fast`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from search.indexing.embedding import EmbeddingModelUnavailable, PerProcess
from search.indexing.packaged_embedder import Batch, PackagedEmbedder
from search.indexing.packaged_model import ModelFiles, packaged_model
from search.indexing.prepared_model import Form, model_key, prepared_graph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

# The runtime keeps compiled kernels for each shape that each stream has met: in steps of 16 these take 11 MB less than
# in steps of 8 (two streams), for 2 % more arithmetic. Besides, its attention rounds otherwise at other widths, which
# the 8-bit form enlarges: a vector would depend on the texts beside it.
_WIDTH_STEP = 16
# One batch on one thread in each stream: threads that share a batch wait for one another at each of its 100 operations,
# above all where other processes want the cores. A question takes one core, and two questions do not wait in line.
_MOST_STREAMS = 8  # each has memory of its own, about 25 MB; more cores than that share them
_CONVERTER = "openvino.tools.ovc"
_FILE = "model.xml"  # its weights lie beside it in model.bin
_FORM_VERSION = 1  # part of the folder's name: raise it with every change to how the model is saved
# Sums and normalisation stay in fp32, matrices go in bfloat16. It costs 3 % of the time, and the least cosine to fp32
# over texts of any length and script rises from 0.99989 to 0.99995.
_KEPT_EXACT = frozenset({"Add", "Multiply", "MVN"})


class OpenVinoEmbedder(PackagedEmbedder):
    """The packaged model run by OpenVINO, in the fastest precision of the processor that keeps the vectors the same."""

    def __init__(self, *, cache_dir: str | Path, threads: int = 0, batch_size: int = 4, form: Form = Form.FULL) -> None:
        """Set up without loading: the model is kept in `cache_dir`; `threads` of 0 means one per core."""
        self._cache_dir = Path(cache_dir)
        self._threads = threads or _cores()
        self._model = PerProcess(self._load)
        parallel = min(self._threads, _MOST_STREAMS)
        super().__init__(batch_size=batch_size, width_step=_WIDTH_STEP, parallel=parallel, form=form)

    @property
    def precision(self) -> str:
        """What the model computes in here: "bf16" or "f32". Raises EmbeddingModelUnavailable."""
        return self._model.get().precision

    def _embedded(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        return self._model.get().run(batches)

    def _load(self) -> _Model:
        runtime = _runtime()
        path = prepared_representation(runtime, packaged_model(), self._cache_dir, self._form)
        # The runtime's threads do not survive a fork, and a child must not wait for them.
        threads = 1 if self._model.inherited else self._threads
        try:
            core = runtime.Core()
            precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
            streams = min(threads, _MOST_STREAMS)
            compiled = core.compile_model(str(path), "CPU", _options(precision, threads, streams))
            return _Model([compiled.create_infer_request() for _ in range(streams)], precision)
        except RuntimeError as error:
            hint = f"Delete {path.parent} and try again: it is built anew from the installed package."
            raise EmbeddingModelUnavailable(hint=hint, path=str(path)) from error


class _Model:
    """The compiled model: one request for each of its streams, which callers take and give back."""

    def __init__(self, requests: Sequence[Any], precision: str) -> None:
        self.precision = precision
        # Last in, first out: a caller alone stays on the stream whose memory is in the core's cache.
        self._free: LifoQueue[Any] = LifoQueue()
        for request in requests:
            self._free.put(request)

    def run(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        """Yield each batch with its vectors; as many are under way as streams are free."""
        under_way: deque[tuple[Any, Batch]] = deque()
        try:
            for batch in batches:
                # Who has a request must not wait for another one: two such callers would wait for each other.
                while (request := self._taken(wait=not under_way)) is None:
                    yield self._finished(under_way)
                under_way.append((request, batch))
                request.start_async({"input_ids": batch.ids, "attention_mask": batch.mask}, share_inputs=True)
            while under_way:
                yield self._finished(under_way)
        finally:
            while under_way:
                self._finished(under_way)

    def _taken(self, *, wait: bool) -> Any:
        try:
            return self._free.get(block=wait)
        except Empty:
            return None

    def _finished(self, under_way: deque[tuple[Any, Batch]]) -> tuple[Batch, NDArray[np.float32]]:
        import numpy as np

        request, batch = under_way.popleft()
        try:
            request.wait()
            return batch, np.array(request.get_output_tensor().data, np.float32)
        finally:
            self._free.put(request)


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _options(precision: str, threads: int, streams: int) -> dict[str, Any]:
    return {
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": precision,
        # Pinned threads of two processes would share one core and leave the other idle.
        "ENABLE_CPU_PINNING": False,
    }


def _runtime() -> Any:
    """Return OpenVINO, without its model converter, which brings a telemetry client with it.

    Raises EmbeddingModelUnavailable.
    """
    try:
        with _hidden(_CONVERTER):
            import openvino
    except (ImportError, OSError) as error:
        raise EmbeddingModelUnavailable("OpenVINO is not installed, or does not run on this machine.") from error
    return openvino


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Let an import of `name` fail meanwhile, unless it was imported before."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # the import system's own way of saying "not there"
    try:
        yield
    finally:
        sys.modules.pop(name, None)


def prepared_representation(runtime: Any, files: ModelFiles, cache_dir: Path, form: Form = Form.FULL) -> Path:
    """Return the model's file in OpenVINO's own form, making it from the ONNX graph where it is missing.

    In this form the weights are mapped into memory, not read: processes that run the model share them. It is a folder
    of two files, which appears complete or not at all. Raises EmbeddingModelUnavailable.
    """
    try:
        folder = cache_dir / f"{model_key(files, form)}-openvino-v{_FORM_VERSION}"
        if not folder.is_dir():
            graph = prepared_graph(files, cache_dir, form)
            with tempfile.TemporaryDirectory(dir=cache_dir, suffix=".part", ignore_cleanup_errors=True) as part:
                model = runtime.Core().read_model(str(graph))
                runtime.save_model(model, str(Path(part) / _FILE), compress_to_fp16=False)
                if form is Form.FULL:
                    _keep_exact(Path(part) / _FILE)
                _publish(Path(part), folder)
    except (OSError, RuntimeError) as error:
        hint = f"Check that {cache_dir} is writable and has 300 MB free."
        raise EmbeddingModelUnavailable("The embedding model could not be prepared.", hint=hint) from error
    return folder / _FILE


def _keep_exact(path: Path) -> None:
    """Mark the operations that must not be computed in less than fp32, in the file: the bindings cannot say it."""
    tree = ElementTree.parse(path)  # noqa: S314  # OpenVINO wrote it a moment ago
    for layer in tree.iterfind("layers/layer"):
        if layer.get("type") in _KEPT_EXACT:
            notes = layer.find("rt_info")
            if notes is None:
                notes = ElementTree.Element("rt_info")
                layer.insert(0 if layer.find("data") is None else 1, notes)
            ElementTree.SubElement(notes, "attribute", name="precise", version="0")
    tree.write(path)


def _publish(part: Path, folder: Path) -> None:
    for path in part.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    try:
        part.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was first, with the same content
            raise
