"""Endings that several languages share: a look at the text tells which one it is."""

from __future__ import annotations

import re

from files.extraction.media_types import ending_of

_CPP = re.compile(
    r"(?m)^\s*(?:class\s+\w|namespace\s+\w|template\s*<|using\s+\w|public:|private:|protected:)|\bstd::|#\s*include\s*<\w+>"
)
_OBJECTIVE_C = re.compile(
    r"(?m)^\s*(?:@(?:interface|implementation|protocol|import|end|property|class)\b|#\s*import\b)"
)
_C_LIKE = re.compile(r"(?m)^\s*#\s*(?:include|define|if|pragma)\b|^\s*//|^\s*/\*")
_PROLOG = re.compile(r"(?m)^\s*:-\s*\w|^[a-z]\w*\([^)\n]{0,200}\)\s*:-")
_PERL = re.compile(r"(?m)^\s*(?:use\s+(?:strict|warnings|\w+::|v?5)|my\s+[$@%]|sub\s+\w|package\s+\w)|^#!.{0,80}perl")
_SHELL = re.compile(r"(?m)^\s*(?:if \[|fi$|done$|esac$|export \w|echo )")

_LOOKS: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "h": ((_OBJECTIVE_C, "text/x-objective-c"), (_CPP, "text/x-c++")),
    "m": ((_OBJECTIVE_C, "text/x-objective-c"), (_C_LIKE, "text/x-objective-c"), (re.compile(""), "text/x-matlab")),
    "pl": ((_PERL, "text/x-perl"), (_PROLOG, "text/x-prolog")),
    "t": ((_PERL, "text/x-perl"), (re.compile(""), "text/plain")),
    "profile": ((_SHELL, "text/x-shellscript"), (re.compile(""), "text/plain")),
}


def is_shared(name: str) -> bool:
    """Tell whether the ending of `name` stands for several types."""
    return ending_of(name) in _LOOKS


def told_apart(name: str, media_type: str, text: str) -> str:
    """Return the type of `text`, whose ending stands for `media_type` and for others."""
    for pattern, other in _LOOKS.get(ending_of(name), ()):
        if pattern.search(text[:16_000]):
            return other
    return media_type
