"""Jupyter notebooks, formats 2 to 4: text, code and outputs cell by cell; pictures are left out."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.encoding import Line, decode
from files.extraction.errors import LimitReached, MalformedFile
from files.extraction.formats.code.code_imports import imported_names
from files.extraction.formats.markup.markdown_blocks import MarkdownBlocks
from files.extraction.limits import Limits

_OUTPUT_CHARS = 100_000
_SIZE_RATIO = 4  # pictures make a notebook large, and a large string costs the parser nothing
_NAMES = 500

_ESCAPES = re.compile("\x1b(?:\\[[0-?]{0,40}[ -/]{0,10}[@-~]|[@-Z\\\\^_=>])")
_UNSEEN = re.compile(r"<(script|style)\b", re.I)
_CELL_END = re.compile(r"</t[dh]\s*>", re.I)
_LINE_END = re.compile(r"<br\s*/?>|</(?:tr|p|div|li|h[1-6]|table|ul|ol|pre)\s*>", re.I)
_TAG = re.compile(r"<[!/?a-zA-Z][^<>]{0,20000}>")
# The first that an output has is shown; the names without a slash are those of formats 2 and 3.
_SHOWN = ("text/markdown", "text/plain", "text", "text/html", "html", "text/latex", "latex", "application/json", "json")


class NotebookExtractor(Extractor):
    """Yields the blocks of Markdown cells, the code of code cells and the text of their outputs, each with its cell."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield the cells in order. Raises MalformedFile for what is no notebook."""
        if source.path.stat().st_size > limits.json_bytes * _SIZE_RATIO:
            raise LimitReached("This notebook is larger than the limit allows.")
        notebook = _parsed(source)
        cells = _cells(notebook)
        yield Metadata(_facts(notebook, cells))
        reader = _Reader(has_title=bool(_dict(notebook.get("metadata")).get("title")))
        for number, cell in enumerate(cells, 1):
            yield from reader.read(cell, number)
        yield from reader.told()


def _parsed(source: Source) -> dict[str, Any]:
    text, _ = decode(source.path.read_bytes())
    try:
        notebook = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as exc:
        raise MalformedFile from exc
    if not isinstance(notebook, dict) or not any(
        isinstance(notebook.get(key), list) for key in ("cells", "worksheets")
    ):
        raise MalformedFile("This file is not a notebook: it has no cells.")
    return notebook


def _cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    found = _list(notebook.get("cells"))
    for sheet in _list(notebook.get("worksheets")):
        found += _list(_dict(sheet).get("cells"))
    return [cell for cell in found if isinstance(cell, dict)]


def _facts(notebook: dict[str, Any], cells: list[dict[str, Any]]) -> dict[str, object]:
    about = _dict(notebook.get("metadata"))
    kernel, spoken = _dict(about.get("kernelspec")), _dict(about.get("language_info"))
    code = [cell for cell in cells if cell.get("cell_type") == "code"]
    language = spoken.get("name") or kernel.get("language") or next((cell.get("language") for cell in code), "") or ""
    names = [_dict(author).get("name", author) for author in _list(about.get("authors"))]
    imports: dict[str, None] = {}
    if str(language).lower() in ("", "python", "ipython"):
        for cell in code:
            imports.update(
                dict.fromkeys(imported_names("text/x-python", _joined(cell.get("source", cell.get("input")))))
            )
    found: dict[str, object] = {
        "title": about.get("title") or about.get("name"),
        "author": ", ".join(name for name in names if isinstance(name, str)),
        "language": str(language),
        "kernel": kernel.get("display_name") or kernel.get("name"),
        "cell_count": len(cells),
        "code_cell_count": len(code),
        "imports": list(imports)[:_NAMES],
        "format_version": notebook.get("nbformat"),
    }
    return {key: value for key, value in found.items() if value not in (None, "", [])}


