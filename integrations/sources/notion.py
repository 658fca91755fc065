"""Notion: every page and database that is shared with the integration, as Markdown; files in pages on their own.

Pages are found by the search endpoint. A database is a table of its rows, and each row is a page besides, so its
version is made of its rows' times. Search may leave something out for a while: what was not listed is asked for by its
id before it counts as gone.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote, urlsplit

from integrations.base import Field, Kind, Provider
from integrations.sources.base import (
    EVERY_MINUTES,
    SILENCE,
    Reading,
    Source,
    SourceItem,
    SourceItemGone,
    SourceStrange,
    SourceUnavailable,
)
from integrations.sources.notion_client import Json, NotionClient, mapping, objects, text
from integrations.sources.notion_markdown import FILES, Block, document, one_line, plain, table
from integrations.sources.notion_properties import as_text, columns_of, facts_of, title_of
from orchestra.common.outbound import client
from orchestra.common.outbound.client import Call
from orchestra.common.outbound.errors import OutboundFailed, OutboundRefused

_ID = re.compile(r"[0-9a-f]{32}")
_MOST_PAGES = 50_000
_MOST_ROWS = 10_000
_MOST_BLOCKS = 20_000
_MOST_LISTS = 600  # of blocks inside blocks: each is a request, and three take a second
_MOST_PARTS = 200
_MOST_ANSWERED = 64 * 1024**2  # bytes of the answers that one document is made of; all of them are in memory
_DEEPEST = 12
_LONGEST_NAME = 120
_FILE_SECONDS = 900.0
_FILE_REDIRECTS = 3
_MOST_FILE_BYTES = 8 * 1024**3  # who takes the file in has a limit of its own
_PIECE = 64 * 1024
# A child page is a document of its own, and so is a database.
_APART = ("child_page", "child_database", "link_to_page", "unsupported")


@dataclass(slots=True)
class _Fetched:
    """What was fetched of one page: lists, blocks, so that none comes twice, and the files among them.

    `before`: how many bytes had come when it began.
    """

    page_id: str
    before: int
    lists: int = 0
    known: set[str] = field(default_factory=set)
    parts: dict[str, SourceItem] = field(default_factory=dict)


class NotionSource(Source):
    """What one integration of a Notion workspace may see."""

    name = "notion"

    def __init__(self, token: str, *, pause: float | None = None) -> None:
        """Set up without connecting."""
        self._client = NotionClient(token, self.patience, pause=pause)

    def items(self) -> Iterator[SourceItem]:
        """Yield the pages, then the databases."""
        rows: defaultdict[str, list[str]] = defaultdict(list)
        for page in self._found("page"):
            page_id, edited = _id_of(page), self._edited(page)
            rows[_bare_id(mapping(page.get("parent")).get("data_source_id"))].append(f"{page_id} {edited}")
            opens = partial(self._page, page)
            name = _file_name(title_of(page))
            yield SourceItem(f"page:{page_id}", name, edited, _address(page_id), opens)
        for source in self._found("data_source"):
            source_id = _id_of(source)
            seen = "\n".join([self._edited(source), *sorted(rows[source_id])])
            opens = partial(self._table, source)
            place = _bare_id(mapping(source.get("parent")).get("database_id")) or source_id
            name, version = _file_name(plain(source.get("title"))), hashlib.sha256(seen.encode()).hexdigest()
            yield SourceItem(f"data_source:{source_id}", name, version, _address(place), opens)

    def gone(self, key: str) -> bool:
        """Ask for the page or database itself."""
        kind, _, item_id = key.partition(":")
        paths = {"page": "/pages/", "data_source": "/data_sources/"}
        if kind not in paths or not _ID.fullmatch(item_id):
            return True
        try:
            return _in_trash(self._client.get(paths[kind] + item_id))
        except SourceItemGone:
            return True

    def _found(self, kind: str) -> Iterator[Json]:
        """Yield what search shows of a kind, what was edited last coming last: then an edit meanwhile is not missed."""
        body = {
            "filter": {"property": "object", "value": kind},
            "sort": {"direction": "ascending", "timestamp": "last_edited_time"},
        }
        try:
            for found in self._client.listed("/search", body, most=_MOST_PAGES):
                if found.get("object") == kind and _id_of(found) and not _in_trash(found):
                    yield found
        except SourceItemGone as exc:
            raise SourceStrange from exc

    def _edited(self, found: Json) -> str:
        """Return when it was edited last. What was so just now counts as changed the next time again."""
        edited = text(found.get("last_edited_time"))[:40]
        return edited if self._client.settled(edited) else f"{edited} {self._client.answered_at}"

    @contextmanager
    def _page(self, page: Json) -> Iterator[Reading]:
        fetched = _Fetched(_id_of(page), self._client.received)
        blocks = self._blocks(fetched.page_id, fetched, 0)
        for part in _files_of_properties(page):
            fetched.parts.setdefault(part.key, part)
        words = document(title_of(page), facts_of(page), blocks)
        yield Reading(_pieces(words), tuple(fetched.parts.values())[:_MOST_PARTS])

    @contextmanager
    def _table(self, source: Json) -> Iterator[Reading]:
        columns = columns_of(source)
        rows, before = [columns], self._client.received
        for row in self._client.listed(f"/data_sources/{_id_of(source)}/query", {}, most=_MOST_ROWS):
            self._require_memory(before)
            if row.get("object") == "page" and not _in_trash(row):
                values = mapping(row.get("properties"))
                rows.append([as_text(mapping(values.get(name))) for name in columns])
        about = one_line(plain(source.get("description")))
        words = document(plain(source.get("title")), [("About", about)], ()) + "\n" + table(rows) + "\n"
        yield Reading(_pieces(words))

    def _require_memory(self, before: int) -> None:
        if self._client.received - before > _MOST_ANSWERED:
            raise SourceStrange("The page or database is larger than is taken.")

    def _blocks(self, block_id: str, fetched: _Fetched, depth: int) -> tuple[Block, ...]:
        """Return the blocks inside a page or block, each once however they refer to one another."""
        fetched.lists += 1
        if fetched.lists > _MOST_LISTS:
            raise SourceStrange("The page has more blocks inside blocks than are taken.")
        found = []
        for raw in self._client.listed(f"/blocks/{block_id}/children", most=_MOST_BLOCKS):
            self._require_memory(fetched.before)
            child_id, kind = _id_of(raw), text(raw.get("type"))
            if not child_id or child_id in fetched.known or _in_trash(raw):
                continue
            if len(fetched.known) >= _MOST_BLOCKS:
                raise SourceStrange("The page has more blocks than are taken.")
            fetched.known.add(child_id)
            data = mapping(raw.get(kind))
            if kind in FILES and (part := _part(fetched.page_id, data, child_id)):
                fetched.parts.setdefault(part.key, part)
            within = raw.get("has_children") is True and kind not in _APART and depth < _DEEPEST
            children = self._blocks(child_id, fetched, depth + 1) if within else ()
            found.append(Block(kind, data, children, child_id))
        return tuple(found)


def _part(page_id: str, data: Json, block_id: str = "") -> SourceItem | None:
    """Return a file that Notion keeps; None for what lies elsewhere, which stays a link.

    Its address is signed anew with each answer; what stands before the signature changes with the file alone.
    """
    url = text(mapping(data.get("file")).get("url"))
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not parts.netloc:
        return None
    version = hashlib.sha256(f"{parts.netloc}{parts.path}".encode("utf-8", "replace")).hexdigest()
    name = _plain_name(one_line(text(data.get("name"))) or unquote(parts.path.rpartition("/")[2])) or "file"
    key = f"file:{block_id or f'{page_id}/{version}'}"
    return SourceItem(key, name, version, _address(page_id), partial(_file, url))


def _files_of_properties(page: Json) -> Iterator[SourceItem]:
    for value in mapping(page.get("properties")).values():
        found = (_part(_id_of(page), entry) for entry in objects(mapping(value).get("files")))
        yield from filter(None, found)


@contextmanager
def _file(url: str) -> Iterator[Reading]:
    """Fetch a file by its signed address, without the token; each redirect is checked like the address."""
    call = Call(
        url,
        "file of a Notion page",
        seconds=_FILE_SECONDS,
        most_bytes=_MOST_FILE_BYTES,
        redirects=_FILE_REDIRECTS,
        silence=SILENCE,
    )
    try:
        with client.stream(call) as answer:
            if answer.status in (404, 410):
                raise SourceItemGone
            if answer.status != 200:
                raise SourceUnavailable("The file could not be fetched from Notion.")
            yield Reading(answer.pieces())
    except OutboundFailed as exc:
        raise SourceUnavailable(exc.message, hint=exc.hint) from exc
    except OutboundRefused as exc:
        raise SourceStrange(exc.message, hint=exc.hint) from exc


def _pieces(words: str) -> Iterator[bytes]:
    content = words.encode("utf-8", "replace")
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]


def _id_of(found: Json) -> str:
    return _bare_id(found.get("id"))


def _bare_id(value: object) -> str:
    """Return an id of Notion's without its dashes; empty for what is none."""
    bare = text(value).lower().replace("-", "")
    return bare if _ID.fullmatch(bare) else ""


def _address(page_id: str) -> str:
    """Return where people find a page: made of its id, because the address in the answer could lead anywhere."""
    return f"https://www.notion.so/{page_id}"


def _in_trash(found: Json) -> bool:
    return found.get("in_trash") is True or found.get("archived") is True


def _file_name(title: str) -> str:
    return f"{_plain_name(one_line(title)) or 'Untitled'}.md"


def _plain_name(name: str) -> str:
    """Return a name in which nothing is a folder; the end of a long one stays, because it tells the type."""
    flat = re.sub(r"[/\\\x00-\x1f]", "-", name).strip(" .")
    return flat if len(flat) <= _LONGEST_NAME else f"{flat[: _LONGEST_NAME - 20]}…{flat[-19:]}"


PROVIDER = Provider(
    "notion",
    "Notion",
    Kind.SOURCE,
    (
        Field(
            "token",
            "Integration secret",
            secret=True,
            required=True,
            help="Of an internal integration; share pages with it in Notion. Stored encrypted and never shown again.",
        ),
        EVERY_MINUTES,
    ),
    lambda values: NotionSource(values["token"]),
    brings="Pages and databases that you share with an integration, as files that follow every change there.",
    personal=True,
)
