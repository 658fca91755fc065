"""Test collections in the plain format: a folder of JSON lines and judgements, as BEIR publishes them.

`corpus.jsonl` {"_id", "title", "text"}; `queries.jsonl` {"_id", "text"}; `qrels.tsv` (query, document, grade);
optional `spans.jsonl` {"query_id", "corpus_id", "spans": [[start, end), …]}: where in the text the answer stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestra.common.errors import OrchestraError


class InvalidCollection(OrchestraError):
    """A folder is not a test collection."""

    code = "invalid_collection"
    status = 422
    default_message = "This folder is not a test collection."
    default_hint = "It needs corpus.jsonl, queries.jsonl and qrels.tsv."


@dataclass(frozen=True, slots=True)
class Document:
    """A text to find. `title` may be empty."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A query with the grade of each relevant document (grades above 0), and where its answer stands."""

    id: str
    text: str
    grades: dict[str, int]
    spans: dict[str, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents, read anew at each pass, and judged questions."""

    name: str
    corpus: Path
    questions: tuple[Question, ...]

    def documents(self) -> Iterator[Document]:
        """Yield the documents. Raises InvalidCollection."""
        for row in _json_lines(self.corpus):
            yield Document(str(row["_id"]), str(row.get("title") or ""), str(row.get("text") or ""))


def load(folder: Path, corpus: Path | None = None) -> Collection:
    """Return the collection in `folder`, whose documents may lie in another one. Raises InvalidCollection.

    Questions without a relevant document are left out: they say nothing.
    """
    texts = (corpus or folder) / "corpus.jsonl"
    if not texts.is_file():
        raise InvalidCollection(f"There is no {texts}.")
    grades = _grades(folder / "qrels.tsv")
    spans = _spans(folder / "spans.jsonl")
    questions = tuple(
        Question(key, str(row["text"]), grades[key], spans.get(key, {}))
        for row in _json_lines(folder / "queries.jsonl")
        if (key := str(row["_id"])) in grades
    )
    if not questions:
        raise InvalidCollection("No question of this collection has a relevant document.")
    return Collection((corpus or folder).name, texts, questions)


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _object(line, path, number)
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidCollection(f"{path} cannot be read.") from exc


def _object(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as exc:
        raise InvalidCollection(f"{path}, line {number} is not JSON.") from exc
    if not isinstance(row, dict):
        raise InvalidCollection(f"{path}, line {number} is not an object.")
    return row


def _grades(path: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidCollection(f"{path} cannot be read.") from exc
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if len(fields) != 3 or not (fields[2].lstrip("-").isdigit() or number == 1):
            raise InvalidCollection(f"{path}, line {number}: write query, document and grade with tabs between.")
        if fields[2].isdigit() and int(fields[2]) > 0:
            grades.setdefault(fields[0], {})[fields[1]] = int(fields[2])
    return grades


def _spans(path: Path) -> dict[str, dict[str, tuple[tuple[int, int], ...]]]:
    spans: dict[str, dict[str, tuple[tuple[int, int], ...]]] = {}
    if path.is_file():
        for row in _json_lines(path):
            found = tuple((int(start), int(end)) for start, end in row["spans"])
            spans.setdefault(str(row["query_id"]), {})[str(row["corpus_id"])] = found
    return spans
