"""What is inside an archive, as a list and as findings: names are judged here, and never used as paths.

The readers of each archive format give `Entry` objects; `archives` turns the listing into pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from files.extraction.limits import Limits
from files.extraction.markdown_table import NumberedRow

_COUNTED = 10  # times the limit of listed entries: beyond that even counting stops
_NAME_CHARS = 1_000
_PART_CHARS = 255
_SHOWN_CHARS = 300
_EXAMPLES = 5
_NESTED = 50

_CONTROLS = re.compile("[\x00-\x1f\x7f\x80-\x9f]")
_DISGUISES = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DRIVE = re.compile(r"[A-Za-z]:")
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?")
_ARCHIVES = re.compile(r"(?i)\.(?:zip|jar|war|apk|7z|rar|tar|tgz|tbz2?|txz|tzst|gz|bz2|xz|zst|lz4|cab|iso|deb|rpm|ar)$")

# What is said of each finding; {n} counts the entries. The order is the order of the report.
_SENTENCES = {
    "path_traversal": "{n} would be written outside the folder it is unpacked into (`..` in the name).",
    "absolute_path": "{n} would be written to an absolute path.",
    "drive_letter": "{n} would be written to a drive by its letter.",
    "backslash_in_name": "{n} with a backslash in the name, which some systems take for a folder.",
    "link_outside": "{n} linked to a place outside the archive.",
    "path_through_link": "{n} would be written through a link that the archive itself makes.",
    "device_node": "{n} for a device, a socket or a pipe.",
    "control_characters": "{n} with control characters in the name.",
    "disguised_name": "{n} with invisible or direction-changing characters in the name.",
    "reserved_name": "{n} with a name that Windows reserves or changes.",
    "name_too_long": "{n} with a name that is too long for common file systems.",
    "duplicate_name": "{n} with the name of an earlier one, which it would replace.",
    "overlapping_entries": "{n} sharing bytes with another one, as in archives made to explode.",
    "archive_bomb": "{n} unpacking to far more than its size allows.",
    "set_user_id": "{n} that would run with the rights of its owner.",
    "encrypted_entries": "{n} behind a password.",
    "nested_archives": "{n} that is an archive itself.",
}
_HARMLESS = ("encrypted_entries", "nested_archives", "set_user_id")
_READABLE = (*_HARMLESS, "backslash_in_name", "reserved_name", "duplicate_name")  # no danger to who unpacks elsewhere


class EntryKind(StrEnum):
    """What an archive's entry is."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as its archive tells it: nothing here is trusted. Sizes in bytes, None where they are not told.

    `modified` is ISO 8601. `suspect` holds codes of findings that only the format's reader can see.
    """

    name: str
    size: int | None = None
    packed: int | None = None
    modified: str = ""
    kind: EntryKind = EntryKind.FILE
    target: str = ""
    encrypted: bool = False
    suspect: tuple[str, ...] = ()


@dataclass(slots=True)
class _Finding:
    count: int = 0
    examples: list[str] = field(default_factory=list)


class Listing:
    """Takes entries one by one; knows the totals, the findings, and which entries are not to be opened."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._findings: dict[str, _Finding] = {}
        self._names: set[int] = set()
        self._links: set[str] = set()
        self._dates: tuple[str, str] = ("", "")
        self.rows: list[NumberedRow] = []
        self.not_to_open: set[int] = set()
        self.nested: list[str] = []
        self.count = self.unsafe = self.folders = self.encrypted = self.total = self.packed = 0
        self.stopped = False

    @property
    def is_cut(self) -> bool:
        """Tell whether there are more entries than are listed."""
        return self.count > len(self.rows)

    @property
    def has_bomb(self) -> bool:
        """Tell whether an entry unpacks to far more than its size allows."""
        return "archive_bomb" in self._findings

    def take(self, entries: Iterator[Entry]) -> None:
        """Add `entries` until the count passes reason. What they raise passes through; what came before stays."""
        for entry in entries:
            if self.count >= self._limits.archive_entries * _COUNTED:
                self.stopped = True
                return
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Add one entry."""
        codes = [*_name_codes(entry.name), *entry.suspect, *self._codes_in_context(entry)]
        for code in dict.fromkeys(codes):
            self._note(code, entry.name)
        if any(code not in _HARMLESS for code in codes):
            self.unsafe += 1
        if any(code not in _READABLE for code in codes):
            self.not_to_open.add(self.count)
        self.count += 1
        self.folders += entry.kind is EntryKind.FOLDER
        self.encrypted += entry.encrypted
        self.total += entry.size or 0
        self.packed += entry.packed or 0
        if entry.modified:
            oldest, newest = self._dates
            self._dates = (min(oldest or entry.modified, entry.modified), max(newest, entry.modified))
        if len(self.rows) < self._limits.archive_entries:
            self.rows.append((self.count, _row(entry)))

    def facts(self, file_size: int) -> dict[str, object]:
        """Return the metadata of the whole archive, whose file has `file_size` bytes."""
        packed = self.packed or file_size
        facts: dict[str, object] = {
            "entry_count": self.count,
            "folder_count": self.folders,
            "total_size": self.total,
            "packed_size": packed,
            "ratio": round(self.total / packed, 2) if packed else 0.0,
            "encrypted": self.encrypted > 0,
            "unsafe_entries": self.unsafe,
            "findings": [self._told(code) for code in _SENTENCES if code in self._findings],
        }
        if self.nested:
            facts["nested_archives"] = self.nested
        if self._dates[1]:
            facts["oldest"], facts["newest"] = self._dates
        return facts

    def _codes_in_context(self, entry: Entry) -> Iterator[str]:
        """Yield what is wrong with an entry beside its name: links, sizes, and what came before it."""
        path = _normal(entry.name)
        yield from self._link_codes(entry, path)
        if entry.kind is EntryKind.SPECIAL:
            yield "device_node"
        if self._explodes(entry):
            yield "archive_bomb"
        if entry.encrypted:
            yield "encrypted_entries"
        if entry.kind is EntryKind.FILE and _ARCHIVES.search(entry.name):
            yield "nested_archives"
            if len(self.nested) < _NESTED:
                self.nested.append(entry.name[:_SHOWN_CHARS])
        key = hash(path)
        if key in self._names and entry.kind is not EntryKind.FOLDER:
            yield "duplicate_name"
        self._names.add(key)

    def _link_codes(self, entry: Entry, path: str) -> Iterator[str]:
        if self._links and any(parent in self._links for parent in _parents(path)):
            yield "path_through_link"
        if entry.kind in (EntryKind.SYMLINK, EntryKind.HARDLINK):
            if _leads_out(entry, path):
                yield "link_outside"
            if len(self._links) < self._limits.archive_entries:
                self._links.add(path)

    def _explodes(self, entry: Entry) -> bool:
        if entry.size is None or entry.packed is None:
            return False
        return entry.size > max(self._limits.unpacked_floor, entry.packed * self._limits.unpacked_ratio)

    def _note(self, code: str, name: str) -> None:
        finding = self._findings.setdefault(code, _Finding())
        finding.count += 1
        if len(finding.examples) < _EXAMPLES:
            finding.examples.append(_shown(name))

    def _told(self, code: str) -> dict[str, object]:
        finding = self._findings[code]
        counted = "One entry" if finding.count == 1 else f"{finding.count} entries"
        sentence = _SENTENCES[code].replace("{n}", counted)
        return {"code": code, "count": finding.count, "message": sentence, "examples": finding.examples}


def iso_time(seconds: float) -> str:
    """Return a Unix time as ISO 8601, nothing for one that no archive's file can have."""
    if not 0 < seconds < 1 << 34:
        return ""
    return datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def dos_time(packed: int) -> str:
    """Return a DOS date and time as ISO 8601; nothing for one that is none."""
    date, time = packed >> 16, packed & 0xFFFF
    try:
        moment = datetime(
            1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, min(59, (time & 31) * 2)
        )
    except ValueError:
        return ""
    return moment.isoformat(timespec="seconds") if date else ""


