"""The bytes of a web page as text, in the encoding that a browser would take. `html_blocks` comes after it."""

from __future__ import annotations

import codecs
import re

from files.extraction.encoding import guess_encoding, marked_encoding, wide_encoding

_CHARSET = re.compile(
    rb"""<meta[^>]{0,400}?charset\s*=\s*["']?\s*([\w:.-]{2,40})|<\?xml[^>]{0,200}?encoding=["']([\w.-]{2,40})""", re.I
)
# Names on the web mean the larger Windows set that contains the one they say.
_MEANT = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
    "macintosh": "mac_roman",
}


def decode_page(data: bytes) -> tuple[str, str]:
    """Return a page as text and the encoding it was in: mark, declaration, UTF-8, guess, in this order."""
    name = marked_encoding(data) or wide_encoding(data)
    if name is None:
        name = _declared(data)
        if name is None or _wrong(data, name):
            name = _utf8_or_guess(data)
    return data.decode(name, "replace").lstrip("\ufeff"), name


def _declared(data: bytes) -> str | None:
    found = _CHARSET.search(data[:8192])
    if not found:
        return None
    said = (found[1] or found[2]).decode("ascii").lower()
    try:
        name = codecs.lookup(_MEANT.get(said, said)).name
    except LookupError:
        return None
    return None if name.startswith(("utf-16", "utf-32")) else name  # it could not have been read as ASCII


def _wrong(data: bytes, name: str) -> bool:
    """Tell whether a declaration is not true: many bytes that its encoding does not have."""
    bad = data[: 1 << 20].decode(name, "replace").count("\ufffd")
    return bad > 3 and bad * 200 > sum(byte > 127 for byte in data[: 1 << 20])


def _utf8_or_guess(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return guess_encoding(b"".join(re.findall(rb"[^\n]*[\x80-\xff][^\n]*\n?", data[: 1 << 20]))[: 1 << 16])
    return "utf-8"
