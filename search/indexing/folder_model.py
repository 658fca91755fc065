"""An embedding model in a folder of this machine, as sentence-transformers saves it: what must be known before loading.

Before it: the setting EMBEDDING_MODEL. After it: `embedders.sentence_transformers`, which runs it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.indexing.embedding import EmbeddingModelUnavailable

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_LOOKED_AT = 1024**2  # bytes of the weights: enough to tell two models from each other
_MARKS = 2  # of the window, for the marks that begin and end a text
_USUAL_WINDOW = 512


@dataclass(frozen=True, slots=True)
class FolderModel:
    """What a model's files say of it. `window` counts tokens of text, the model's own marks not counted."""

    folder: Path
    model_id: str
    dimensions: int
    window: int


def folder_model(folder: Path) -> FolderModel:
    """Read what the folder says. Raises EmbeddingModelUnavailable where it holds no sentence-transformers model."""
    try:
        modules: list[dict[str, str]] = json.loads((folder / "modules.json").read_text("utf-8"))
        config = _json(folder / "config.json")
        dimensions = next((size for module in reversed(modules) if (size := _size(folder / module["path"]))), None)
        return FolderModel(
            folder=folder,
            model_id=f"{folder.name[:60]}-{_digest(folder)}",
            dimensions=int(dimensions or config["hidden_size"]),
            window=_limit(folder, config) - _MARKS,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "Name a folder that sentence-transformers saved a model to: it holds modules.json."
        raise EmbeddingModelUnavailable(f"{folder} holds no embedding model.", hint=hint) from error


def _size(part: Path) -> int | None:
    """Return how long the vectors are that leave a part of the model; None for parts that do not change it."""
    config = _json(part / "config.json")
    return config.get("out_features") or config.get("word_embedding_dimension")


def _limit(folder: Path, config: dict[str, Any]) -> int:
    said = _json(folder / "sentence_bert_config.json").get("max_seq_length")
    return int(said or min(config.get("max_position_embeddings", _USUAL_WINDOW), _USUAL_WINDOW))


def _digest(folder: Path) -> str:
    weights = next((path for name in _WEIGHTS if (path := folder / name).is_file()), folder / _WEIGHTS[0])
    digest = hashlib.sha256(str(weights.stat().st_size).encode())
    with weights.open("rb") as file:
        digest.update(file.read(_LOOKED_AT))
    for name in ("config.json", "modules.json"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:12]


def _json(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if not isinstance(found, dict):
        raise TypeError(f"{path} is no object")
    return found
