"""Which legacy encoding a text is in, told by the letters of the languages that were written in it.

A right decoding gives letters of one language, in the right case, and hardly anything else; a wrong one gives letters
of several, signs inside words, capitals after small letters. Between the sure signs in `encoding` and statistics.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

_SAMPLE = 8 * 1024
_SURE = 0.9
_FEW = 4  # fewer letters than this prove nothing
_MARKS = "“”„‘’‚–—…«»‹›€°§·©®™№•\xa0\xad²³½¼"

_WESTERN = ("cp1252", "mac_roman", "cp850")
_CENTRAL = ("cp1250", "iso8859-2", "cp852")
_CYRILLIC = ("cp1251", "koi8-r", "koi8-u", "cp866", "iso8859-5", "mac_cyrillic")
_HEBREW = "".join(map(chr, range(0x5D0, 0x5EB)))
_ARABIC = "".join(map(chr, [*range(0x621, 0x63B), *range(0x641, 0x653)])) + "،؛؟پچژگ"
_THAI = "".join(map(chr, [*range(0xE01, 0xE3B), *range(0xE40, 0xE5B)]))
_ALONE = re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])")


class _Profile(NamedTuple):
    """A language: its letters beyond ASCII, those that are frequent, and the encodings it was written in."""

    frequent: str
    rare: str
    encodings: tuple[str, ...]


_PROFILES = (
    _Profile("éèàêç", "âîôûùëïüœæÿ", _WESTERN),
    _Profile("äöüß", "éèàê", _WESTERN),
    _Profile("áéíóúñ", "ü¿¡ºª", _WESTERN),
    _Profile("ãçáéóõêíâú", "àôüºª", _WESTERN),
    _Profile("åäöøæ", "éèüàá", _WESTERN),
    _Profile("àèéìòù", "îí", _WESTERN),
    _Profile("áðéíóúýþæö", "", _WESTERN),
    _Profile("àçèéíïòóúü", "ñ", _WESTERN),
    _Profile("ąćęłńóśźż", "", _CENTRAL),
    _Profile("áčéěířšýž", "ďňóťúůĺľŕäô", _CENTRAL),
    _Profile("áéíóöőúüű", "", _CENTRAL),
    _Profile("ăâîşţ", "", _CENTRAL),
    _Profile("čćđšž", "", _CENTRAL),
    _Profile("çğıöşü", "âîûi̇", ("cp1254",)),
    _Profile("ąčęėįšųūž", "", ("cp1257",)),
    _Profile("āčēģīķļņšūž", "", ("cp1257",)),
    _Profile("äõöü", "šž", ("cp1257",)),
    _Profile("ăâđêôơư\u0300\u0301\u0303\u0309\u0323", "áàéèíìóòúùýãõ", ("cp1258",)),
    _Profile("оеаинтсрвлкмдпуяыьгз", "бчйхжшюцщэфъё", _CYRILLIC),
    _Profile("оаниівретскулдмпяьзг", "бчйхжшюцщєфїґ", _CYRILLIC),
    _Profile("оаиенрстјвкдпмулбз", "гњћшцчљжђфхџ", _CYRILLIC),
    _Profile("αοιετσνηυρπκμλς", "ωδγχθφβξζψάέήίόύώϊϋΐΰ", ("cp1253", "iso8859-7")),
    _Profile(_HEBREW, "", ("cp1255",)),
    _Profile(_ARABIC, "", ("cp1256",)),
    _Profile("านรกอเงมยลวดทสตะปบคหแไใ่้ัิีุู", _THAI, ("cp874",)),
)
_COMMON_HAN = {
    "gb18030": "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
    "用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实，。、",
    "big5": "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡"
    "用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實，。、",
}


def by_letters(sample: bytes) -> str | None:
    """Return the encoding whose letters fit `sample` beyond doubt; None when none does."""
    sample = b"\n".join(line for line in sample.split(b"\n") if not line.isascii())[:_SAMPLE]
    scores = {(encoding, at): _fit(sample, encoding, at) for at, profile in enumerate(_PROFILES)
              for encoding in profile.encodings}  # fmt: skip
    (encoding, _), score = max(scores.items(), key=lambda item: item[1])
    return encoding if score >= _SURE else None


def by_characters(sample: bytes) -> str | None:
    """Return the encoding of Chinese or Korean that `sample` is in; a few damaged bytes are no obstacle."""
    sample = sample[:_SAMPLE]
    best, most = None, 0.0
    high = sum(byte > 127 for byte in sample)
    if len(_ALONE.findall(sample)) * 2 > high:
        return None  # accents in words of Latin letters
    for encoding in ("cp949", "gb18030", "big5"):
        share = _share_of_common(sample.decode(encoding, "replace"), encoding)
        if share > most:
            best, most = encoding, share
    return best


def _fit(sample: bytes, encoding: str, at: int) -> float:
    counts, odd, capitals = _decoded(sample, encoding)
    total = sum(counts.values())
    if total < _FEW:
        return 0.0
    frequent, known = _letters(at)
    good = sum(count for char, count in counts.items() if char in frequent)
    fair = sum(count for char, count in counts.items() if char in known)
    marks = sum(count for char, count in counts.items() if char in _MARKS)
    letters = total - marks
    if letters == 0:
        return 0.0
    # The rarer letters of a language are rare: a decoding that gives mostly those is another language's.
    rank = (good / letters - 5 * capitals / letters) / 100  # between two that fit, the one with fewer capitals
    return (fair - odd) / letters - (0.3 if good * 2 < fair else 0.0) + rank


@cache
def _letters(at: int) -> tuple[frozenset[str], frozenset[str]]:
    profile = _PROFILES[at]
    return frozenset(profile.frequent), frozenset(profile.frequent + profile.rare)


@lru_cache(maxsize=32)
def _decoded(sample: bytes, encoding: str) -> tuple[Counter[str], int, int]:
    """Return the characters beyond ASCII in small letters, how many stand where no writer puts them, and the capitals.

    No writer puts a capital after a small letter, or a letter of another script beside a Latin one.
    """
    text = sample.decode(encoding, "replace")
    counts = Counter(char.lower() for char in text if char > "\x7f")
    odd = sum(
        (before.islower() and char.isupper() and char > "\x7f") or (_is_foreign(char) and _is_latin(before))
        or (_is_foreign(before) and _is_latin(char))
        for before, char in pairwise(text)
        if char > "\x7f" or before > "\x7f"
    )  # fmt: skip
    return counts, odd, sum(char > "\x7f" and char.isupper() for char in text)


def _is_latin(char: str) -> bool:
    return char.isalpha() and char < "\u0250"


def _is_foreign(char: str) -> bool:
    return char >= "\u0370" and char.isalpha()


def _share_of_common(text: str, encoding: str) -> float:
    beyond = [char for char in text if char > "\x7f"]
    if len(beyond) < _FEW or beyond.count("\ufffd") * 50 > len(beyond):
        return 0.0
    if encoding == "cp949":
        hangul = sum("가" <= char <= "힣" for char in beyond) / len(beyond)
        return hangul if hangul > 0.8 else 0.0
    common = _COMMON_HAN[encoding]
    share = sum(char in common for char in beyond) / len(beyond)
    return share if share > 0.12 else 0.0
