"""The facts that stand above a text, in YAML between `---` or in TOML between `+++`.

YAML is read line by line, without aliases, tags or nesting: what a page says about itself is flat.
"""

from __future__ import annotations

import re
import tomllib

YAML_MARK, TOML_MARK = "---", "+++"

_FACT = re.compile(r"([\w][\w .-]{0,60}):(?:[ \t]+(.*))?$")
_STANDARD = {
    "authors": "author", "summary": "description", "abstract": "description", "lang": "language", "date": "created",
    "lastmod": "modified", "last_modified": "modified", "updated": "modified", "tags": "keywords",
}  # fmt: skip


def facts_of(text: str, mark: str) -> dict[str, object] | None:
    """Return the facts of a front matter under their standard names; None when it is none."""
    if mark == TOML_MARK:
        try:
            found: dict[str, object] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError):
            return None
    else:
        found = _yaml(text)
        if not found and text.strip():
            return None
    for name, standard in _STANDARD.items():
        if name in found and standard not in found:
            found[standard] = found.pop(name)
    return found


def _yaml(text: str) -> dict[str, object]:
    """Return the plain `key: value` lines; lists and nested values come as their text."""
    facts: dict[str, object] = {}
    key = ""
    for line in text.split("\n"):
        if found := _FACT.match(line[:4_000]):
            key = found[1].strip().lower().replace(" ", "_")
            facts[key] = _value(found[2] or "")
        elif key and line.strip() and not line.lstrip().startswith("#"):
            more = _value(line.strip().removeprefix("- ").strip())
            facts[key] = f"{facts[key]}, {more}" if facts[key] else more
    return facts


def _value(text: str) -> str:
    text = text.strip()
    if text in ("|", ">", "|-", ">-"):
        return ""
    if text.startswith("[") and text.endswith("]"):
        return ", ".join(part.strip().strip("\"'") for part in text[1:-1].split(","))
    return text.strip("\"'")
