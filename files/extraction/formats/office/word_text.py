"""The characters of a binary Word document as paragraphs and table rows: marks read, field codes left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from files.extraction.formats.office.word_binary import Paragraph, WordDocument

_FIELD_BEGIN, _FIELD_SEPARATOR, _FIELD_END = "\x13", "\x14", "\x15"
_PARAGRAPH_END = re.compile("[\r\x07\x0c]")
_FIELD_MARK = re.compile("[\x13-\x15]")
_CHARACTERS = str.maketrans(
    {"\x0b": "\n", "\x0e": "\n", "\x1e": "-", "\x1f": None, "\xa0": " ", "\x00": None}
    | dict.fromkeys("\x01\x02\x03\x04\x05\x06\x08\x0f\x10\x11\x12\x16\x17\x18\x19\x1a\x1b\x1c\x1d", None)
)
_LINK = re.compile(r'HYPERLINK\s+(?:\\l\s+)?"([^"]{1,300})"')
_RUBY = re.compile(r"\\o\s*(?:\\a[dclr])?\s*\(\s*\\s\s*\\up\s*\d*\s*\(([^()]*)\)\s*,([^()]*)\)")
_EQUATION_CODES = re.compile(r"\\\*\s*(?:\"[^\"]*\"|\S+)|\\[a-z]+\d*|\b(?:jc|hps)\d+")
_BUTTON = re.compile(r"(?:MACROBUTTON|GOTOBUTTON)\s+\S+\s?(.*)", re.S)


@dataclass(slots=True)
class Block:
    """A paragraph, or the rows of a table."""

    text: str = ""
    paragraph: Paragraph = field(default_factory=Paragraph)
    rows: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class _Field:
    start: int  # in the parts that are gathered
    code: str | None = None  # None until the separator: what comes before it is code


def blocks(document: WordDocument, start: int, story: str) -> Iterator[Block]:
    """Yield the blocks of a story that starts at `start` of the document."""
    table: list[list[str]] = []
    row: list[str] = []
    cell: list[str] = []
    for text, mark, position in _paragraphs(story):
        paragraph = document.paragraph(start + position)
        if mark == "\x07":
            if paragraph.row_end:
                table.append([*row, *filter(None, ["\n".join(cell)])])
                row, cell = [], []
            else:
                row.append("\n".join(filter(None, [*cell, text])))
                cell = []
        elif paragraph.in_table and mark == "\r":
            cell.append(text)
        else:
            if table or row or cell:
                yield from _closed(table, row, cell)
                table, row, cell = [], [], []
            if text:
                yield Block(text, paragraph)
    yield from _closed(table, row, cell)


def _closed(table: list[list[str]], row: list[str], cell: list[str]) -> Iterator[Block]:
    """Yield a table and what is left of a row whose end mark is missing."""
    left = [*row, *filter(None, ["\n".join(cell)])]
    rows = [*table, left] if any(left) else table
    if rows:
        yield Block(rows=rows)


def _paragraphs(story: str) -> Iterator[tuple[str, str, int]]:
    """Yield the readable text of each paragraph, its mark, and where the mark stands. Fields may span paragraphs."""
    fields: list[_Field] = []
    parts: list[str] = []
    at = 0
    while at < len(story):
        found = _PARAGRAPH_END.search(story, at)
        end = found.start() if found else len(story)
        _read_fields(story[at:end], parts, fields)
        at = end + 1
        mark = found.group() if found else "\r"
        if fields and fields[-1].code is None and mark == "\r":
            continue  # a code that goes on in the next line
        yield "".join(parts).translate(_CHARACTERS).strip(), mark, min(end, len(story) - 1)
        parts.clear()
        for open_field in fields:
            open_field.start = 0


def _read_fields(text: str, parts: list[str], fields: list[_Field]) -> None:
    """Add the readable part of `text` to `parts`."""
    at = 0
    for found in _FIELD_MARK.finditer(text):
        parts.append(text[at : found.start()])
        at = found.end()
        if found.group() == _FIELD_BEGIN:
            fields.append(_Field(len(parts)))
        elif not fields:
            continue
        elif found.group() == _FIELD_SEPARATOR:
            if fields[-1].code is None:
                fields[-1].code = "".join(parts[fields[-1].start :])
                del parts[fields[-1].start :]
        else:
            _close(fields.pop(), parts)
    parts.append(text[at:])


def _close(ended: _Field, parts: list[str]) -> None:
    content = "".join(parts[ended.start :])
    del parts[ended.start :]
    if ended.code is None:
        parts.append(_shown_code(content))
        return
    link = _LINK.search(ended.code)
    shown = content.strip("\x00\x01\x08 ")
    if link and shown and link[1] != shown and link[1].startswith(("http", "mailto:")) and "\n" not in shown:
        content = f"[{shown}]({link[1]})"
    parts.append(content)


def _shown_code(code: str) -> str:
    """Return what Word shows for a field that has no result: a formula, characters with their reading, a button."""
    code = code.strip()
    if code.upper().startswith("EQ"):
        code = _RUBY.sub(r" \2 (\1)", code[2:])
        return " ".join(_EQUATION_CODES.sub(" ", code).split()) if "\\" in code else code
    button = _BUTTON.match(code)
    return button[1] if button else ""
