"""The lines that calendars and contacts are made of: unfolded, with their parameters.

Source: RFC 5545 3.1, RFC 6350 3.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from files.extraction.encoding import detect_encoding, read_lines
from files.extraction.formats.mail.mail_headers import text_of

_LINE_CHARS = 256 * 1024  # pictures and sounds are longer, texts are not
_HEAD = re.compile(r"(?:[\w-]{1,60}\.)?([A-Za-z][\w-]{0,60})((?:;(?:\"[^\"]*\"|[^\":;])*)*):", re.S)
_PARAMETER = re.compile(r";([^=;:\"]{1,60})(?:=((?:\"[^\"]*\"|[^\";])*))?")
_LISTED = re.compile(r'"[^"]*"|[^",]+')
_ESCAPED = re.compile(r"\\(.)", re.S)


@dataclass(frozen=True, slots=True)
class ContentLine:
    """A property: its name in capitals, its value as it is written, the line that it begins on."""

    name: str
    value: str
    number: int
    parameters: dict[str, list[str]] = field(default_factory=dict)

    def text(self) -> str:
        """Return the value as a text, its escapes resolved."""
        return unescaped(self.value)

    def parts(self, mark: str) -> list[str]:
        """Return the parts of a value that `mark` parts, each a text."""
        return [unescaped(part) for part in re.split(rf"(?<!\\){re.escape(mark)}", self.value)]

    def parameter(self, name: str) -> str:
        """Return the first value of a parameter, empty when it is not there."""
        return next(iter(self.parameters.get(name, [])), "")


def read_content_lines(path: Path) -> Iterator[ContentLine]:
    """Yield the properties in a file; what is none is passed over."""
    for number, text in _unfolded(path):
        found = _HEAD.match(text)
        if found:
            parameters = _parameters(found[2])
            value = _decoded(text[found.end() :], parameters)
            yield ContentLine(found[1].upper(), value, number, parameters)


def unescaped(text: str) -> str:
    """Return a text without the escapes for line ends, commas and semicolons."""
    if "\\" not in text:
        return text.strip()
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text).strip()


def _unfolded(path: Path) -> Iterator[tuple[int, str]]:
    """Yield whole properties with the number of their first line; what is over the limit is cut off."""
    held: list[str] = []
    size = first = 0
    goes_on = soft = False
    for line in read_lines(path, detect_encoding(path)):
        text = line.text.rstrip("\r")
        folded = text[:1] in (" ", "\t") and bool(text)
        if held and (goes_on or soft or folded):
            piece = text if goes_on else text.lstrip(" \t") if soft else text[1:]
            if soft:
                held[-1] = held[-1].removesuffix("=")
        else:
            if held:
                yield first, "".join(held)
            held, size, first, piece = [], 0, line.number, text
        size += len(piece)
        if size <= _LINE_CHARS:
            held.append(piece)
        goes_on = not line.whole
        soft = piece.endswith("=") and "QUOTED-PRINTABLE" in held[0][:200].upper() if held else False
    if held:
        yield first, "".join(held)


def _parameters(text: str) -> dict[str, list[str]]:
    """Return the parameters by their names in capitals; vCard 2.1 writes types without a name."""
    found: dict[str, list[str]] = {}
    for match in _PARAMETER.finditer(text):
        name, value = match[1].strip().upper(), match[2]
        if value is None:
            name, value = ("ENCODING" if name in ("QUOTED-PRINTABLE", "BASE64") else "TYPE"), name
        found.setdefault(name, []).extend(part.strip(' "') for part in _LISTED.findall(value))
    return found


def _decoded(value: str, parameters: dict[str, list[str]]) -> str:
    if "QUOTED-PRINTABLE" in (part.upper() for part in parameters.get("ENCODING", ())):
        charset = next(iter(parameters.get("CHARSET", [])), "utf-8")
        return text_of(binascii.a2b_qp(value.encode("utf-8", "replace")), charset)
    return value
