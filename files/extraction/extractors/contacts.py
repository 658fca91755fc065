"""Contacts (VCF): a segment per card, in versions 2.1 to 4.0; pictures and sounds are dropped."""

from __future__ import annotations

from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment
from files.extraction.errors import MalformedFile
from files.extraction.formats.mail.content_lines import ContentLine, read_content_lines
from files.extraction.limits import Limits

_LABELS = {
    "NICKNAME": "Nickname",
    "TITLE": "Title",
    "ROLE": "Role",
    "EMAIL": "E-mail",
    "TEL": "Phone",
    "IMPP": "Messaging",
    "URL": "Web",
    "BDAY": "Birthday",
    "ANNIVERSARY": "Anniversary",
    "CATEGORIES": "Categories",
    "GENDER": "Gender",
    "TZ": "Time zone",
    "LANG": "Language",
    "NOTE": "Note",
}
_IN_PARTS = {"ORG": "Organisation", "ADR": "Address"}
_DULL_TYPES = frozenset(("pref", "voice", "internet", "x-internet"))


class ContactsExtractor(Extractor):
    """Reads every card."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield a segment per contact. Raises MalformedFile when the file holds none."""
        card: _Card | None = None
        begun = 0
        for line in read_content_lines(source.path):
            is_card = line.value.strip().upper() == "VCARD"
            if line.name == "BEGIN" and is_card:
                if card is not None:
                    yield from card.segments(line.number)
                card, begun = _Card(line.number), begun + 1
            elif line.name == "END" and is_card and card is not None:
                yield from card.segments(line.number)
                card = None
            elif card is not None:
                card.add(line)
        if card is not None:
            yield from card.segments(card.start)
        if not begun:
            raise MalformedFile
        yield Metadata({"contact_count": begun})


class _Card:
    """One contact, while its lines are read."""

    def __init__(self, start: int) -> None:
        self.start = start
        self._full_name = ""
        self._name_parts = ""
        self._lines: list[str] = []

    def add(self, line: ContentLine) -> None:
        """Take one property."""
        if line.name == "FN":
            self._full_name = self._full_name or " ".join(line.text().split())
        elif line.name == "N":
            family, given, middle, prefix, suffix, *_ = [*line.parts(";"), "", "", "", "", ""]
            self._name_parts = " ".join(filter(None, (prefix, given, middle, family, suffix)))
        elif line.name in _IN_PARTS:
            shown = ", ".join(filter(None, line.parts(";")))
            self._add(_IN_PARTS[line.name], shown, line)
        elif line.name in _LABELS:
            shown = line.text()
            for scheme in ("mailto:", "tel:"):
                shown = shown.removeprefix(scheme)
            self._add(_LABELS[line.name], shown, line)

    def _add(self, label: str, shown: str, line: ContentLine) -> None:
        said = ",".join(line.parameters.get("TYPE", [])).lower().split(",")
        types = [kind for kind in said if kind and kind not in _DULL_TYPES]
        if shown:
            self._lines.append(f"{label} ({', '.join(types)}): {shown}" if types else f"{label}: {shown}")

    def segments(self, end: int) -> Iterator[Segment]:
        """Yield the contact as one passage; nothing for an empty card."""
        name = self._full_name or self._name_parts
        extra = [f"Name: {self._name_parts}"] if self._name_parts and self._name_parts != name else []
        text = "\n\n".join(filter(None, (f"## {name}" if name else "", "\n".join(extra + self._lines))))
        if text:
            headings = (name,) if name else ()
            yield Segment(text, place=Place(line=self.start, line_end=max(end, self.start), headings=headings))
