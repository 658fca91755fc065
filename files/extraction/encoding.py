"""Which encoding a text is in, and lines from it with flat memory.

The ladder: byte-order mark, the NUL pattern of UTF-16 and UTF-32, the escapes of ISO-2022, strict UTF-8 over the whole
file, UTF-8 with a few bad bytes, Windows-1252 with its own punctuation, and only then statistics.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from files.extraction.encoding_profiles import by_characters, by_letters

_BLOCK = 1 << 20
_SAMPLE = 64 * 1024
_LINE_CHARS = 64 * 1024

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ISO_2022 = (
    (re.compile(rb"\x1b\$[@B]|\x1b\([JI]"), "iso2022_jp_2"),
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
    (re.compile(rb"~\{(?:[!-w][!-~])+~\}"), "hz"),
)
# What a writer of English or French in Windows-1252 puts between 0x80 and 0x9F: euro, ellipsis, quotes, dashes, OE …
_CP1252_MARKS = frozenset(b"\x80\x82\x84\x85\x8b\x8c\x91\x92\x93\x94\x95\x96\x97\x99\x9b\x9c")
# Its letters of West European languages, and its signs.
_WESTERN = _CP1252_MARKS | frozenset(
    b"\xa0\xa1\xa3\xa7\xa9\xab\xae\xb0\xb1\xb2\xb3\xb4\xb5\xb7\xbb\xbc\xbd\xbe\xbf\xc0\xc2\xc4\xc5\xc6\xc7\xc8\xc9\xca"
    b"\xcd\xd1\xd3\xd6\xd7\xd8\xda\xdc\xdf\xe0\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xeb\xec\xed\xee\xef\xf1\xf2\xf3\xf4"
    b"\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc"
)
_SIGN_IN_WORD = re.compile(rb"[A-Za-z][\xa1-\xbf\xd7\xf7][A-Za-z]")  # in other sets these bytes are letters
_SCRIPTS = (0x03, 0x04, 0x05, 0x06, 0x0E, 0x10, 0x11)  # high bytes of UTF-16 that no other text is full of
_KANA = re.compile("[\u3041-\u30ff]")
_BAD_OR_MULTI = re.compile("[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end. `number` counts from 1; `whole` is False for all but the last part of a very long one."""

    number: int
    text: str
    whole: bool = True


def detect_encoding(path: Path) -> str:
    """Return the Python name of the encoding of the text file at `path`. Reads the file once, in blocks."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    if certain := marked_encoding(head) or wide_encoding(head) or _escaped_encoding(head):
        return certain
    sample = _sample_of_non_ascii(path)
    if not sample or _is_utf8(path):
        return "utf-8"
    return guess_encoding(sample)


def decode(data: bytes) -> tuple[str, str]:
    """Return `data` as text and the name of the encoding it was in. Undecodable bytes become U+FFFD."""
    name = encoding_of(data)
    return data.decode(name, "replace").lstrip("\ufeff"), name


def encoding_of(data: bytes) -> str:
    """Return the Python name of the encoding of `data`."""
    if certain := marked_encoding(data) or wide_encoding(data[:_SAMPLE]) or _escaped_encoding(data[:_SAMPLE]):
        return certain
    with suppress(UnicodeDecodeError):
        data.decode("utf-8")
        return "utf-8"
    return guess_encoding(data[: 4 * _SAMPLE])


def marked_encoding(head: bytes) -> str | None:
    """Return the encoding that a byte-order mark tells, if there is one."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def wide_encoding(head: bytes) -> str | None:
    """Return UTF-16 or UTF-32 when a mark or the places of the NUL bytes tell it, None for anything else."""
    marked = marked_encoding(head)
    if marked:
        return marked if marked != "utf-8-sig" else None
    sample = head[:4096]
    quarter = len(sample) // 4
    if quarter < 1:
        return None
    if 0 not in sample:
        return _utf16_of_one_script(sample)
    nuls = [sample[at : quarter * 4 : 4].count(0) for at in range(4)]
    if nuls[2] == nuls[3] == quarter and nuls[0] == 0:
        return "utf-32-le"
    if nuls[0] == nuls[1] == quarter and nuls[3] == 0:
        return "utf-32-be"
    order = _utf16_order(sample, even=nuls[0] + nuls[2], odd=nuls[1] + nuls[3])
    return order or _utf16_of_one_script(sample)


def guess_encoding(sample: bytes) -> str:
    """Return the likeliest encoding of `sample`, bytes that are not valid UTF-8."""
    if _is_nearly_utf8(sample):
        return "utf-8"
    high = [byte for byte in sample if byte > 127]
    if not high:
        return "utf-8"
    if _looks_western(sample, high):
        return "cp1252"
    for name in ("euc_jp", "cp932"):
        if _is_japanese(sample.decode(name, "replace")):
            return name
    return by_characters(sample) or by_letters(sample) or _by_statistics(sample) or "cp1252"


