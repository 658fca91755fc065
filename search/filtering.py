"""Secrets and identifiers of persons masked in what is shown of a passage and in what a model reads. Pure Python.

After the passages are read, before snippets are cut (`search.hits`). What has a checksum is masked only where the
checksum is right. The files themselves, their downloads and their pages are not changed. Each detector is asked only
for a text that has what it needs: nearly all texts are through after one look for digits and some for words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

LEFT_OUT = "[left out]"

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "CH": 21, "CR": 22,
    "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22,
    "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27,
    "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22,
    "MK": 19, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VG": 24, "XK": 20,
}  # fmt: skip
_PLACEHOLDER = re.compile(r"[<$%{*x.\[]|(?:none|null|true|false|required|optional|changeme|your|string)\b", re.I)
_NAMED = (
    r"passwords?|passwd|pwd|passphrase|passwort|kennwort|contraseña|secret(?:[_-]?key)?|api[_-]?key|access[_-]?key|"
    r"(?:access|auth|refresh)[_-]?token|client[_-]?secret|private[_-]?key"
)

_NAMES_NEEDED = (
    *("password", "passwd", "passphrase", "passwort", "pwd", "kennwort", "contrase", "secret"),
    *(f"{first}{sign}key" for first in ("api", "access", "private") for sign in ("", "_", "-")),
    *(f"{first}{sign}token" for first in ("access", "auth", "refresh") for sign in ("", "_", "-")),
)
_KEY = r"-----{} (?:[A-Z0-9]+ ){{0,4}}PRIVATE KEY(?: BLOCK)?-----"
_KEY_ENDS = re.compile(_KEY.format("END"))
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{8,}")


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _card(match: re.Match[str]) -> int:
    """Return how much of a run of digits is a card's number: an issuer's beginning, its length, a right checksum."""
    digits = re.sub(r"\D", "", match[0])
    length, start = len(digits), int(digits[:4])
    issued = (
        (digits[0] == "4" and length in (13, 16, 19))
        or (length == 16 and (5100 <= start < 5600 or 2221 <= start <= 2720 or start == 6011 or 3528 <= start < 3590))
        or (length == 16 and (6440 <= start < 6600))
        or (length == 15 and digits[:2] in ("34", "37"))
        or (length == 14 and digits[:2] in ("30", "36", "38"))
        or (16 <= length <= 19 and digits[:2] == "62")
    )
    return len(match[0]) if issued and _luhn(digits) else 0


def _iban(match: re.Match[str]) -> int:
    """Return how much of what begins like an IBAN is one: as long as its country's, and 1 modulo 97."""
    wanted = _IBAN_LENGTHS.get(match[0][:2], 0)
    places = [place for place, char in enumerate(match[0], 1) if char != " "]
    if not wanted or len(places) < wanted:
        return 0
    end = places[wanted - 1]
    taken = match[0][:end].replace(" ", "")
    number = int("".join(str(int(char, 36)) for char in taken[4:] + taken[:4]))
    return end if number % 97 == 1 else 0


def _german_tax_id(match: re.Match[str]) -> int:
    """Return the match's length for eleven digits of which one occurs twice or thrice, with ISO 7064's checksum."""
    digits = match[0].replace(" ", "")
    counts = sorted(digits[:10].count(digit) for digit in set(digits[:10]))
    if counts[-1] not in (2, 3) or (len(counts) > 1 and counts[-2] > 1):
        return 0
    product = 10
    for digit in map(int, digits[:10]):
        product = ((digit + product) % 10 or 10) * 2 % 11
    return len(match[0]) if (11 - product) % 10 == int(digits[10]) else 0


def _spanish_id(match: re.Match[str]) -> int:
    """Return the match's length for a DNI or NIE whose letter is right."""
    body, letter = match[0][:-1].rstrip("-"), match[0][-1]
    number = int(body.translate(str.maketrans("XYZ", "012")))
    return len(match[0]) if _DNI_LETTERS[number % 23] == letter else 0


def _value(match: re.Match[str]) -> int:
    """Return the length of what stands behind `password=`; 0 for a placeholder or a word of prose."""
    value = match["value"]
    if _PLACEHOLDER.match(value) or (match["sign"] == ":" and (len(value) < 6 or value.isalpha())):
        return 0
    return len(value)


def _whole_value(match: re.Match[str]) -> int:
    return len(match["value"])


def _all(match: re.Match[str]) -> int:
    return len(match[0])


@dataclass(frozen=True, slots=True)
class _Detector:
    """What finds one kind. A text without any of `needs`, in lower case, has none; no `needs`: six digits in a row.

    `length` says how many characters are masked, from the group `value` on where the pattern has it; 0 for none.
    """

    label: str
    pattern: re.Pattern[str]
    needs: tuple[str, ...] = ()
    length: Callable[[re.Match[str]], int] = _all

    def masked(self, text: str) -> str:
        """Return the text without what this finds."""
        return self.pattern.sub(self._replacement, text)

    def _replacement(self, match: re.Match[str]) -> str:
        length = self.length(match)
        if not length:
            return match[0]
        start = match.start("value") - match.start() if "value" in self.pattern.groupindex else 0
        return f"{match[0][:start]}[masked {self.label}]{match[0][start + length :]}"


