"""Chooses the engine for this machine: OpenVINO in bfloat16 where that gives the same vectors, ONNX Runtime elsewhere.

Both share a model id. Whether the vectors are the same is not believed but compared, once for each processor, version
of the runtime and set of weights; the outcome is kept beside the prepared model.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from search.indexing.embedders.onnx import OnnxEmbedder
from search.indexing.embedders.openvino import OpenVinoEmbedder
from search.indexing.embedding import Embedder, EmbeddingModelUnavailable, PerProcess
from search.indexing.packaged_embedder import PackagedEmbedder
from search.indexing.packaged_model import DIMENSIONS, packaged_model
from search.indexing.prepared_model import model_key, write_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = structlog.get_logger(__name__)

LEAST_COSINE = 0.9999
"""Engines whose vectors of the same text are at least this similar count as the same model."""

_CPUINFO = Path("/proc/cpuinfo")
_PARAGRAPH = (
    "Every file that was accepted is kept until somebody deletes it: contracts of 1987, quarterly figures (4.5 % less "
    "than in 2021), minutes of meetings, drawings, e-mail. When the cooling water of unit 3 reached 41.7 °C, the pump "
    "stopped; why, nobody wrote down. Mitochondria turn the energy of food into adenosine triphosphate, def main(): "
    "return 0, and the defendant shall bear the costs. Die Straße ist gesperrt; la réunion aura lieu à Genève. "
)


class AutomaticEmbedder(Embedder):
    """The packaged model on the engine that suits the machine; the choice is made at first use, in each process."""

    model_id = PackagedEmbedder.model_id
    dimensions = DIMENSIONS
    max_tokens = PackagedEmbedder.max_tokens

    def __init__(self, *, cache_dir: str | Path, threads: int = 0) -> None:
        """Set up without loading; the arguments are those of the engines."""
        self._cache_dir = Path(cache_dir)
        self._plain = OnnxEmbedder(cache_dir=cache_dir, threads=threads)
        self._fast = OpenVinoEmbedder(cache_dir=cache_dir, threads=threads)
        self._engine = PerProcess(self._choose)
        self._counting = PerProcess(lambda: self._fast if _has_bfloat16() else self._plain)

    @property
    def engine(self) -> PackagedEmbedder:
        """The engine that runs the model in this process. Raises EmbeddingModelUnavailable."""
        return self._engine.get()

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text; needs the tokenizer alone, not an engine."""
        return self._counting.get().token_counts(texts)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, shape (len(texts), 384)."""
        return self.engine.embed_passages(texts)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Return the question's vector, shape (384,)."""
        return self.engine.embed_query(text)

    def _choose(self) -> PackagedEmbedder:
        if not _has_bfloat16():
            return self._plain
        try:
            reason = self._reason_against()
        except EmbeddingModelUnavailable as error:
            reason = str(error)
        if reason:
            logger.warning("openvino not used for embedding, onnx is", reason=reason)
        return self._plain if reason else self._fast

    def _reason_against(self) -> str:
        """Return why OpenVINO is not to be used on this processor, or nothing; compare it where that is not known."""
        path = self._cache_dir / f"{model_key(packaged_model())}-{_machine_key()}.json"
        try:
            reason = json.loads(path.read_text("utf-8"))["reason_against"]
        except (OSError, ValueError, KeyError, TypeError):
            reason = self._compare()
            with suppress(OSError):  # a folder that is part of an image: each process compares for itself
                self._cache_dir.mkdir(parents=True, exist_ok=True)
                write_whole(path, json.dumps({"reason_against": reason}).encode())
        return str(reason)

    def _compare(self) -> str:
        if self._fast.precision != "bf16":
            return "OpenVINO does not compute in bfloat16 on this processor."
        texts = sample_texts()
        # An engine of its own, so that its memory goes when the comparison ends.
        plain = OnnxEmbedder(cache_dir=self._cache_dir).embed_passages(texts)
        least = float((plain * self._fast.embed_passages(texts)).sum(axis=1).min())
        logger.info("openvino compared with onnx", least_cosine=round(least, 6))
        return "" if least >= LEAST_COSINE else f"Its vectors differ from those of fp32: cosine {least:.5f}."


def sample_texts() -> list[str]:
    """Return texts of 1 to 256 tokens, on which engines are compared."""
    words = _PARAGRAPH.split()
    lengths = (1, 2, 3, 5, 8, 12, 17, 23, 30, 40, 55, 75, 100, 130, 190)
    return [" ".join((words * 6)[length : 2 * length]) for length in lengths]


def _has_bfloat16() -> bool:
    """Tell whether the processor says so and OpenVINO is installed; asking OpenVINO itself would load it."""
    return importlib.util.find_spec("openvino") is not None and "bf16" in _processor()


def _processor() -> str:
    """Return the processor's name and abilities as Linux tells them, or nothing."""
    try:
        text = _CPUINFO.read_text("utf-8", "replace")
    except OSError:
        return ""
    found = re.findall(r"^(?:model name|flags|Features)\s*:.*$", text.split("\n\n", 1)[0], re.MULTILINE)
    return "\n".join(found)


def _machine_key() -> str:
    versions = [importlib.metadata.version(name) for name in ("openvino", "onnxruntime")]
    return hashlib.sha256("\n".join([platform.machine(), *versions, _processor()]).encode()).hexdigest()[:16]
