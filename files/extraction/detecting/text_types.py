"""What kind of text a text is, by a look at its beginning: openings that prove a type, and looks that suggest one.

`detection` calls this after signatures found nothing. Every pattern is linear: bounded repetitions, no nesting.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable

from files.extraction.media_types import PLAIN

_HTML = re.compile(r"\s*(?:<!--.{0,2000}?-->\s*){0,9}<(?:!doctype\s+html|html|head|body|title|frameset)\b", re.I | re.S)
_XML = re.compile(r"\s*(?:<\?xml\b|<!DOCTYPE\s)")
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]{0,200})")
_XML_PROLOG = re.compile(r"<\?.{0,2000}?\?>|<!--.{0,4000}?-->|<!DOCTYPE[^>\[]*(?:\[.{0,4000}?\])?[^>]*>", re.S)
_NAMESPACED = re.compile(r"\s*<[A-Za-z_][\w.:-]{0,200}\s[^<>]{0,2000}?\bxmlns(?::\w{1,50})?=[\"']")
_ELEMENT = re.compile(r"\s*<([A-Za-z_][\w.:-]{0,100})(?:\s[^<>]{0,2000})?>")
_OTHER_XML = re.compile(r"\s*<(?:rss|feed|TS|plist|project|urlset|opml|kml|gpx)\b")
_JSON = re.compile(r'\s*(?:\{\s*(?:"(?:[^"\\]|\\.){0,500}"\s*:|\})|\[\s*(?:[\[{"\]]|-?\d|true|false|null))')
# An object that has a key, or a list of such.
_JSON_CERTAIN = re.compile(r'\s*(?:\[\s*)?\{\s*"(?:[^"\\]|\\.){0,500}"\s*:')
_JSON_START = re.compile(r'\s*(?:[\[{"0-9tfn/-]|$)')
_NOTEBOOK = re.compile(r'\s*\{(?=.{0,400}?"(?:cells|nbformat)"\s*:)(?=.*?"(?:cell_type|nbformat_minor)"\s*:)', re.S)
_CUE = re.compile(r"\s*\d{1,6}[ \t]*\r?\n\s*\d{1,3}:\d\d:\d\d[,.]\d{1,3}[ \t]*-->")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,70}):(?:[ \t]|$)")
_TEX = re.compile(r"(?m)^[ \t]{0,20}\\(?:documentclass|documentstyle|begin\{document\}|usepackage\b)")
_TEX_START = re.compile(r"\s*(?:%[^\n]{0,400}\n\s*){0,40}\\(?:documentclass|documentstyle|begin\{document\})")
_MARKDOWN = re.compile(r"(?m)^(?:#{1,6} \S|```|\|[ :|-]*--[ :|-]*\|\s*$|\[[^\]\n]{1,80}\]: \S)")
_MARKDOWN_BODY = re.compile(r"(?m)^(?:```|\|[ :|-]*--[ :|-]*\|\s*$|\[[^\]\n]{1,80}\]: \S)|\]\(\S")
_SECTION = re.compile(r"(?m)^\[\[?[^\]\n=,]{1,200}\]\]?[ \t]*(?:[#;].*)?$")
_SETTING = re.compile(r"(?m)^[ \t]{0,20}[\w.\"'-]{1,100}[ \t]{0,20}=[ \t]{0,20}(.*)$")
_TOML_VALUE = re.compile(r"(?:[\"'\[{]|true\b|false\b|[+-]?\d[\d_.eE+:TZ-]*\s*(?:#.*)?$)")
_LOG_LINE = re.compile(r"[\[(]?\d{4}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d|[\[(]?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ")
_RST = re.compile(
    r"(?m)^\.\. (?:_[^:\n]{1,100}:|[a-z-]{3,30}::)|^([=~*^\"-])\1{3,200}[ \t]*\n\S.{0,199}\n\1{4,200}[ \t]*$"
)
_SHEBANGS = (
    ("python", "text/x-python"), ("node", "text/javascript"), ("deno", "text/x-typescript"), ("perl", "text/x-perl"),
    ("ruby", "text/x-ruby"), ("php", "text/x-php"), ("lua", "text/x-lua"), ("Rscript", "text/x-r"),
    ("groovy", "text/x-groovy"), ("swift", "text/x-swift"), ("make", "text/x-makefile"), ("awk", "text/x-awk"),
    ("tclsh", "text/x-tcl"), ("wish", "text/x-tcl"), ("runghc", "text/x-haskell"), ("runhaskell", "text/x-haskell"),
    ("elixir", "text/x-elixir"), ("escript", "text/x-erlang"), ("julia", "text/x-julia"), ("pwsh", "text/x-powershell"),
    ("scala", "text/x-scala"), ("kotlin", "text/x-kotlin"),
)  # fmt: skip
_FLAT_ODF = re.compile(
    r"""office:mimetype=["'](application/vnd\.oasis\.opendocument\.(?:text|spreadsheet|presentation|graphics))"""
)
_OPENINGS = {
    "<SVG": "image/svg+xml",
    "<?PHP": "text/x-php",
    "WEBVTT": "text/vtt",
    "BEGIN:VCALENDAR": "text/calendar",
    "BEGIN:VCARD": "text/vcard",
}
_MAIL_FIELDS = frozenset(("from", "to", "subject", "date", "cc", "reply-to", "sender", "content-type"))
_MAIL_MARKS = frozenset(("received", "return-path", "message-id", "delivered-to", "mime-version", "x-mozilla-status"))
_HEADER_LINES = 200
_LOOKED_AT = 8 * 1024
_EMPTY_LINES = re.compile(r"\n{3,}")


