"""The properties of an Outlook message, of its receivers and of its attachments. Source: [MS-OXMSG], [MS-OXPROPS]."""

from __future__ import annotations

import datetime
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from files.extraction.formats.mail.mail_headers import is_utf8, text_of
from files.extraction.formats.office.ole import Container, code_page_codec

_ENTRY = struct.Struct("<HHI8s")
_TEXTS = (("001F", True), ("001E", False))
_BODY_CODE_PAGE, _MESSAGE_CODE_PAGE = 0x3FDE, 0x3FFD
_WIDE = 1200
_FIRST_YEAR = 1980


@dataclass(frozen=True, slots=True)
class Properties:
    """What one storage holds: the message itself, a receiver, an attachment. `path` ends with `/` or is empty."""

    container: Container
    path: str
    fixed: dict[int, bytes]
    codec: str

    def text(self, identity: int) -> str:
        """Return a text, empty when it is not there."""
        for kind, is_wide in _TEXTS:
            name = f"{self.path}__substg1.0_{identity:04X}{kind}"
            if self.container.has(name):
                data = self.container.read(name)
                text = data.decode("utf-16-le", "replace") if is_wide else self._narrow(data)
                return text.replace("\0", "").strip()
        return ""

    def _narrow(self, data: bytes) -> str:
        if self.codec == "utf-8" and not is_utf8(data):  # told of the HTML body, not of this text
            return data.decode("cp1252", "replace")
        return text_of(data, self.codec)

    def data(self, identity: int) -> bytes:
        """Return a run of bytes, empty when it is not there."""
        name = f"{self.path}__substg1.0_{identity:04X}0102"
        return self.container.read(name) if self.container.has(name) else b""

    def size(self, identity: int) -> int:
        """Return how long a run of bytes is."""
        name = f"{self.path}__substg1.0_{identity:04X}0102"
        return self.container.size(name) if self.container.has(name) else 0

    def number(self, identity: int) -> int:
        """Return a whole number, 0 when it is not there."""
        return int.from_bytes(self.fixed.get(identity, b"")[:4], "little")

    def time(self, identity: int) -> str:
        """Return a time as ISO 8601 in UTC, empty when it is not there."""
        ticks = int.from_bytes(self.fixed.get(identity, b""), "little")
        try:
            found = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=ticks // 10)
        except OverflowError:
            return ""
        return found.isoformat(timespec="seconds") if found.year >= _FIRST_YEAR else ""

    def inner(self, prefix: str) -> Iterator[Properties]:
        """Yield the storages right under this one whose name starts with `prefix`: receivers or attachments."""
        depth = self.path.count("/")
        start = self.path.lower()
        names = {
            parts[depth]
            for parts in self.container.names()
            if len(parts) > depth + 1
            and "/".join(parts).lower().startswith(start)
            and parts[depth].lower().startswith(prefix)
        }
        for name in sorted(names):
            yield read_properties(self.container, f"{self.path}{name}/", 8, self.codec)

    @property
    def message_path(self) -> str:
        """Return where the message lies that an attachment is, empty when it is a file."""
        name = f"{self.path}__substg1.0_3701000D"
        return f"{name}/" if self.container.has(f"{name}/__properties_version1.0") else ""


def read_properties(container: Container, path: str, header: int, codec: str = "") -> Properties:
    """Return the properties of the storage at `path`, whose table begins after `header` bytes."""
    name = f"{path}__properties_version1.0"
    table = container.read(name) if container.has(name) else b""
    fixed = {}
    for at in range(header, len(table) - _ENTRY.size + 1, _ENTRY.size):
        _, identity, _, value = _ENTRY.unpack_from(table, at)
        fixed[identity] = value
    return Properties(container, path, fixed, _codec(fixed) or codec)


def _codec(fixed: dict[int, bytes]) -> str:
    """Return the encoding of a message's narrow texts, empty where it tells none."""
    for identity in (_MESSAGE_CODE_PAGE, _BODY_CODE_PAGE):
        page = int.from_bytes(fixed.get(identity, b"")[:4], "little")
        if page and page != _WIDE:
            return code_page_codec(page)
    return ""
