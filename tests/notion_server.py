"""A server on loopback that answers as Notion's API does (version 2025-09-03), after its public documentation.

A test fills the workspace; `script` holds replies that come first, `odd` bodies by path that come instead of the real.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

TOKEN = "ntn_0123456789"
VERSION = "2025-09-03"
Json = dict[str, Any]
_USER = {"object": "user", "id": "ee5f0f84-409a-440f-983a-a5315961c6e4"}
_PLAIN = dict.fromkeys(("bold", "italic", "strikethrough", "underline", "code"), False) | {"color": "default"}


@dataclass(frozen=True)
class Reply:
    """One scripted reply."""

    status: int = 200
    body: object = None
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes | None = None


@dataclass
class NotionServer:
    """A workspace, what is shared of it, and what was asked."""

    token: str = TOKEN
    port: int = 0
    page_size: int = 100
    pages: dict[str, Json] = field(default_factory=dict)
    data_sources: dict[str, Json] = field(default_factory=dict)
    children: dict[str, list[Json]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    script: list[Reply] = field(default_factory=list)
    odd: dict[str, object] = field(default_factory=dict)
    asked: list[tuple[str, str, Json]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    minute: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def edited_now(self) -> str:
        """Return the next minute of a day long ago."""
        self.minute += 1
        return f"2020-03-17T{19 + self.minute // 60:02}:{self.minute % 60:02}:00.000Z"

    def add_page(self, title: str, *blocks: Json, page_id: str = "", **more: Any) -> str:
        """Put a page, or another version of it, into the workspace; return its id."""
        page_id = page_id or str(uuid4())
        properties = {"title": {"id": "title", "type": "title", "title": rich(title)}, **more.pop("properties", {})}
        self.pages[page_id] = {
            "object": "page",
            "id": page_id,
            "created_time": "2020-03-01T19:05:00.000Z",
            "last_edited_time": self.edited_now(),
            "created_by": _USER,
            "last_edited_by": _USER,
            "cover": None,
            "icon": {"type": "emoji", "emoji": "🥬"},
            "parent": {"type": "workspace", "workspace": True},
            "archived": False,
            "in_trash": False,
            "properties": properties,
            "url": f"https://www.notion.so/{title}-{page_id.replace('-', '')}",
            "public_url": None,
            **more,
        }
        self.children[page_id] = list(blocks)
        return page_id

    def add_data_source(self, title: str, properties: Json) -> str:
        """Put a database with one data source into the workspace; return the data source's id."""
        source_id, database_id = str(uuid4()), str(uuid4())
        self.data_sources[source_id] = {
            "object": "data_source",
            "id": source_id,
            "created_time": "2020-03-01T19:05:00.000Z",
            "last_edited_time": self.edited_now(),
            "title": rich(title),
            "description": [],
            "icon": None,
            "parent": {"type": "database_id", "database_id": database_id},
            "database_parent": {"type": "workspace", "workspace": True},
            "archived": False,
            "in_trash": False,
            "properties": properties,
        }
        return source_id

    def add_row(self, source_id: str, title: str, properties: Json, page_id: str = "") -> str:
        """Put a row into a database; return its page's id."""
        parent = {"type": "data_source_id", "data_source_id": source_id}
        return self.add_page(title, page_id=page_id, parent=parent, properties=properties)

    def block(self, kind: str, data: Json, *children: Json) -> Json:
        """Return a block with those inside it."""
        block_id = str(uuid4())
        self.children[block_id] = list(children)
        return {
            "object": "block",
            "id": block_id,
            "parent": {"type": "page_id", "page_id": "59833787-2cf9-4fdf-8782-e53db20768a5"},
            "created_time": "2022-03-01T19:05:00.000Z",
            "last_edited_time": "2022-07-06T19:41:00.000Z",
            "created_by": _USER,
            "last_edited_by": _USER,
            "has_children": bool(children),
            "archived": False,
            "in_trash": False,
            "type": kind,
            kind: data,
        }

    def words(self, kind: str, words: str, *children: Json, **more: Any) -> Json:
        """Return a block of text."""
        return self.block(kind, {"rich_text": rich(words), "color": "default", **more}, *children)

    def file(self, name: str, content: bytes) -> Json:
        """Return what a block of a file that Notion keeps has, at an address that is signed anew each time."""
        self.files[name] = content
        url = f"http://127.0.0.1:{self.port}/files/{name}?X-Amz-Signature={uuid4().hex}"
        kept = {"url": url, "expiry_time": "2022-07-06T20:41:00.000Z"}
        return {"caption": [], "type": "file", "file": kept, "name": name}


