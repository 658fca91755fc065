"""What an answer is made of: sentences with the numbers of their citations, and the citations. Frozen, no Django."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID


class AnswerKind(StrEnum):
    """Who wrote an answer: nobody, its sentences are those of the passages; or a language model."""

    EXTRACTIVE = "extractive"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that sentences rest on, by the number that they name it with, in its file at its place."""

    number: int
    chunk_id: UUID
    file_id: UUID
    file_name: str
    place: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, plain text. `citations` are the numbers of passages that were found to support it.

    Not `supported`: no passage that it cites does. `section` is the heading that it stands under; empty for none.
    """

    text: str
    citations: tuple[int, ...]
    supported: bool
    section: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Sentences in order, and the citations that they use, by number.

    `model` is the name of the model that wrote it; `cut` says that it ended before the model was through.
    """

    kind: AnswerKind
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    model: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What a mode asked on its way, and how many passages that had not been found before it brought."""

    number: int
    asked: str
    found: int


@dataclass(frozen=True, slots=True)
class Link:
    """Two files that share `terms`, of which each answers a part of the question that the other one does not."""

    files: tuple[UUID, UUID]
    file_names: tuple[str, str]
    terms: tuple[str, ...]
    passages: tuple[UUID, UUID]


Event: TypeAlias = Step | Sentence | Answer | None
"""What can be shown while an answer is made: a step, a checked sentence, the answer with its citations.

None shows nothing: it is a moment at which whoever listens may stop the work.
"""
