"""What each tool takes. Whoever calls is a program that a language model drives: everything is checked here."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from files.models import FileStatus
from search.services import MAX_QUERY

MOST_HITS = 20
MOST_CHARACTERS = 20_000
MOST_FILES = 100
_MOST_PAGES = 10_000


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a NUL is no text")
    return text


def _status(text: str) -> str:
    if text not in FileStatus.values:
        raise ValueError(f"write one of {', '.join(FileStatus.values)}")
    return text


Tag = Annotated[str, Field(max_length=50), AfterValidator(_without_nul)]
Kind = Annotated[str, Field(max_length=20), AfterValidator(_without_nul)]


class Arguments(BaseModel):
    """What a tool takes; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchArguments(Arguments):
    """A question, how to search, and where."""

    query: Annotated[str, AfterValidator(_without_nul)] = Field(
        min_length=1, max_length=MAX_QUERY, description="A question, or some words."
    )
    mode: str = Field("basic", max_length=20, description="How to search.")
    limit: int = Field(8, ge=1, le=MOST_HITS, description="Passages to return.")
    files: tuple[UUID, ...] = Field((), max_length=100, description="Ids of files to look in; none: all.")
    kinds: tuple[Kind, ...] = Field(
        (), max_length=20, description="Kinds of files to look in, such as document or code; none: all."
    )
    tags: tuple[Tag, ...] = Field((), max_length=20, description="Tags that a file must have, all of them.")
    added_from: AwareDatetime | None = Field(None, description="Files added at this time or later, with its time zone.")
    added_before: AwareDatetime | None = Field(None, description="Files added before this time, with its time zone.")


class ReadFileArguments(Arguments):
    """Which file, and from where on."""

    file: UUID = Field(description="The file's id, as search and list_files give it.")
    start: str = Field(
        "0",
        pattern=r"^[0-9]{1,9}(:[0-9]{1,9})?$",
        description="Where to begin: what `next` said in the answer before.",
    )
    limit: int = Field(8_000, ge=500, le=MOST_CHARACTERS, description="Characters to return at most.")


class ListFilesArguments(Arguments):
    """What narrows the list, and which page of it."""

    name: Annotated[str, AfterValidator(_without_nul)] = Field("", max_length=255, description="Part of the name.")
    kind: Kind = Field("", description="Kind of file, such as document or code.")
    tag: Tag = Field("", description="A tag that the file has.")
    status: tuple[Annotated[str, AfterValidator(_status)], ...] = Field(
        (),
        max_length=len(FileStatus.values),
        description="Where the files stand: ready and partial can be searched and read.",
        json_schema_extra={"items": {"type": "string", "enum": list(FileStatus.values)}},
    )
    page: int = Field(1, ge=1, le=_MOST_PAGES, description="Which page of the list.")
    limit: int = Field(50, ge=1, le=MOST_FILES, description="Files on a page.")