def _name_codes(name: str) -> Iterator[str]:
    if "\\" in name:
        yield "backslash_in_name"
    path = name.replace("\\", "/")
    parts = path.split("/")
    if ".." in parts:
        yield "path_traversal"
    if path.startswith("/"):
        yield "absolute_path"
    if _DRIVE.match(path):
        yield "drive_letter"
    if _CONTROLS.search(name):
        yield "control_characters"
    if _DISGUISES.search(name):
        yield "disguised_name"
    if len(name) > _NAME_CHARS or any(len(part) > _PART_CHARS for part in parts):
        yield "name_too_long"
    if any(_RESERVED.fullmatch(part) or (part.endswith((" ", ".")) and part not in (".", "..")) for part in parts):
        yield "reserved_name"


def _leads_out(entry: Entry, path: str) -> bool:
    """Tell whether a link points outside. A symbolic one starts at its own folder, a hard one at the top."""
    target = entry.target.replace("\\", "/")
    if target.startswith("/") or _DRIVE.match(target):
        return True
    depth = path.count("/") if entry.kind is EntryKind.SYMLINK else 0
    for part in target.split("/"):
        if part == "..":
            depth -= 1
        elif part not in ("", "."):
            depth += 1
        if depth < 0:
            return True
    return False


def _normal(name: str) -> str:
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _parents(path: str) -> Iterator[str]:
    at = path.find("/")
    while 0 < at < _NAME_CHARS:
        yield path[:at]
        at = path.find("/", at + 1)


def _shown(name: str) -> str:
    """Return `name` for a person: what cannot be seen is written out."""
    clean = _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", name)
    clean = _DISGUISES.sub(lambda found: f"\\u{ord(found[0]):04x}", clean)
    return clean if len(clean) <= _SHOWN_CHARS else clean[: _SHOWN_CHARS - 1] + "…"


def _row(entry: Entry) -> list[str]:
    name = _shown(entry.name) or "(no name)"
    if entry.kind is EntryKind.FOLDER and not name.endswith("/"):
        name += "/"
    if entry.target:
        name += f" -> {_shown(entry.target)}"
    size = "" if entry.size is None or entry.kind is EntryKind.FOLDER else str(entry.size)
    return [name, size, entry.modified.replace("T", " ")]
