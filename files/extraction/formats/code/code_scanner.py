"""Definitions of source code found line by line: for languages without a grammar here, and where a grammar fails.

A definition reaches to the next one that is not indented deeper. Each pattern looks at the start of one line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from files.extraction.formats.code.code_definitions import FUNCTION, SCOPE, TYPE, Definition, Kind

_LINE_CHARS = 400
_NAMES = 10_000
_WORD = r"([A-Za-z_$][\w$.:!?'-]{0,199})"
_BEFORE = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|override|virtual|sealed"
    r"|open|inline|suspend|partial|pub(?:\([a-z]+\))?|unsafe|const|extern|local|data|case|fileprivate|mutating|export)\s+){0,6}"
)
_SQL_NAME = r'[`"\[]?([\w$.]+(?:[`"\]]\.[`"\[]?\w+)?)'

Pattern = tuple[Kind, re.Pattern[str]]


def _any(kind: Kind, words: str, name: str = _WORD, flags: re.RegexFlag = re.NOFLAG) -> Pattern:
    return kind, re.compile(rf"\s*{_BEFORE}(?:{words})\s+{name}", flags)


_COMMON: tuple[Pattern, ...] = (
    _any(FUNCTION, r"function\*?|def|fn|func|fun|sub|proc|procedure|subroutine|defp|defmacro|macro"),
    _any(TYPE, r"class|struct|interface|enum|trait|record|union|protocol|object|typedef struct"),
    _any(SCOPE, r"module|namespace|package|impl|extension|defmodule"),
)
_BRACED: tuple[Pattern, ...] = (
    (
        FUNCTION,
        re.compile(r"\s*(?:[\w<>\[\],.&*:~]+\s+){1,6}[*&]{0,2}([A-Za-z_~][\w:~]{0,199})\s*\([^;={}]*(?:\{|$)"),
    ),
    *_COMMON[1:],
)
_SQL = re.IGNORECASE
_BY_TYPE: dict[str, tuple[Pattern, ...]] = {
    "text/x-java": _BRACED,
    "text/x-c": _BRACED,
    "text/x-c++": _BRACED,
    "text/x-csharp": _BRACED,
    "text/x-dart": _BRACED,
    "text/x-groovy": (*_COMMON, _BRACED[0]),
    "text/x-solidity": (*_COMMON, _any(TYPE, r"contract|library")),
    "text/x-objective-c": (
        (FUNCTION, re.compile(r"[-+]\s*\([^)]{1,200}\)\s*(\w{1,200})")),
        (TYPE, re.compile(r"@(?:interface|implementation|protocol)\s+(\w{1,200})")),
        *_BRACED,
    ),
    "text/x-sql": (
        (FUNCTION, re.compile(
            rf"\s*create\s+(?:or\s+(?:replace|alter)\s+)?(?:function|procedure|proc|trigger|aggregate)\s+(?:if\s+not\s+exists\s+)?"
            rf"{_SQL_NAME}", _SQL)),
        (TYPE, re.compile(
            rf"\s*create\s+(?:or\s+replace\s+)?(?:(?:global|local|temp|temporary|unlogged|external|materialized|unique)\s+){{0,3}}"
            rf"(?:table|view|type|domain|schema|sequence|index)\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?{_SQL_NAME}",
            _SQL)),
    ),
    "text/x-r": ((FUNCTION, re.compile(r"\s*[`'\"]?([\w.]{1,200})[`'\"]?\s*(?:<-|=)\s*function\s*\(")),),
    "text/x-lua": (
        (FUNCTION, re.compile(r"\s*(?:local\s+)?function\s+([\w.:]{1,200})")),
        (FUNCTION, re.compile(r"\s*(?:local\s+)?([\w.]{1,200})\s*=\s*function\s*\(")),
    ),
    "text/x-perl": (_any(FUNCTION, "sub"), _any(SCOPE, "package")),
    "text/x-powershell": (
        _any(FUNCTION, r"function|filter|workflow", flags=_SQL),
        _any(TYPE, r"class|enum", flags=_SQL),
    ),
    "text/x-haskell": (
        (FUNCTION, re.compile(r"([a-z_][\w']{0,199})\s*::")),
        (TYPE, re.compile(
            r"(?:data|newtype|type|class)\s+(?:family\s+|instance\s+)?(?:[^=\n]{0,200}=>\s*)?([A-Z][\w']{0,199})")),
    ),
    "text/x-elixir": (
        (FUNCTION, re.compile(r"\s*(?:def|defp|defmacro|defmacrop|defguard)\s+([\w?!]{1,200})")),
        (TYPE, re.compile(r"\s*(?:defmodule|defprotocol|defimpl)\s+([\w.]{1,200})")),
    ),
    "text/x-hcl": ((TYPE, re.compile(
        r'(?:resource|data|module|variable|output|provider)\s+"([^"\n]{1,200})"(?:\s+"[^"\n]{1,200}")?\s*\{')),),
    "text/x-protobuf": (
        (FUNCTION, re.compile(r"\s*rpc\s+(\w{1,200})")),
        (TYPE, re.compile(r"\s*(?:message|enum|service)\s+(\w{1,200})")),
    ),
    "text/x-graphql": (
        (FUNCTION, re.compile(r"(?:query|mutation|subscription|fragment)\s+(\w{1,200})")),
        (TYPE, re.compile(r"(?:extend\s+)?(?:type|input|interface|enum|union|scalar|directive)\s+(@?\w{1,200})")),
    ),
    "text/css": ((FUNCTION, re.compile(r"\s*@(?:mixin|function|keyframes)\s+([\w-]{1,200})")),),
    "text/x-makefile": (
        (FUNCTION, re.compile(r"([A-Za-z0-9_./%-][\w./%-]{0,199})\s*::?(?![:=])")),
        (FUNCTION, re.compile(r"define\s+([\w.-]{1,200})")),
    ),
    "text/x-cmake": (
        (FUNCTION, re.compile(r"\s*(?:function|macro)\s*\(\s*([\w.-]{1,200})", _SQL)),
        (TYPE, re.compile(r"\s*add_(?:executable|library|custom_target)\s*\(\s*([^\s)]{1,200})", _SQL)),
    ),
    "text/x-dockerfile": ((TYPE, re.compile(r"\s*FROM\s+[^\n]{1,300}?\s+AS\s+([\w.-]{1,200})", _SQL)),),
    "text/x-bat": ((FUNCTION, re.compile(r"\s*:([\w.-]{1,200})\s*$")),),
    "text/x-shellscript": (
        (FUNCTION, re.compile(r"\s*(?:function\s+)?([\w:.-]{1,200})\s*\(\s*\)")),
        (FUNCTION, re.compile(r"\s*function\s+([\w:.-]{1,200})")),
    ),
    "text/x-julia": (*_COMMON, _any(TYPE, r"mutable struct|abstract type")),
    "text/x-matlab": (
        (FUNCTION, re.compile(r"\s*function\s+(?:[^=(\n]{0,200}=\s*)?([\w.]{1,200})")),
        (TYPE, re.compile(r"\s*classdef\s+(?:\([^)\n]{0,200}\)\s*)?(\w{1,200})")),
    ),
    "text/x-clojure": (
        (FUNCTION, re.compile(r"\s*\((?:defn-?|defmacro|defmulti|defmethod)\s+(?:\^\S+\s+)?([^\s()\[\]]{1,200})")),
        (TYPE, re.compile(r"\s*\((?:defrecord|deftype|defprotocol|definterface)\s+([^\s()\[\]]{1,200})")),
    ),
    "text/x-lisp": (
        (FUNCTION, re.compile(
            r"\s*\((?:defun|defmacro|defmethod|defgeneric|define(?:-syntax)?)\s+\(?([^\s()]{1,200})", _SQL)),
        (TYPE, re.compile(r"\s*\((?:defclass|defstruct|define-record-type)\s+\(?([^\s()]{1,200})", _SQL)),
    ),
    "text/x-erlang": ((FUNCTION, re.compile(r"([a-z]\w{0,199})\s*\(")), (SCOPE, re.compile(r"-module\((\w{1,200})"))),
    "text/x-ocaml": (
        (FUNCTION, re.compile(r"let\s+(?:rec\s+)?([a-z_][\w']{0,199})")),
        (TYPE, re.compile(r"(?:type|module|class)\s+(?:type\s+|rec\s+)?(?:'\w+\s+)?([\w']{1,200})")),
    ),
    "text/x-fsharp": (
        (FUNCTION, re.compile(
            r"\s*(?:let|member|override)\s+(?:rec\s+|inline\s+)?(?:\w+\.)?([a-zA-Z_][\w']{0,199})\s*[(\w]")),
        (TYPE, re.compile(r"\s*type\s+([\w']{1,200})")),
    ),
    "text/x-vb": (
        _any(FUNCTION, "sub|function", flags=_SQL),
        _any(TYPE, "class|module|structure|interface|enum", flags=_SQL),
    ),
    "text/x-fortran": (
        (FUNCTION, re.compile(r"\s*(?:[\w()*=]+\s+){0,4}(?<!end )(?:subroutine|function)\s+(\w{1,200})", _SQL)),
        (TYPE, re.compile(r"\s*(?:module|program)\s+(?!procedure)(\w{1,200})", _SQL)),
    ),
    "text/x-nim": (_any(FUNCTION, r"proc|func|method|template|macro|iterator", r"`?(\w{1,200})"),),
}  # fmt: skip
_NOT_A_NAME = frozenset(
    ("if", "for", "while", "switch", "return", "else", "catch", "new", "throw", "do", "case", "when", "elif", "sizeof",
     "end", ".PHONY")
)  # fmt: skip


def scan(media_type: str, lines: Sequence[str]) -> list[Definition]:
    """Return the definitions of `lines` in order, the first `_NAMES` of them."""
    patterns = _BY_TYPE.get(media_type, _COMMON)
    starts: list[tuple[Kind, str, int, int]] = []
    for number, line in enumerate(lines, 1):
        if found := _match(patterns, line[:_LINE_CHARS]):
            starts.append((*found, number, len(line) - len(line.lstrip())))
            if len(starts) == _NAMES:
                break
    return _with_ends(starts, len(lines))


def _match(patterns: Sequence[Pattern], line: str) -> tuple[Kind, str] | None:
    for kind, pattern in patterns:
        if (found := pattern.match(line)) and found[1] not in _NOT_A_NAME:
            return kind, found[1].rstrip(":.'-")
    return None


def _with_ends(starts: Sequence[tuple[Kind, str, int, int]], length: int) -> list[Definition]:
    """End each definition above the next one that is not indented deeper; read from the end, so each line once."""
    found: list[Definition] = []
    below: list[tuple[int, int]] = []  # indent and number of the starts further down, nearest last
    for kind, name, number, indent in reversed(starts):
        while below and below[-1][0] > indent:
            below.pop()
        found.append(Definition(kind, name, number, below[-1][1] - 1 if below else length))
        below.append((indent, number))
    return found[::-1]
