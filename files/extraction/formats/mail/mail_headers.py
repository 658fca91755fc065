"""Headers of mails: read with a bound on every length, decoded whatever their writers thought of the standards.

The standard library's parser is not used: it takes quadratic time on long headers and address lists.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from files.extraction.encoding import decode

_LINE = 64 * 1024
_HEADER_BYTES = 16 * 1024
_BLOCK = 1 << 16
_ENOUGH = 12
_HEADERS = 500
_ALWAYS = ("from", "to", "subject", "date", "content-type", "content-transfer-encoding")
_ENCODED = re.compile(r"=\?([\w.:-]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?\n]{0,8000})\?=")
_PARAMETER = re.compile(
    r""";\s*([\w!#$%&'+.^`|~-]{1,60}?)(?:\*(\d{1,3}))?(\*)?\s*=\s*(?:"((?:[^"\\]|\\.){0,4000})"|([^;"\s]{0,4000}))"""
)
_NOT_TEXT = frozenset(("unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "utf-7"))
_MEANT = {"iso-8859-1": "cp1252", "latin1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949"}
_OFTEN_WRONG = frozenset(("iso-8859-1", "latin1", "cp1252", "windows-1252", "iso-8859-15"))
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))


@dataclass(frozen=True, slots=True)
class Field:
    """A header with parameters, such as Content-Type: its value in lower case, and its parameters."""

    value: str
    parameters: dict[str, str]


class Headers:
    """The headers of one part, by their names in lower case; the first of several wins."""

    def __init__(self, found: dict[str, bytes]) -> None:
        self._found = found

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def text(self, name: str) -> str:
        """Return a header as a person should read it, empty when it is not there."""
        return decoded_words(_as_text(self._found.get(name, b"")))

    def field(self, name: str) -> Field:
        """Return a header with its parameters; those split or encoded by RFC 2231 are put together."""
        text = _as_text(self._found.get(name, b""))
        value, _, _ = text.partition(";")
        return Field(value.strip().lower(), _parameters(text[len(value) :]))

    def sent_at(self) -> str:
        """Return the date as ISO 8601 with its zone, empty when it is none."""
        text = self.text("date")[:120]
        try:
            return parsedate_to_datetime(text).isoformat() if text else ""
        except (ValueError, TypeError, IndexError, OverflowError):
            return ""

    def addresses(self, name: str) -> list[str]:
        """Return the addresses of a header, each as it is written."""
        return list(_split_addresses(self.text(name)))


def read_headers(file: BinaryIO, end: int) -> Headers:
    """Read headers up to the empty line that ends them, or to `end`. Leaves `file` after it."""
    found: dict[str, list[bytes]] = {}
    lines: list[bytes] = []
    size = 0
    while (at := file.tell()) < end:
        line = file.readline(min(_LINE, end - at))
        if not line.strip(b"\r\n"):
            break
        name, colon, value = line.partition(b":")
        if line[:1] in b" \t":
            value = line
        elif not colon and not found and not line.startswith((b"From ", b">From ")):
            file.seek(at)  # no headers: the body begins at once
            break
        else:
            lines, size = [], 0
            key = name[:200].strip().decode("latin-1").lower()
            if colon and (len(found) < _HEADERS or key in _ALWAYS):
                found.setdefault(key, lines)
        size += len(value)
        if size <= _HEADER_BYTES:
            lines.append(value)
    return Headers({name: b"".join(value) for name, value in found.items()})


def decoded_words(text: str) -> str:
    """Return `text` with its encoded words decoded; characters may be split over neighbouring words."""
    out: list[str] = []
    at, waiting, charset = 0, b"", ""
    for found in _ENCODED.finditer(text):
        between = text[at : found.start()]
        data = _word_bytes(found[2], found[3])
        if waiting and not between.strip() and found[1].lower() == charset:
            waiting += data
        else:
            out.append(text_of(waiting, charset))
            out.append("" if waiting and not between.strip() else between)
            waiting, charset = data, found[1].lower()
        at = found.end()
    out += [text_of(waiting, charset), text[at:]]
    return " ".join("".join(out).split())


def text_of(data: bytes, charset: str) -> str:
    """Return `data` as text: in `charset` where that is a text encoding and fits, else in what it looks like."""
    name = charset.strip(" \"'").lower()
    if name in _OFTEN_WRONG and not data.isascii() and is_utf8(data):
        return data.decode("utf-8")
    if name and name not in _NOT_TEXT and not (name.startswith("us-ascii") or name in ("ascii", "utf-8", "utf8")):
        try:
            text = data.decode(_MEANT.get(name, name), "replace")
        except (LookupError, ValueError):
            text = "\ufffd"
        if text.count("\ufffd") * 20 <= len(text):
            return text
    return decode(data)[0]


def is_utf8(data: bytes) -> bool:
    """Tell whether `data` is UTF-8 to the last byte, which no other text is by accident."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def transfer_decoded(data: bytes, encoding: str) -> bytes:
    """Return the bytes of a small part, freed of their transfer encoding; what is not well-formed is left out."""
    if encoding == "base64":
        return _from_base64(data)
    return binascii.a2b_qp(data) if encoding == "quoted-printable" else data


def base64_chunks(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes of a part in base64, whatever its length."""
    file.seek(start)
    rest = b""
    while (at := file.tell()) < end and (block := file.read(min(_BLOCK, end - at))):
        rest += block.translate(None, _NOT_BASE64)
        whole = len(rest) // 4 * 4
        yield _from_base64(rest[:whole])
        rest = rest[whole:]
    yield _from_base64(rest)


def _from_base64(data: bytes) -> bytes:
    clean = data.translate(None, _NOT_BASE64).split(b"=", 1)[0]
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _word_bytes(kind: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return _from_base64(data) if kind in "bB" else binascii.a2b_qp(data, header=True)


def _as_text(value: bytes) -> str:
    """Return a header that may hold bare bytes; a few of them are too little to guess from."""
    if value.isascii() or is_utf8(value):
        return value.decode("utf-8")
    few = sum(byte > 127 for byte in value) < _ENOUGH
    return value.decode("cp1252", "replace") if few else decode(value)[0]


def _parameters(text: str) -> dict[str, str]:
    """Return the parameters of a header: plain ones, and those that RFC 2231 cuts into pieces or encodes."""
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for found in _PARAMETER.finditer(text):
        name, value = found[1].lower(), found[4] if found[4] is not None else found[5]
        if found[4] is not None:
            value = re.sub(r"\\(.)", r"\1", value)
        if found[2] or found[3]:
            pieces.setdefault(name, []).append((int(found[2] or 0), bool(found[3]), value))
        else:
            plain.setdefault(name, decoded_words(value))
    return plain | {name: _joined(parts) for name, parts in pieces.items()}


def _joined(parts: list[tuple[int, bool, str]]) -> str:
    charset, data = "", b""
    for index, (_, encoded, value) in enumerate(sorted(parts, key=lambda part: part[0])):
        if encoded and index == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)  # noqa: PLW2901 - what is left is the value
        data += unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace")
    return text_of(data, charset)


def _split_addresses(text: str) -> Iterator[str]:
    quoted, start = False, 0
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char in ",;" and not quoted:
            if part := text[start:at].strip():
                yield part
            start = at + 1
    if part := text[start:].strip():
        yield part
