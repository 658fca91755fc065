"""LaTeX inside a paragraph to plain text and Markdown: one pass from left to right, formulas as they are written."""

from __future__ import annotations

import re
import unicodedata

_TOKEN = re.compile(r"\\(?:([A-Za-z@]+)\*?|(.)|$)|(\$\$?)|([{}~])|(---?|``|'')|\\?\n[ \t]*", re.S)
_ARGUMENT_CHARS = 2_000
_OPTIONAL = re.compile(r"[ \t]*\[[^\[\]]{0,500}\]")
_COMMENT = re.compile(r"(?<!\\)((?:\\\\){0,50})%.*")
_ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307",
    "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328", "r": "\u030a", "b": "\u0331",
    "d": "\u0323",
}  # fmt: skip
_SYMBOLS = {
    "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å",
    "i": "i", "j": "j", "ldots": "…", "dots": "…", "textellipsis": "…", "textbackslash": "\\", "textasciitilde": "~",
    "textasciicircum": "^", "LaTeX": "LaTeX", "TeX": "TeX", "BibTeX": "BibTeX", "S": "§", "P": "¶", "copyright": "©",
    "textcopyright": "©", "textregistered": "®", "texttrademark": "™", "pounds": "£", "euro": "€", "texteuro": "€",
    "dag": "†", "ddag": "‡", "textendash": "–", "textemdash": "—", "textquoteleft": "‘", "textquoteright": "’",
    "textquotedblleft": "“", "textquotedblright": "”", "textbar": "|", "textless": "<", "textgreater": ">",
    "textunderscore": "_", "quad": " ", "qquad": " ", "par": "\n\n", "newline": "\n", "linebreak": "\n",
    "textdegree": "°", "degree": "°", "textbullet": "•", "slash": "/", "space": " ",
    "aftergroup": "", "tabularnewline": "\n",
}  # fmt: skip
# What they name is no text: a place, a length, a style, a file.
_WITHOUT_ARGUMENTS = frozenset(
    ("label", "vspace", "hspace", "includegraphics", "usepackage", "documentclass", "bibliographystyle", "setlength",
     "addtolength", "pagestyle", "thispagestyle", "setcounter", "addtocounter", "newcommand", "renewcommand",
     "providecommand", "def", "input", "include", "bibliography", "addbibresource", "graphicspath", "color",
     "definecolor",
     "RequirePackage", "newtheorem", "theoremstyle", "DeclareMathOperator", "hypersetup", "geometry", "pagenumbering",
     "write", "openin", "openout", "read", "fontsize", "selectfont", "cline", "cmidrule", "multicolumn@", "rule",
     "newenvironment", "renewenvironment", "lstset", "captionsetup", "PassOptionsToPackage", "addcontentsline")
)  # fmt: skip
_CITES = frozenset(
    ("cite", "citep", "citet", "citealp", "citealt", "parencite", "textcite", "autocite", "footcite", "nocite")
)
_REFERENCES = frozenset(("ref", "eqref", "pageref", "autoref", "cref", "Cref", "nameref"))
_DROPPED_FIRST = {
    "multicolumn": 2, "multirow": 2, "textcolor": 1, "colorbox": 1, "parbox": 1, "raisebox": 1, "scalebox": 1,
    "resizebox": 2, "begin": 1, "end": 1, "fcolorbox": 2, "rotatebox": 1, "hyperlink": 1, "hypertarget": 1,
    "foreignlanguage": 1,
}  # fmt: skip


def without_comment(line: str) -> str:
    """Return a line of LaTeX up to its comment."""
    return _COMMENT.sub(r"\1", line, count=1) if "%" in line else line


def argument(text: str, at: int) -> tuple[str, int]:
    """Return what stands in the braces that open at or after `at`, and where they end; `("", at)` where none do."""
    start = at
    while start < len(text) and text[start] in " \t\n" and start - at < 100:
        start += 1
    if text[start : start + 1] != "{":
        return "", at
    depth = 0
    for end in range(start, min(len(text), start + _ARGUMENT_CHARS)):
        char = text[end]
        if char in "{}" and text[end - 1] != "\\":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return text[start + 1 : end], end + 1
    return "", at