def open_text(path: Path, encoding: str) -> TextIO:
    """Open `path` for reading with universal newlines; undecodable bytes become U+FFFD."""
    return path.open(encoding=encoding, errors="replace")


def read_lines(path: Path, encoding: str) -> Iterator[Line]:
    """Yield the lines of a text file. One above 64 Ki characters comes in parts, cut between words."""
    with open_text(path, encoding) as file:
        number, carried, at_start = 1, "", True
        while part := file.readline(_LINE_CHARS):
            text = carried + part
            if text.endswith("\n"):
                yield Line(number, text[:-1])
                number, carried = number + 1, ""
                continue
            cut = text.rfind(" ") + 1 or len(text)
            if len(part) == _LINE_CHARS:
                yield Line(number, text[:cut], whole=False)
                carried = text[cut:]
            else:
                carried = text
            at_start = False
        if carried or (number == 1 and at_start):
            yield Line(number, carried)


def _utf16_order(sample: bytes, *, even: int, odd: int) -> str | None:
    """Tell UTF-16 by its NULs: they stand on one side of the pairs, and the text between them has no controls."""
    pairs = len(sample) // 2
    if odd > pairs * 0.1 and even <= odd * 0.05:
        name = "utf-16-le"
    elif even > pairs * 0.1 and odd <= even * 0.05:
        name = "utf-16-be"
    else:
        return None
    text = sample[: pairs * 2].decode(name, "replace")
    odd_ones = sum(char < "\t" or "\x0e" <= char < " " or char == "\ufffd" for char in text)
    return name if odd_ones * 20 <= len(text) else None


def _utf16_of_one_script(sample: bytes) -> str | None:
    """Tell UTF-16 with little ASCII in it, where every other byte names a script: Greek, Cyrillic, Arabic, Thai …"""
    for name, places in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        named = sum(map(places.count, _SCRIPTS))
        if len(places) > 3 and named * 2 > len(places) and (named + places.count(0)) * 10 >= len(places) * 9:
            return name
    return None


def _escaped_encoding(head: bytes) -> str | None:
    if not head.isascii():
        return None
    for pattern, name in _ISO_2022:
        if pattern.search(head):
            with suppress(UnicodeDecodeError, LookupError):
                codecs.getincrementaldecoder(name)().decode(head)
                return name
    return None


def _sample_of_non_ascii(path: Path) -> bytes:
    """Return up to 256 KiB of the lines that are not plain ASCII, from wherever in the file they stand."""
    sample = bytearray()
    with path.open("rb") as file:
        while (block := file.read(_BLOCK)) and len(sample) < 4 * _SAMPLE:
            if not block.isascii():
                first = re.search(rb"[\x80-\xff]", block)
                start = max(0, (first.start() if first else 0) - 2048)
                sample += block[start : start + _SAMPLE]
    return bytes(sample)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _is_nearly_utf8(sample: bytes) -> bool:
    """Tell UTF-8 with a few bad bytes from a legacy encoding, where valid multi-byte sequences are rare accidents."""
    found = _BAD_OR_MULTI.findall(sample.decode("utf-8", "replace"))
    bad = found.count("\ufffd")
    multi = len(found) - bad
    return multi > 0 and multi >= bad


def _looks_western(sample: bytes, high: list[int]) -> bool:
    """Tell Windows-1252 where statistics fail: few high bytes, each alone in a Latin word or one of its own marks."""
    if len(high) * 4 > len(sample) or any(byte in b"\x81\x8d\x8f\x90\x9d" for byte in high):
        return False
    marks = sum(byte in _CP1252_MARKS for byte in high)
    pairs = len(re.findall(rb"[\x80-\xff]{2}", sample))
    if pairs * 4 > len(high) or _SIGN_IN_WORD.search(sample):
        return False
    return marks == len(high) or (len(high) <= 8 and all(byte in _WESTERN for byte in high))


def _is_japanese(text: str) -> bool:
    """Tell a right decoding by its kana, which stand in every Japanese sentence and in no misread Chinese or Korean."""
    foreign = _BAD_OR_MULTI.findall(text)
    return text.count("\ufffd") * 50 <= len(foreign) and len(_KANA.findall(text)) * 6 >= len(foreign)


def _by_statistics(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(sample[: 2 * _SAMPLE]).best()
    if best is None:
        return None
    name = codecs.lookup(best.encoding).name
    # latin-1 is Windows-1252 with controls where the punctuation is: nobody writes those.
    return "cp1252" if name in ("iso8859-1", "latin-1", "ascii") else name
