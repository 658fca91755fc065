"""Blocks and properties of Notion to Markdown, as `files.extraction.extractors.markdown` reads it best.

Headings, lists, tables, quotes and code are kept, and links to the web; bold and colours are not, because the text is
there to be searched and quoted. What somebody wrote stays text: it can become no heading, fence or table. Knows no
network; before it comes `integrations.sources.notion`, which fetches the blocks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.sources.notion_client import Json, mapping, objects, text

MOST_COLUMNS = 50
_LONGEST_LINK = 2_000
_STRUCTURE = re.compile(r"\s*(?:#{1,6}(?:\s|$)|`{3}|~{3}|>|\||[\s:|=+-]+$)")
_BACKTICKS = re.compile(r"`+")
_LANGUAGE = re.compile(r"[a-z0-9+#.-]{1,30}")
_ITEMS = ("bulleted_list_item", "numbered_list_item", "to_do")
_HEADINGS = {"heading_1": 2, "heading_2": 3, "heading_3": 4}  # 1 is the page's title
FILES = ("file", "image", "pdf", "video", "audio")


@dataclass(frozen=True, slots=True)
class Block:
    """A block with those inside it. `data` is what Notion says under the name of its kind."""

    kind: str
    data: Json
    children: tuple[Block, ...] = ()
    id: str = ""


def document(title: str, facts: Iterable[tuple[str, str]], blocks: Sequence[Block]) -> str:
    """Return a page: its title, its properties as a list, its blocks."""
    head = [f"# {one_line(title) or 'Untitled'}"]
    listed = [f"- {one_line(name)}: {one_line(value)}" for name, value in facts if value.strip()]
    return "\n\n".join([*head, *(["\n".join(listed)] if listed else []), *_paragraphs(blocks)]) + "\n"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table, whose first row is its head; empty for no rows."""
    width = min(max((len(row) for row in rows), default=0), MOST_COLUMNS)
    if not width:
        return ""
    lines = [_row(row, width) for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def plain(rich: object) -> str:
    """Return rich text as plain text, without its links."""
    return _clean("".join(text(part.get("plain_text")) for part in objects(rich)))


def one_line(words: str) -> str:
    """Return a text in one line, with single spaces."""
    return " ".join(_clean(words).split())


def web_link(shown: str, url: object) -> str:
    """Return a link to the web; the words alone where the address is none."""
    words = one_line(shown).replace("[", "(").replace("]", ")")
    address = text(url)
    if not address.startswith(("https://", "http://")) or len(address) > _LONGEST_LINK:
        return words
    if any(sign.isspace() or not sign.isprintable() or sign in "<>()\\" for sign in address):
        return words
    return f"[{words or address}]({address})"


def _paragraphs(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield what stands between blank lines. Items of one list stand together."""
    items: list[str] = []
    number = 0
    for block in blocks:
        number = number + 1 if block.kind == "numbered_list_item" else 0
        if block.kind in _ITEMS:
            own, apart = _item(block, number, 0)
            items += own
            if not apart:
                continue
        else:
            apart = [*_shown(block)]
        if items:
            yield "\n".join(items)
            items = []
        yield from apart
    if items:
        yield "\n".join(items)


def _item(block: Block, number: int, depth: int) -> tuple[list[str], list[str]]:
    """Return the lines of a list's item with the lists inside it, and what else is inside it, to stand below."""
    marks = {"numbered_list_item": f"{number}.", "to_do": "- [x]" if block.data.get("checked") is True else "- [ ]"}
    words = one_line(_rich(block.data.get("rich_text")))
    # A mark alone in its line would make a heading of the line above.
    lines = [f"{'  ' * depth}{marks.get(block.kind, '-')} {words}"] if words else []
    apart: list[str] = []
    count = 0
    for child in block.children:
        count = count + 1 if child.kind == "numbered_list_item" else 0
        if child.kind in _ITEMS:
            inner, below = _item(child, count, depth + 1)
            lines += inner
            apart += below
        else:
            apart += _shown(child)
    return lines, apart


def _shown(block: Block) -> Iterator[str]:
    """Yield a block that is no list's item, then what is inside it."""
    show = _SHOWN.get(block.kind, _as_text)
    shown = show(block)
    if shown.strip():
        yield shown
    if block.kind != "table":
        yield from _paragraphs(block.children)


def _as_text(block: Block) -> str:
    return _prose(_rich(block.data.get("rich_text")))


def _as_heading(block: Block) -> str:
    words = one_line(_rich(block.data.get("rich_text")))
    return f"{'#' * _HEADINGS[block.kind]} {words}" if words else ""


def _as_quote(block: Block) -> str:
    return "\n".join(f"> {line}" for line in _prose(_rich(block.data.get("rich_text"))).split("\n") if line)


def _as_code(block: Block) -> str:
    code = _clean(plain(block.data.get("rich_text")))
    language = text(block.data.get("language")).lower().replace(" ", "-")
    shown = language if _LANGUAGE.fullmatch(language) and language != "plain-text" else ""
    fence = "`" * max(3, *(len(run) + 1 for run in ["", *_BACKTICKS.findall(code)]))
    caption = one_line(plain(block.data.get("caption")))
    return f"{fence}{shown}\n{code}\n{fence}" + (f"\n\n{_prose(caption)}" if caption else "")


def _as_equation(block: Block) -> str:
    expression = one_line(text(block.data.get("expression")))
    return f"$$ {expression} $$" if expression else ""


def _as_table(block: Block) -> str:
    rows = [child.data.get("cells") for child in block.children if child.kind == "table_row"]
    return table([[plain(cell) for cell in cells] for cells in rows if isinstance(cells, list)])


def _as_page(block: Block) -> str:
    link = f"https://www.notion.so/{block.id}" if block.id else ""
    return _prose(web_link(text(block.data.get("title")), link))


def _as_file(block: Block) -> str:
    caption = one_line(plain(block.data.get("caption")))
    external = mapping(block.data.get("external"))
    if external:
        return _prose(web_link(caption or text(external.get("url")), external.get("url")))
    # Never its address: that is signed, opens the file for whoever has it, and is good for an hour.
    named = one_line(text(block.data.get("name")))
    return _prose(" – ".join(words for words in (named, caption) if words))


def _as_bookmark(block: Block) -> str:
    caption = one_line(plain(block.data.get("caption")))
    return _prose(web_link(caption or text(block.data.get("url")), block.data.get("url")))


def _as_nothing(block: Block) -> str:
    return ""


_SHOWN: dict[str, Any] = {
    **dict.fromkeys(_HEADINGS, _as_heading),
    **dict.fromkeys(("quote", "callout"), _as_quote),
    **dict.fromkeys(("child_page", "child_database"), _as_page),
    **dict.fromkeys(FILES, _as_file),
    **dict.fromkeys(("bookmark", "embed", "link_preview"), _as_bookmark),
    **dict.fromkeys(("divider", "table_of_contents", "breadcrumb", "column_list", "column"), _as_nothing),
    "code": _as_code,
    "equation": _as_equation,
    "table": _as_table,
}


def _rich(value: object) -> str:
    """Return rich text with its links."""
    found = []
    for part in objects(value):
        words, href = text(part.get("plain_text")), part.get("href")
        found.append(web_link(words, href) if href and words.strip() else words)
    return _clean("".join(found))


def _prose(words: str) -> str:
    """Return words as a paragraph: no blank line in it, and no line that Markdown would take for something else."""
    lines = (line.rstrip() for line in _clean(words).split("\n"))
    return "\n".join(f"\\{line.lstrip()}" if _STRUCTURE.match(line) else line for line in lines if line.strip())


def _row(cells: Sequence[str], width: int) -> str:
    shown = [one_line(cell).replace("\\", "\\\\").replace("|", "\\|") for cell in cells[:width]]
    return "| " + " | ".join([*shown, *[""] * (width - len(shown))]) + " |"


def _clean(words: str) -> str:
    """Return a text that is UTF-8, whose lines end in one way, and which has no control characters."""
    lines = "\n".join(words.splitlines()) + ("\n" if words.endswith("\n") else "")
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs") else " " for c in lines)