def by_opening(text: str) -> str | None:
    """Return a type whose first words cannot be anything else."""
    if _HTML.match(text):
        return "text/html"
    if _XML.match(text) or _OTHER_XML.match(text):
        return _xml_type(text)
    start = text.lstrip()
    first = start[:20].upper()
    known = next((media_type for opening, media_type in _OPENINGS.items() if first.startswith(opening)), None)
    return known or ("application/x-subrip" if _CUE.match(text) else None)


def by_looks(text: str) -> str:
    """Return the type that `text` looks like; plain text when it looks like nothing else."""
    if text.startswith("#!"):
        line = text[:200].partition("\n")[0]
        return next((media_type for word, media_type in _SHEBANGS if word in line), "text/x-shellscript")
    beginning = _EMPTY_LINES.sub("\n\n", text[:_LOOKED_AT])
    return next((media_type for media_type, fits in _LOOKS if fits(beginning)), None) or _json_or_table(text) or PLAIN


def contradicts(media_type: str, text: str) -> bool:
    """Tell whether `text` cannot be of the text type `media_type`, which always shows where it is."""
    shows = _ALWAYS_SHOWN.get(media_type)
    return bool(text.strip()) and shows is not None and not shows(text)


def is_json(text: str) -> bool:
    """Tell whether `text` starts as JSON does."""
    return bool(_JSON.match(text))


def json_type(text: str) -> str:
    """Return which kind of JSON `text` is: a notebook, lines, or plain."""
    if _NOTEBOOK.match(text):
        return "application/x-ipynb+json"
    lines = [line.strip() for line in text.split("\n", 3)[:3] if line.strip()]
    as_lines = len(lines) > 1 and all(line.startswith("{") and line.endswith("}") for line in lines[:2])
    return "application/x-ndjson" if as_lines else "application/json"


def by_clear_looks(text: str) -> str | None:
    """Return the type of a text that can hardly be the table or the plain text that its name claims."""
    if _JSON_CERTAIN.match(text):
        return json_type(text)
    if is_mail(text, certainly=True):
        return "message/rfc822"
    return "text/x-tex" if _TEX_START.match(text) else None


def is_mail(text: str, *, certainly: bool = False) -> bool:
    """Tell whether `text` starts with the header of a message.

    `certainly`: with three fields of mail, one of which a person would not write.
    """
    names = _field_names(text)
    if certainly:
        return len(names & _MAIL_MARKS) >= 1 and len(names & (_MAIL_FIELDS | _MAIL_MARKS)) >= 3
    return len(names & (_MAIL_FIELDS | _MAIL_MARKS)) >= 2 and bool(names & (_MAIL_MARKS | {"from"}))


def _xml_type(text: str) -> str:
    root = _ROOT.search(_XML_PROLOG.sub("", text))
    local = root[1].rpartition(":")[2].lower() if root else ""
    if local == "document" and (flat := _FLAT_ODF.search(text)):
        return f"{flat[1]}-flat-xml"
    return {"html": "text/html", "svg": "image/svg+xml"}.get(local, "application/xml")


def _field_names(text: str) -> set[str]:
    """Return the names of the header fields that `text` starts with; nothing when a line is none."""
    names: set[str] = set()
    for line in text.split("\n", _HEADER_LINES)[:_HEADER_LINES]:
        if not line.strip():
            break
        if line[0] in " \t" and names:
            continue
        field = _HEADER.match(line)
        if not field:
            # A message may begin with the line that separates it from others; the last one may be cut off.
            if not names and line.startswith(("From ", ">From ")):
                continue
            return names if len(names) > 3 else set()
        names.add(field[1].lower())
    return names