@dataclass(slots=True)
class _Reader:
    """Reads cells one after the other; headings go on from cell to cell."""

    has_title: bool
    blocks: MarkdownBlocks = field(default_factory=lambda: MarkdownBlocks(may_have_facts=False))
    shortened: int = 0

    def read(self, cell: dict[str, Any], number: int) -> Iterator[Piece]:
        """Yield the segments of one cell."""
        kind, text = cell.get("cell_type"), _joined(cell.get("source", cell.get("input")))
        if kind == "heading":
            level = str(cell.get("level", 1))
            text = "#" * (int(level) if level in "123456" else 1) + " " + " ".join(text.split())
        if kind in ("markdown", "heading", "html"):
            yield from self._markdown(text, number)
        elif text.strip():
            yield self._segment(text, SegmentKind.CODE if kind == "code" else SegmentKind.PARAGRAPH, number)
        for output in _list(cell.get("outputs")):
            if isinstance(output, dict) and (shown := self._bounded(_shown(output))).strip():
                yield self._segment(shown, SegmentKind.CODE, number)

    def told(self) -> Iterator[Piece]:
        """Yield what is known at the end."""
        if self.blocks.headings.title and not self.has_title:
            yield Metadata({"title": self.blocks.headings.title})
        if self.shortened:
            yield PieceWarning("output_shortened", f"{self.shortened} long outputs were read only to their first part.")

    def _markdown(self, text: str, number: int) -> Iterator[Piece]:
        for at, line in enumerate(text.split("\n"), 1):
            yield from self._placed(self.blocks.take(Line(at, line)), number)
        yield from self._placed(self.blocks.end(), number)

    def _placed(self, pieces: Iterator[Piece], number: int) -> Iterator[Piece]:
        for piece in pieces:
            if isinstance(piece, Segment):
                yield replace(piece, place=Place(cell=number, headings=piece.place.headings))

    def _segment(self, text: str, kind: SegmentKind, number: int) -> Segment:
        return Segment(text.strip("\n"), kind, Place(cell=number, headings=self.blocks.headings.path))

    def _bounded(self, text: str) -> str:
        if len(text) > _OUTPUT_CHARS:
            self.shortened += 1
            return text[:_OUTPUT_CHARS]
        return text


def _shown(output: dict[str, Any]) -> str:
    """Return the text of an output: what was printed, the plainest form of a result, or an error's traceback."""
    kind = output.get("output_type")
    if kind in ("error", "pyerr"):
        trace = _joined(output.get("traceback"), "\n")
        return _ESCAPES.sub("", trace) or f"{output.get('ename', '')}: {output.get('evalue', '')}".strip(": ")
    data = {**output, **_dict(output.get("data"))}
    for name in _SHOWN:
        value = data.get(name)
        text = json.dumps(value, ensure_ascii=False)[: 2 * _OUTPUT_CHARS] if isinstance(value, dict) else _joined(value)
        if text.strip():
            return _without_tags(text) if "html" in name else _ESCAPES.sub("", text)
    about = _dict(output.get("metadata"))
    return next((str(_dict(about[key])["alt"]) for key in about if _dict(about[key]).get("alt")), "")


def _without_tags(text: str) -> str:
    text = "".join(_seen(text[: 20 * _OUTPUT_CHARS]))
    text = _LINE_END.sub("\n", _CELL_END.sub(" | ", text))
    lines = (line.strip().rstrip("|").strip() for line in html.unescape(_TAG.sub("", text)).split("\n"))
    return "\n".join(line for line in lines if line)


def _seen(text: str) -> Iterator[str]:
    """Yield `text` without scripts and styles; one that never ends takes the rest with it."""
    lower, at = text.lower(), 0
    while found := _UNSEEN.search(text, at):
        yield text[at : found.start()]
        end = lower.find(f"</{found[1].lower()}", found.end())
        if end < 0:
            return
        at = end
    yield text[at:]


def _joined(value: Any, between: str = "") -> str:
    if isinstance(value, list):
        return between.join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
