"""What a piece of source code imports, read from the statement's text."""

from __future__ import annotations

import re
from collections.abc import Iterator

_JVM = re.compile(r"\bimport\s+(?:(?:static|class|struct|func|enum|protocol|typealias|var|let)\s+)?`?([\w.]+)")
_SCRIPT = re.compile(r"""(?:\bfrom|\bimport|\brequire\s*\(|\bimport\s*\()\s*['"]([^'"\n]{1,300})['"]""")
_INCLUDE = re.compile(r"""(?m)^[ \t]*#[ \t]*(?:include|import)[ \t]*[<"]([^>"\n]{1,300})""")
_BY_TYPE: dict[str, re.Pattern[str]] = {
    "text/javascript": _SCRIPT,
    "text/x-typescript": _SCRIPT,
    "text/x-vue": _SCRIPT,
    "text/x-svelte": _SCRIPT,
    "text/x-java": _JVM,
    "text/x-kotlin": _JVM,
    "text/x-scala": _JVM,
    "text/x-swift": _JVM,
    "text/x-groovy": _JVM,
    "text/x-c": _INCLUDE,
    "text/x-c++": _INCLUDE,
    "text/x-objective-c": _INCLUDE,
    "text/x-csharp": re.compile(r"\busing\s+(?:static\s+)?(?:\w+\s*=\s*)?([\w.]+)\s*;"),
    "text/x-go": re.compile(r'(?m)^[ \t]*(?:import[ \t]+)?(?:[\w.]+[ \t]+)?"([^"\n]{1,300})"[ \t]*(?://.*)?$'),
    "text/x-rust": re.compile(r"\b(?:use|extern\s+crate)\s+(?:::)?([\w:]+)"),
    "text/x-ruby": re.compile(r"""(?m)^[ \t]*(?:require|require_relative|load)\b[ \t(]*['"]([^'"\n]{1,300})"""),
    "text/x-php": re.compile(
        r"""\buse\s+(?:function\s+|const\s+)?([\w\\]+)|\b(?:require|include)(?:_once)?\b[\s(]*['"]([^'"\n]{1,300})"""
    ),
    "text/x-shellscript": re.compile(r"(?m)^[ \t]*(?:source|\.)[ \t]+(\S{1,300})"),
    "text/x-perl": re.compile(r"(?m)^[ \t]*(?:use|require)[ \t]+([A-Za-z][\w:]*)"),
    "text/x-lua": re.compile(r"""\brequire[ \t]*\(?[ \t]*['"]([^'"\n]{1,300})"""),
    "text/x-r": re.compile(r"""\b(?:library|require|requireNamespace)[ \t]*\([ \t]*['"]?([\w.]+)"""),
    "text/x-haskell": re.compile(r"(?m)^import[ \t]+(?:qualified[ \t]+)?([\w.]+)"),
    "text/x-elixir": re.compile(r"(?m)^[ \t]*(?:import|alias|use|require)[ \t]+([A-Z][\w.]*)"),
    "text/x-protobuf": re.compile(r'(?m)^[ \t]*import[ \t]+(?:public[ \t]+|weak[ \t]+)?"([^"\n]{1,300})'),
    "text/css": re.compile(r"""@(?:import|use|forward)[ \t]+(?:url\()?['"]?([^'")\s;]{1,300})"""),
    "text/x-dockerfile": re.compile(r"(?mi)^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)?(\S{1,300})"),
    "text/x-makefile": re.compile(r"(?m)^[-s]?include[ \t]+(\S{1,300})"),
    "text/x-powershell": re.compile(r"(?mi)^[ \t]*(?:Import-Module|using[ \t]+module|\.)[ \t]+(\S{1,300})"),
    "text/x-hcl": re.compile(r'(?m)^[ \t]*source[ \t]*=[ \t]*"([^"\n]{1,300})"'),
    "text/x-dart": re.compile(r"""(?m)^[ \t]*(?:import|export)[ \t]+['"]([^'"\n]{1,300})"""),
    "text/x-julia": re.compile(r"(?m)^[ \t]*(?:using|import)[ \t]+([\w.]+)"),
    "text/x-ocaml": re.compile(r"(?m)^[ \t]*open!?[ \t]+([\w.]+)"),
    "text/x-fsharp": re.compile(r"(?m)^[ \t]*open[ \t]+([\w.]+)"),
    "text/x-vb": re.compile(r"(?mi)^[ \t]*Imports[ \t]+([\w.]+)"),
    "text/x-erlang": re.compile(r"""(?m)^-include(?:_lib)?\("([^"\n]{1,300})"""),
    "text/x-zig": re.compile(r'@import\("([^"\n]{1,300})"'),
    "text/x-nim": re.compile(r"(?m)^[ \t]*(?:import|from|include)[ \t]+([\w/.]+)"),
}
_PYTHON_FROM = re.compile(r"\s*from\s+([.\w]+)\s+import\b")
_PYTHON_IMPORT = re.compile(r"\s*import\s+([\w.,\s\\]+)")
# Where an import is a call like any other, the whole text is looked through instead of the tree.
BY_CALL = frozenset(
    (
        "text/javascript",
        "text/x-typescript",
        "text/x-ruby",
        "text/x-php",
        "text/x-shellscript",
        "text/x-c",
        "text/x-c++",
    )
)


def imported_names(media_type: str, text: str) -> Iterator[str]:
    """Yield the names that `text`, a statement or a whole file, imports, as they are written."""
    if media_type == "text/x-python":
        yield from _python(text)
    elif pattern := _BY_TYPE.get(media_type):
        for match in pattern.finditer(text):
            name = next((group for group in match.groups() if group), "").rstrip(":.,")
            if name:
                yield name


def _python(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if found := _PYTHON_FROM.match(line):
            yield found[1]
        elif found := _PYTHON_IMPORT.match(line):
            for name in found[1].split(","):
                if word := name.split()[:1]:
                    yield word[0]
