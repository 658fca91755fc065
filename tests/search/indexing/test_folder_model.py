"""A model in a folder: what its files say, what is wrong with them, and that it is used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from search.indexing.embedders.sentence_transformers import SentenceTransformerEmbedder
from search.indexing.embedding import EmbeddingModelUnavailable
from search.indexing.folder_model import folder_model
from search.indexing.packaged_model import packaged_model

pytestmark = pytest.mark.timeout(400)  # torch is imported


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The packaged model, saved under another name and with a shorter window."""
    copy = tmp_path / "short-minilm"
    shutil.copytree(packaged_model().folder, copy)
    (copy / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 66}))
    return copy


def test_the_files_tell_length_window_and_name(folder: Path) -> None:
    model = folder_model(folder)
    assert (model.dimensions, model.window) == (384, 64)
    assert model.model_id.startswith("short-minilm-")
    assert folder_model(folder) == model


def test_other_weights_are_another_model(folder: Path) -> None:
    before = folder_model(folder).model_id
    with (folder / "model.safetensors").open("r+b") as weights:
        weights.seek(1000)
        weights.write(b"\x01" * 100)
    assert folder_model(folder).model_id != before


@pytest.mark.parametrize("missing", ["modules.json", "model.safetensors"])
def test_a_folder_without_a_model_is_said_to_have_none(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(EmbeddingModelUnavailable, match="holds no embedding model"):
        folder_model(folder)


def test_files_that_make_no_sense_are_said_to_be_no_model(folder: Path) -> None:
    (folder / "config.json").write_text("[1, 2]")
    with pytest.raises(EmbeddingModelUnavailable):
        SentenceTransformerEmbedder(folder=folder)


def test_it_embeds_with_its_own_window(folder: Path) -> None:
    import numpy as np

    packaged, own = SentenceTransformerEmbedder(), SentenceTransformerEmbedder(folder=folder)
    assert own.max_tokens == 64
    text = "The pump stops when the water is hot. " * 20
    assert own.count_tokens(text) == packaged.count_tokens(text) > 64
    short = "The pump stops."
    np.testing.assert_allclose(own.embed_query(short), packaged.embed_query(short), atol=1e-5)
    assert float(own.embed_query(text) @ packaged.embed_query(text)) < 0.9999
