"""Reading a test collection."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from search.evaluation.collections import InvalidCollection, load


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / {"qrels": "qrels.tsv"}.get(name, f"{name}.jsonl")).write_text(text)
    return folder


GOOD = {
    "corpus": '{"_id": "1", "title": "T", "text": "one"}\n\n{"_id": "2", "text": "two"}\n',
    "queries": '{"_id": "q", "text": "which"}\n{"_id": "unjudged", "text": "what"}\n',
    "qrels": "query-id\tcorpus-id\tscore\nq\t1\t2\nq\t2\t0\n",
}


def test_questions_come_with_their_grades_and_spans(tmp_path: Path) -> None:
    spans = json.dumps({"query_id": "q", "corpus_id": "1", "spans": [[0, 3]]})

    collection = load(write(tmp_path, **GOOD, spans=spans))

    assert [document.id for document in collection.documents()] == ["1", "2"]
    (question,) = collection.questions
    assert (question.id, question.grades, question.spans) == ("q", {"1": 2}, {"1": ((0, 3),)})


def test_documents_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write(tmp_path / "a", corpus=GOOD["corpus"])
    write(tmp_path / "b", queries=GOOD["queries"], qrels=GOOD["qrels"])

    assert load(tmp_path / "b", tmp_path / "a").name == "a"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"qrels": "q 1 2"}, "with tabs between"),
        ({"qrels": "query-id\tcorpus-id\tscore\nq\t1\tgood\n"}, "line 2"),
        ({"qrels": "q\t1\t0\n"}, "No question"),
        ({"queries": "{oops"}, "line 1 is not JSON"),
        ({"queries": "[1]"}, "line 1 is not an object"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, change: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidCollection, match=said):
        load(write(tmp_path, **(GOOD | change)))


def test_a_folder_without_a_corpus_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidCollection, match=r"corpus\.jsonl"):
        load(tmp_path)
