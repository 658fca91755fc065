"""A cross-encoder from a folder on this machine, run by sentence-transformers.

Costs a torch import (seconds, hundreds of megabytes) in each process that searches.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search.indexing.embedding import PerProcess
from search.indexing.packaged_model import encodable
from search.rerankers.base import Reranker, RerankerUnavailable

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_HINT = "Set RERANKER_MODEL to a folder with config.json, tokenizer and model.safetensors of a cross-encoder."
_ARCHITECTURE = "ForSequenceClassification"
_LONGEST_QUERY = 1000  # characters: a longer question would leave the passage no room in the model's window


class CrossEncoderReranker(Reranker):
    """A model with one output per pair, in fp32 on the processor; scores are its raw output (logits)."""

    name = "cross-encoder"
    local = True

    def __init__(self, *, model: str | Path, threads: int = 0, batch_size: int = 8) -> None:
        """Set up without loading; `threads` of 0 leaves torch's own choice, which is process-wide."""
        self._folder = Path(model)
        self._threads = threads
        self._batch_size = batch_size
        self._model = PerProcess(self._load)

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Return the model's output for each pair. What is longer than the model's window is cut."""
        import torch

        if not passages:
            return []
        asked = encodable(query[:_LONGEST_QUERY])
        model = self._model.get()
        with model.lock:
            found = model.encoder.predict(
                [(asked, encodable(passage)) for passage in passages],
                batch_size=self._batch_size,
                # Raw, because a sigmoid makes equals of all that is far from its middle.
                activation_fn=torch.nn.Identity(),
                show_progress_bar=False,
            )
        if not torch.isfinite(torch.as_tensor(found)).all():
            raise RerankerUnavailable("The reranker's model gives numbers that are none.", hint=_HINT)
        return [float(score) for score in found]

    def _load(self) -> _Model:
        _check(self._folder)
        try:
            import torch
            from safetensors import SafetensorError
            from sentence_transformers import CrossEncoder
        except ImportError as error:
            raise RerankerUnavailable("sentence-transformers is not installed.") from error
        try:
            if threads := 1 if self._model.inherited else self._threads:
                torch.set_num_threads(threads)  # OpenMP's threads die with a fork, and a child that asks for them hangs
            encoder = CrossEncoder(str(self._folder), device="cpu", local_files_only=True, trust_remote_code=False)
        except (SafetensorError, OSError, ValueError, RuntimeError, KeyError) as error:
            raise RerankerUnavailable("The reranker's model does not load.", hint=_HINT) from error
        if encoder.num_labels != 1:
            raise RerankerUnavailable("The reranker's model has more than one output.", hint=_HINT)
        return _Model(encoder)


class _Model:
    """The loaded model and its lock: its tokenizer changes its own settings at each call, so calls take turns."""

    def __init__(self, encoder: CrossEncoder) -> None:
        self.encoder = encoder
        self.lock = threading.Lock()


def _check(folder: Path) -> None:
    """Raise RerankerUnavailable unless the folder says that it is a cross-encoder.

    Before torch is imported, and because the library takes an embedding model too: it gives it a random last layer.
    """
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        architectures = config["architectures"]
        known = any(str(name).endswith(_ARCHITECTURE) for name in architectures)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RerankerUnavailable(
            "The folder of the reranker's model is not there or holds no model.", hint=_HINT
        ) from error
    if not known:
        raise RerankerUnavailable("The reranker's model is not a cross-encoder.", hint=_HINT)