def rich(words: str, href: str | None = None) -> list[Json]:
    """Return rich text."""
    link = {"url": href} if href else None
    text = {"content": words, "link": link}
    return [{"type": "text", "text": text, "annotations": _PLAIN, "plain_text": words, "href": href}]


@contextmanager
def running_notion_server() -> Iterator[NotionServer]:
    """Run a server until the block ends."""
    state = NotionServer()

    class Handler(_Handler):
        server_state = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: NotionServer

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, *_: object) -> None: ...

    def _serve(self, body: Json) -> None:
        state, parts = self.server_state, urlsplit(self.path)
        state.asked.append((self.command, parts.path, body))
        state.headers.append({name.lower(): value for name, value in self.headers.items()})
        reply = state.script.pop(0) if state.script else None
        if reply is not None:
            return self._send(reply)
        if parts.path.startswith("/files/"):
            content = state.files.get(parts.path.removeprefix("/files/"))
            return self._send(Reply(404, {}) if content is None else Reply(raw=content))
        if self.headers.get("Authorization") != f"Bearer {state.token}":
            return self._send(_error(401, "unauthorized", "API token is invalid."))
        if self.headers.get("Notion-Version") != VERSION:
            return self._send(_error(400, "missing_version", "Notion-Version header failed validation."))
        if parts.path in state.odd:
            return self._send(Reply(body=state.odd[parts.path]))
        return self._send(self._answer(parts.path.removeprefix("/v1"), parse_qs(parts.query), body))

    def _answer(self, path: str, query: dict[str, list[str]], body: Json) -> Reply:
        state = self.server_state
        match path.strip("/").split("/"):
            case ["search"]:
                kind = body["filter"]["value"]
                held = state.pages if kind == "page" else state.data_sources
                shown = [one for key, one in held.items() if key not in state.unlisted]
                return self._listed(sorted(shown, key=lambda one: str(one["last_edited_time"])), body)
            case ["blocks", block_id, "children"]:
                found = state.children.get(_dashed(block_id))
                start = {"start_cursor": query["start_cursor"][0]} if "start_cursor" in query else {}
                return _missing(block_id) if found is None else self._listed(found, start)
            case ["pages", page_id]:
                return _one(state.pages, page_id)
            case ["data_sources", source_id]:
                return _one(state.data_sources, source_id)
            case ["data_sources", source_id, "query"]:
                parents = {key: page["parent"].get("data_source_id") for key, page in state.pages.items()}
                rows = [page for key, page in state.pages.items() if parents[key] == _dashed(source_id)]
                return self._listed(rows, body)
        return _error(400, "invalid_request_url", "Invalid request URL.")

    def _listed(self, objects: list[Json], body: Json) -> Reply:
        size, start = self.server_state.page_size, int(body.get("start_cursor", "0"))
        more = start + size < len(objects)
        return Reply(
            body={
                "object": "list",
                "results": objects[start : start + size],
                "next_cursor": str(start + size) if more else None,
                "has_more": more,
                "request_id": str(uuid4()),
            }
        )

    def _send(self, reply: Reply) -> None:
        content = json.dumps(reply.body).encode() if reply.raw is None else reply.raw
        self.send_response(reply.status)
        for name, value in (("Content-Type", "application/json; charset=utf-8"), *reply.headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _error(status: int, code: str, message: str) -> Reply:
    body = {"object": "error", "status": status, "code": code, "message": message, "request_id": str(uuid4())}
    return Reply(status, body)


def _missing(item_id: str) -> Reply:
    return _error(404, "object_not_found", f"Could not find block with ID: {item_id}.")


def _one(held: dict[str, Json], item_id: str) -> Reply:
    found = held.get(_dashed(item_id))
    return Reply(body=found) if found is not None else _missing(item_id)


def _dashed(item_id: str) -> str:
    bare = item_id.replace("-", "")
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))