def plain(text: str) -> str:
    """Return LaTeX `text` without its commands; their arguments stay where they are text."""
    if "\\" not in text and not any(char in text for char in "$~{}`'-"):
        return text
    out: list[str] = []
    at = 0
    while found := _TOKEN.search(text, at):
        out.append(text[at : found.start()])
        at = found.end()
        name, escaped, dollars, sign, mark = found.groups()
        if name:
            at = _command(name, text, at, out)
        elif escaped is not None:
            at = _escaped(escaped, text, at, out)
        elif dollars:
            end = text.find(dollars, at)
            end = len(text) if end < 0 else end + len(dollars)
            out.append(text[found.start() : end])
            at = end
        elif mark:
            out.append({"---": "—", "--": "–", "``": "“", "''": "”"}[mark])
        else:
            out.append({"~": " ", "{": "", "}": ""}.get(sign or "", found[0] if found[0] != "\\" else ""))
    out.append(text[at:])
    return "".join(out)


def _command(name: str, text: str, at: int, out: list[str]) -> int:
    """Write what the command stands for; return where the text goes on."""
    if name in _SYMBOLS:
        out.append(_SYMBOLS[name])
        return at + 1 if len(name) < 3 and text[at : at + 1] == " " else at
    if name in _ACCENTS:
        return _accent(name, text, at, out)
    if name == "item":
        return _item(text, at, out)
    return _with_arguments(name, text, _past_optional(text, at), out)


def _with_arguments(name: str, text: str, at: int, out: list[str]) -> int:
    if name in _WITHOUT_ARGUMENTS:
        return _past_arguments(text, at)
    if name in ("href", "url", "nolinkurl"):
        return _link(name, text, at, out)
    if name in _CITES or name in _REFERENCES:
        key, end = argument(text, at)
        out.append(f"[{key}]" if key else "")
        return end
    for _ in range(_DROPPED_FIRST.get(name, 0)):
        at = argument(text, at)[1]
    out.append(" " if name == "footnote" else "")
    at = _past_optional(text, at)
    behind_blank = len(out) < 2 or not out[-2] or out[-2][-1].isspace()
    return at + 1 if behind_blank and text[at : at + 1] == " " else at


def _past_optional(text: str, at: int) -> int:
    while skipped := _OPTIONAL.match(text, at):
        at = skipped.end()
    return at


def _accent(name: str, text: str, at: int, out: list[str]) -> int:
    letter, end = argument(text, at)
    if not letter and text[at : at + 1] == " ":
        letter, end = text[at + 1 : at + 2], at + 2
    out.append(_accented(name, letter))
    return end


def _past_arguments(text: str, at: int) -> int:
    for _ in range(4):
        end = argument(text, at)[1]
        skipped = _OPTIONAL.match(text, end)
        end = skipped.end() if skipped else end
        if end == at:
            break
        at = end
    return at


def _item(text: str, at: int, out: list[str]) -> int:
    label = _OPTIONAL.match(text, at)
    out.append("- ")
    if label:
        out.append(plain(label[0].strip()[1:-1]) + ": ")
        at = label.end()
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    return at


def _link(name: str, text: str, at: int, out: list[str]) -> int:
    target, at = argument(text, at)
    target = target.replace("\\", "")
    shown, at = argument(text, at) if name == "href" else ("", at)
    out.append(f"[{plain(shown)}]({target})" if shown else target)
    return at


def _escaped(char: str, text: str, at: int, out: list[str]) -> int:
    if char in "([":
        end = text.find({"(": "\\)", "[": "\\]"}[char], at)
        end = len(text) if end < 0 else end + 2
        out.append(text[at - 2 : end])
        return end
    if char in _ACCENTS and (letter := text[at : at + 1]):
        if letter == "{":
            inner, end = argument(text, at)
        elif letter == "\\":
            inner, end = text[at + 1 : at + 2], at + 2
        else:
            inner, end = letter, at + 1
        out.append(_accented(char, inner.replace("\\", "")))
        return end if end > at else at
    if char == "\\":
        skipped = _OPTIONAL.match(text, at)
        out.append("\n")
        return skipped.end() if skipped else at
    out.append("" if char in "/-!*" else " " if char in ",;: \n" else char)
    return at


def _accented(accent: str, letter: str) -> str:
    if not letter[:1].isalpha():
        return letter
    return unicodedata.normalize("NFC", letter[0] + _ACCENTS[accent]) + letter[1:]