def _is_mailbox(text: str) -> bool:
    first, _, rest = text.partition("\n")
    if not re.match(r"From \S.{0,200}\d{4}\s*$", first):
        return first.startswith("From ") and is_mail(rest)
    return is_mail(rest) or bool(re.search(r"\n\r?\nFrom \S[^\n]{0,200}\d{4}\s*\n", rest))


def _is_xml(text: str) -> bool:
    """Tell XML that does not say so by a namespace, or by an element at the start that is closed."""
    root = _ELEMENT.match(text)
    return bool(_NAMESPACED.match(text)) or (root is not None and f"</{root[1]}" in text)


def _is_log(text: str) -> bool:
    lines = [line for line in text.split("\n")[:40] if line.strip()]
    return len(lines) >= 2 and sum(bool(_LOG_LINE.match(line)) for line in lines) * 2 > len(lines)


def _settings(text: str) -> str:
    sections, values = len(_SECTION.findall(text)), _SETTING.findall(text)
    lines = sum(bool(line.strip()) and line[0] not in "#; \t]}" for line in text.split("\n"))
    if not sections or not values or (sections + len(values)) * 2 < lines:
        return ""
    quoted = all(_TOML_VALUE.match(value) for value in values)
    return "application/toml" if quoted else "text/x-ini"


def _is_yaml(text: str) -> bool:
    if text.startswith(("%YAML", "---\n", "---\r\n")):
        return not _MARKDOWN_BODY.search(text) and "\n---" not in text[3:2000]
    lines = [line for line in text.split("\n")[:-1][:40] if line.strip() and not line.lstrip().startswith("#")]
    keys = sum(bool(re.match(r"\s*(?:- )?[\w.\"'/-]{1,60}:(?:\s|$)", line)) for line in lines)
    entries = sum(line.lstrip().startswith("- ") for line in lines)
    return (
        len(lines) >= 3
        and keys >= 3
        and (keys + entries) * 10 >= len(lines) * 9
        and any(line.startswith("  ") or line.rstrip().endswith(":") for line in lines)
    )


def _is_markdown(text: str) -> bool:
    return len(_MARKDOWN.findall(text)) >= 2


def _is_rst(text: str) -> bool:
    return len(_RST.findall(text)) >= 2


def _json_or_table(text: str) -> str | None:
    if is_json(text):
        return json_type(text)
    lines = [line for line in text.split("\n")[:-1][:20] if line.strip()]
    if len(lines) < 3:
        return None
    for mark, media_type in (("\t", "text/tab-separated-values"), (",", "text/csv"), (";", "text/csv")):
        widths = _widths(lines, mark)
        if len(widths) == 1 and widths.pop() > (1 if mark == "\t" else 2):
            return media_type
    return None


def _widths(lines: list[str], mark: str) -> set[int]:
    """Return how many fields the rows have."""
    if mark not in lines[0]:
        return set()
    try:
        return {len(row) for row in csv.reader(lines, delimiter=mark) if row}
    except csv.Error:
        return set()


_LOOKS: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("application/mbox", _is_mailbox),
    ("message/rfc822", is_mail),
    ("application/xml", _is_xml),
    ("text/x-tex", _TEX.search),
    ("text/x-log", _is_log),
    ("application/toml", lambda text: _settings(text) == "application/toml"),
    ("text/x-ini", lambda text: _settings(text) == "text/x-ini"),
    ("text/x-rst", _is_rst),
    ("application/yaml", _is_yaml),
    ("text/markdown", _is_markdown),
)
# What every file of the type has at its beginning: an ending that claims the type without it is wrong.
_ALWAYS_SHOWN: dict[str, Callable[[str], object]] = {
    "application/json": _JSON_START.match,
    "application/x-ndjson": _JSON_START.match,
    "application/x-ipynb+json": re.compile(r"\s*\{").match,
    "application/xml": re.compile(r"\s*<").match,
    "image/svg+xml": re.compile(r"\s*<").match,
    "application/rtf": re.compile(r"\s*\{\\rtf").match,
    "text/calendar": re.compile(r"(?i)\s*BEGIN:").match,
    "text/vcard": re.compile(r"(?i)\s*BEGIN:").match,
    "application/x-subrip": re.compile(r"-->").search,
    "text/vtt": re.compile(r"WEBVTT|-->").search,
    "message/rfc822": _field_names,
    "application/mbox": re.compile(r"\s*(?:>?From |[A-Za-z][A-Za-z0-9-]{0,70}:)").match,
}
