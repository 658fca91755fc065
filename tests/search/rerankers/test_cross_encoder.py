"""On a model of two small layers with random weights, made here: what it says means nothing, how it is used does."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from search.rerankers.base import RerankerUnavailable
from search.rerankers.cross_encoder import CrossEncoderReranker
from tests.contracts.reranker import PASSAGES, QUERY, RerankerContract


def make_model(folder: Path, *, outputs: int = 1) -> Path:
    """Write a cross-encoder with a few words and random weights."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    torch.manual_seed(7)
    words = sorted(set(re.findall(r"[a-z]+|\S", " ".join([QUERY, *PASSAGES[:1]]).lower())))
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]), "utf-8")
    BertTokenizer(str(vocabulary), model_max_length=64).save_pretrained(folder)
    config = BertConfig(
        vocab_size=5 + len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, initializer_range=0.5,
    )  # fmt: skip
    config.num_labels = outputs
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("cross-encoder"))


@pytest.fixture(scope="module")
def reranker(folder: Path) -> CrossEncoderReranker:
    return CrossEncoderReranker(model=folder, threads=2)


class TestCrossEncoderReranker(RerankerContract):
    """The contract, on the cross-encoder."""


def test_scores_are_the_raw_output_of_the_model(reranker: CrossEncoderReranker, folder: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    inputs = AutoTokenizer.from_pretrained(folder)(QUERY, PASSAGES[0], return_tensors="pt", truncation=True)
    with torch.no_grad():
        output = AutoModelForSequenceClassification.from_pretrained(folder).eval()(**inputs).logits.item()
    assert reranker.scores(QUERY, PASSAGES[:1]) == [pytest.approx(output, abs=1e-4)]
    assert len({round(score, 3) for score in reranker.scores(QUERY, PASSAGES)}) > 2


def test_a_folder_that_is_not_there_is_no_name_of_a_model_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(RerankerUnavailable, match="not there"):
        CrossEncoderReranker(model="cross-encoder/ms-marco-MiniLM-L6-v2").scores(QUERY, PASSAGES)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('{"architectures": ["BertModel"]}', "not a cross-encoder"),
        ('{"architectures": null}', "holds no model"),
        ("[]", "holds no model"),
        ("{", "holds no model"),
    ],
)
def test_what_is_no_cross_encoder_is_refused_before_torch_is_needed(tmp_path: Path, config: str, said: str) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(RerankerUnavailable, match=said):
        CrossEncoderReranker(model=tmp_path).scores(QUERY, PASSAGES)


def test_a_model_with_several_outputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RerankerUnavailable, match="more than one output"):
        CrossEncoderReranker(model=make_model(tmp_path / "three", outputs=3)).scores(QUERY, PASSAGES)


def test_damaged_weights_are_told_and_loaded_again_once_they_are_whole(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    weights = copy / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(b"\x00" * 100)
    damaged = CrossEncoderReranker(model=copy)
    with pytest.raises(RerankerUnavailable, match="does not load"):
        damaged.scores(QUERY, PASSAGES)
    weights.write_bytes(whole)
    assert len(damaged.scores(QUERY, PASSAGES)) == len(PASSAGES)


def test_code_that_lies_beside_a_model_is_not_run(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    config = json.loads((copy / "config.json").read_text())
    trap = {"AutoConfig": "trap.Config", "AutoModelForSequenceClassification": "trap.Model"}
    (copy / "config.json").write_text(json.dumps({**config, "model_type": "trap", "auto_map": trap}))
    (copy / "trap.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(RerankerUnavailable):
        CrossEncoderReranker(model=copy).scores(QUERY, PASSAGES)
    assert not (tmp_path / "ran").exists()
