"""What each tool gives: a schema for programs, and the same as JSON for the model that reads it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """What a tool gives."""

    model_config = ConfigDict(frozen=True)


class FoundPassage(Answer):
    """A passage that answers."""

    file: UUID
    name: str
    place: str = Field(description="Where it stands in the file, in words; may be empty.")
    score: float
    text: str


class WrittenSentence(Answer):
    """A sentence of an answer."""

    text: str
    citations: tuple[int, ...] = Field(description="Numbers of the passages that support it.")
    supported: bool


class CitedPassage(Answer):
    """A passage that sentences rest on, by its number."""

    number: int
    file: UUID
    name: str
    place: str


class SearchAnswer(Answer):
    """What a search found, best first."""

    mode: str
    hits: tuple[FoundPassage, ...]
    answer: tuple[WrittenSentence, ...] = Field(description="Empty in modes that write none.")
    citations: tuple[CitedPassage, ...]
    notes: tuple[str, ...] = Field(description="What could not be done.")
    asked: tuple[str, ...] = Field(description="Other machines that the search asked.")


class TextPart(Answer):
    """A run of text with its place."""

    place: str = Field(description="Where it stands in the file, in words; may be empty.")
    text: str


class FileText(Answer):
    """Text of a file, from a place on."""

    file: UUID
    name: str
    status: str
    parts: tuple[TextPart, ...]
    next: str | None = Field(description="`start` of the call that continues; null at the end.")


class ListedFile(Answer):
    """A file and where it stands."""

    id: UUID
    name: str
    kind: str
    media_type: str
    size: int
    status: str
    tags: tuple[str, ...]
    language: str
    characters: int
    added: datetime
    error: str = Field(description="Why it failed; empty where it did not.")


class FileList(Answer):
    """A page of files, newest first."""

    total: int
    files: tuple[ListedFile, ...]
    next_page: int | None
