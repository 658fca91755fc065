"""Files that a question names: `report-2023.pdf`, or the words of its name.

Names are read from the files' own rows, so that a renamed file is found by its new name at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from search.analysis import sequence
from search.retrieval import Scope
from search.scopes import file_condition

_MOST_FILES = 200
_MOST_WORDS = 64
_LONGEST_WORD = 100  # a name has at most 255 characters; tsquery refuses words of 2,048
_SHORTEST = 3  # letters that a name needs for its words to name it; `5.txt` is named by `5.txt` only
_SHARE_OF_NAME = 2 / 3
_UNSPACED = re.compile(r"[^\W\d_]{2,}")
# The expression is that of the index search_file_names.
_NAMES = """
SELECT d.number, f.name FROM (
    SELECT id, name FROM files_filerecord
    WHERE owner_id = %(owner)s
      AND to_tsvector('simple'::regconfig, translate(name, '_-.', '   ')) @@ %(names)s::tsquery
) f JOIN search_indexedfile d ON d.file_id = f.id
WHERE d.number IN (SELECT number FROM search_indexedfile WHERE {files})
ORDER BY length(f.name), d.number LIMIT %(most_names)s
"""


@dataclass(frozen=True, slots=True)
class NamesSought:
    """A query for the numbers and names of files that a question may name, with its parameters beside the scope's."""

    sql: str
    parameters: Mapping[str, Any]


def names_sought(text: str, scope: Scope) -> NamesSought | None:
    """Return the query for files that have a word of `text` in their names; None where it has no words."""
    words = dict.fromkeys([*sequence(text).split(), *_UNSPACED.findall(text.lower())])
    sought = [word for word in words if len(word) <= _LONGEST_WORD][:_MOST_WORDS]
    if not sought:
        return None
    quoted = " | ".join("'{}'".format(word.replace("'", "")) for word in sought)
    return NamesSought(_NAMES.format(files=file_condition(scope)), {"names": quoted, "most_names": _MOST_FILES})


def named_documents(names: Mapping[int, str], text: str) -> dict[int, float]:
    """Return those of the documents, given by number and name, that `text` names, and how much of it the name is."""
    asked = sequence(text)
    shares = {number: share_named(name, asked) for number, name in names.items()}
    return {number: share for number, share in shares.items() if share}


def share_named(name: str, asked: str) -> float:
    """Return how much of a question, as `analysis.sequence` gives it, names the file `name`: 1 for all of it.

    0 where too little of the name is there: one word of many, or a number that could be anything.
    """
    if sequence(name) in asked and PurePath(name).suffix:
        return 1.0
    stem = sequence(PurePath(name).stem)
    parts = dict.fromkeys(stem.split())
    if sum(map(str.isalpha, stem)) < _SHORTEST:
        return 0.0
    present = [part for part in parts if f" {part} " in asked]
    if stem not in asked and (len(present) < 2 or len(present) < _SHARE_OF_NAME * len(parts)):
        return 0.0
    return len(present) / max(1, len(_telling(asked.split()) | set(present))) * len(present) / len(parts)


def _telling(words: Collection[str]) -> set[str]:
    """Return the words that are no small change of a language."""
    return {word for word in words if len(word) > _SHORTEST or word.isdigit()}