_BY_WORD = (
    _Detector(
        "private key",
        re.compile(rf"{_KEY.format('BEGIN')}.*?(?:{_KEY.format('END')}|\Z)", re.DOTALL),
        ("-----begin ",),
    ),
    _Detector("token", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"), ("eyj",)),
    _Detector("key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), ("akia", "asia")),
    _Detector(
        "token",
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})"),
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    ),
    _Detector("token", re.compile(r"\bglpat-[\w-]{20,}"), ("glpat-",)),
    _Detector("token", re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"), ("xox",)),
    _Detector("key", re.compile(r"\bsk-(?=[\w-]*\d)[A-Za-z0-9_-]{20,}"), ("sk-",)),
    _Detector("key", re.compile(r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"), ("k_live_", "k_test_")),
    _Detector("key", re.compile(r"\bAIza[\w-]{35}"), ("aiza",)),
    _Detector("key", re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{16,}"), ("sg.",)),
    _Detector("token", re.compile(r"\b(?:npm|hf)_[A-Za-z0-9]{30,}"), ("npm_", "hf_")),
    _Detector("token", re.compile(r"\bpypi-[\w-]{50,}"), ("pypi-",)),
    _Detector("token", re.compile(r"\b[Bb]earer\s+(?P<value>[A-Za-z0-9._~+/=-]{20,})"), ("bearer",), _whole_value),
    _Detector("password", re.compile(r"://[^\s:/@]{1,64}:(?P<value>[^\s@/]{3,100})@"), ("://",), _whole_value),
    _Detector(
        "secret",
        re.compile(
            rf"(?<![A-Za-z])(?:{_NAMED})[\"']?\s{{0,3}}(?P<sign>[:=])\s{{0,3}}[\"']?"
            r"(?P<value>[^\s\"',;)]{4,200})",
            re.I,
        ),
        _NAMES_NEEDED,
        _value,
    ),
)  # fmt: skip
_BY_DIGITS = (
    _Detector("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b"), length=_iban),
    _Detector("card number", re.compile(r"(?<![\d.,-])\d(?:[ -]?\d){12,18}(?![\d-]|[.,]\d)"), length=_card),
    _Detector(
        "tax number",
        re.compile(r"(?<![\d+.,/-])[1-9]\d ?\d{3} ?\d{3} ?\d{3}(?![\d-]|[.,]\d)"),
        length=_german_tax_id,
    ),
    _Detector("identity number", re.compile(r"\b(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z]\b"), length=_spanish_id),
    _Detector(
        "insurance number",
        re.compile(r"\b(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"),
    ),
    # Nothing can be computed here: only where the text speaks of it.
    _Detector(
        "social security number",
        re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])"),
        ("ssn", "social security"),
    ),
)  # fmt: skip
_DIGITS = re.compile(r"\d(?:[ -]?\d){5}")


def _without_tail(text: str) -> str:
    """Return the text without the end of a key whose beginning is in the passage before."""
    match = _KEY_ENDS.search(text)
    if match is None:
        return text
    lines = text[: match.start()].split("\n")
    if not lines[-1]:
        lines.pop()
    while lines and _KEY_LINE.fullmatch(lines[-1].strip()):
        lines.pop()
    return "\n".join([*lines, f"[masked private key]{text[match.end() :]}"])


def mask(text: str) -> str:
    """Return the text with secrets and identifiers replaced by what they were."""
    lower = text.lower()
    for detector in _BY_WORD:
        if any(need in lower for need in detector.needs):
            text = detector.masked(text)
    if "private key-----" in lower:
        text = _without_tail(text)
    if _DIGITS.search(text):
        for detector in _BY_DIGITS:
            if not detector.needs or any(need in lower for need in detector.needs):
                text = detector.masked(text)
    return text


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """What is taken out of what is shown and of what a model reads: secrets, and the terms that a persona blocks."""

    masks: bool = True
    blocked: tuple[str, ...] = ()

    def clean(self, text: str) -> str:
        """Return what may be shown of a text."""
        if self.masks:
            text = mask(text)
        return _blocking(self.blocked).sub(LEFT_OUT, text) if self.blocked else text


MASKING = ContentFilter()
UNFILTERED = ContentFilter(masks=False)


@lru_cache(maxsize=64)
def _blocking(terms: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(filter(None, map(str.strip, terms)), key=lambda term: (-len(term), term))
    if not longest_first:
        return re.compile(r"(?!)")
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
