"""Which language a file is in, and which PostgreSQL text search configuration stems its words.

Before it: the file's segments, and what the document says of itself. After it: `keyword_rows`, which stores the
configuration with the postings, so that a file's words stay findable whatever the defaults become later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

SAMPLE_CHARACTERS = 20_000
_PER_SEGMENT = 2_000
_CERTAIN = 200  # letters from which any language is believed; below, only those that make a difference to search

_CONFIGURATIONS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_PREFIXES = {"simple": "", **{name: f"{code}=" for code, name in _CONFIGURATIONS.items()}}
# What the detector, old standards and macrolanguages call a language that has another code in ISO 639-1.
_SAME = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "nb": "no", "nn": "no", "mo": "ro", "tl": "tl", "cmn": "zh"}
_THREE_LETTERS = {
    "ara": "ar", "deu": "de", "ger": "de", "eng": "en", "spa": "es", "fra": "fr", "fre": "fr", "ita": "it", "jpn": "ja",
    "kor": "ko", "nld": "nl", "dut": "nl", "pol": "pl", "por": "pt", "rus": "ru", "swe": "sv", "tha": "th", "tur": "tr",
    "ukr": "uk", "zho": "zh", "chi": "zh", "dan": "da", "fin": "fi", "nor": "no", "nob": "no", "hun": "hu", "ces": "cs",
    "cze": "cs", "ell": "el", "gre": "el", "heb": "he", "hin": "hi", "ron": "ro", "rum": "ro", "vie": "vi", "ind": "id",
}  # fmt: skip
_UNSPACED = frozenset({"zh", "ja", "ko", "th", "lo", "km", "my"})
_TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9-_]*)?", re.IGNORECASE)
# A list of foreign names can outweigh the sentences around it; sentences are recognised by their small words.
_NAME = re.compile(r"(?<![^\W_])[A-Z\u00c0-\u00de][^\W\d_]*")
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+")


class FileLanguage(NamedTuple):
    """ISO 639-1 codes, or empty: what the file's record says, and what its words are stemmed by."""

    of_record: str
    of_words: str


def of_file(kind: str, said: str, beginning: str) -> FileLanguage:
    """Return a file's language: for its record what the document says, for its words what the text itself shows.

    They differ because documents often bear the language of the program that wrote them. Code has none.
    """
    if kind == "code":
        return FileLanguage("", "")
    code, found = normalised(said), detected(beginning)
    return FileLanguage(code or found, found or code)


def normalised(tag: str) -> str:
    """Return the ISO 639-1 code of a language tag such as `en-US`, `zh_Hant` or `deu`; empty for what is none."""
    match = _TAG.fullmatch(tag.strip())
    if not match:
        return ""
    code = match[1].lower()
    code = _THREE_LETTERS.get(code, _SAME.get(code, code))
    return code if len(code) == 2 else ""


def configuration(language: str, default: str) -> str:
    """Return the configuration for an ISO 639-1 code: `default` for no language, `simple` for one that has none."""
    return _CONFIGURATIONS.get(language, "simple") if language else default


def lexeme_prefix(configuration: str) -> str:
    """Return what stands before a lexeme that `configuration` made: stems of one language are not those of another."""
    return _PREFIXES.get(configuration, f"{configuration}=")


def lexeme_prefixes() -> dict[str, str]:
    """Return the prefixes of the configurations that PostgreSQL comes with; `simple` has none, as exact tokens."""
    return dict(_PREFIXES)


def sample(texts: Iterable[str]) -> str:
    """Return the start of each text, up to SAMPLE_CHARACTERS together: enough to tell the language of the whole."""
    taken: list[str] = []
    room = SAMPLE_CHARACTERS
    for text in texts:
        taken.append(text[: min(room, _PER_SEGMENT)])
        room -= len(taken[-1])
        if room <= 0:
            break
    return "\n".join(taken)


def detected(text: str) -> str:
    """Return the ISO 639-1 code of the language that most of `text` is in, or an empty string where it is not plain."""
    import pycld2

    clean = _NOT_TEXT.sub(" ", text)
    plain = _NAME.sub(" ", clean)
    letters = _letters(plain)
    if letters < _CERTAIN // 10:
        plain, letters = clean, _letters(clean)
    try:
        _, _, found = pycld2.detect(plain.encode("utf-8", "ignore"), isPlainText=True, bestEffort=True)
    except pycld2.error:  # it refuses some code points that are valid UTF-8
        return ""
    code = normalised(found[0][1]) if found[0][1] != "un" else ""
    return code if letters >= _CERTAIN or code in _CONFIGURATIONS or code in _UNSPACED else ""


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))
