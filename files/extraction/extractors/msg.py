"""Outlook messages: who wrote to whom and when, the text in its best form, attachments and messages inside."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from files.extraction.base import Extractor, Source
from files.extraction.document import Child, Metadata, Piece, Place, Segment
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import MalformedFile
from files.extraction.formats.mail.mail_headers import Headers, read_headers, text_of
from files.extraction.formats.mail.mail_reading import Message, html_segments, opening, plain_segments, what_page_adds
from files.extraction.formats.mail.msg_properties import Properties, read_properties
from files.extraction.formats.markup.html_decoding import decode_page
from files.extraction.formats.office.ole import open_container
from files.extraction.formats.office.rtf_compressed import decompressed_rtf
from files.extraction.formats.office.rtf_text import RtfReader
from files.extraction.limits import Limits

_SUBJECT, _HEADERS, _SENT, _DELIVERED, _CREATED = 0x0037, 0x007D, 0x0039, 0x0E06, 0x3007
_BODY, _RTF, _HTML = 0x1000, 0x1009, 0x1013
_MESSAGE_ID, _REPLY_TO, _REFERENCES, _CLASS = 0x1035, 0x1042, 0x1039, 0x001A
_SENDERS = ((0x0C1A, (0x5D01, 0x0C1F)), (0x0042, (0x5D02, 0x0065)))
_RECEIVER_NAME, _RECEIVER_ADDRESSES, _RECEIVER_KIND = 0x3001, (0x39FE, 0x3003), 0x0C15
_FLAGS, _CONTENT_ID, _SHOWN_IN_PAGE = 0x3714, 0x3712, 4
_KINDS = {1: "to", 2: "cc", 3: "bcc"}
_FILE, _LONG_NAME, _SHORT_NAME, _SHOWN_NAME, _FILE_TYPE = 0x3701, 0x3707, 0x3704, 0x3001, 0x370E
_RECEIVERS = 1_000
_SEALED = "ipm.note.smime"


class MsgExtractor(Extractor):
    """Reads the plain text of a message, its HTML where that says more, its rich text where there is nothing else."""

    def extract(self, source: Source, limits: Limits, /) -> Iterator[Piece]:
        """Yield subject, addresses, text and attachments. Raises MalformedFile for what is no message."""
        with open_container(source, limits) as container:
            if not container.has("__properties_version1.0"):
                raise MalformedFile
            yield from _message(read_properties(container, "", 32), Place(), limits, depth=0)


def _message(found: Properties, place: Place, limits: Limits, *, depth: int) -> Iterator[Piece]:
    message = _head(found)
    inner = replace(place, headings=(message.subject,)) if message.subject else place
    yield from opening(message, place)
    yield from _text(found, inner, limits)
    if found.text(_CLASS).lower().startswith(_SEALED) and "multipartsigned" not in found.text(_CLASS).lower():
        yield PieceWarning("encrypted", "The text of this mail is encrypted, so it cannot be read.", inner)
    attached = list(found.inner("__attach_version1.0_"))[: limits.archive_entries]
    if depth == 0:
        listed = [
            {"name": _name(part), "media_type": part.text(_FILE_TYPE), "size": part.size(_FILE)} for part in attached
        ]
        yield Metadata(message.facts | {"attachments": listed, "attachment_count": len(attached)})
    for part in attached[: limits.children]:
        yield from _attachment(part, place, limits, depth=depth)


def _attachment(part: Properties, place: Place, limits: Limits, *, depth: int) -> Iterator[Piece]:
    name = _name(part)
    if path := part.message_path:
        if depth < limits.child_depth:
            inside = read_properties(part.container, path, 24, part.codec)
            yield from _message(inside, replace(place, part=(*place.part, name)), limits, depth=depth + 1)
        else:
            yield PieceWarning("child_not_read", f"{name} inside this file was not read: it lies too deep.", place)
    elif part.size(_FILE) and not _is_decoration(part):
        yield Child(name, (part.data(identity) for identity in (_FILE,)), place)


def _is_decoration(part: Properties) -> bool:
    """Tell a picture that the HTML of the message shows from one that somebody sent."""
    return bool(part.number(_FLAGS) & _SHOWN_IN_PAGE and part.text(_CONTENT_ID))


def _head(found: Properties) -> Message:
    headers = read_headers(io.BytesIO(text := found.text(_HEADERS).encode()), len(text))
    subject = found.text(_SUBJECT) or headers.text("subject")
    sender = _sender(found) or headers.text("from")
    facts: dict[str, object] = {"subject": subject, "title": subject, "from": sender, "author": sender}
    facts |= _receivers(found, headers)
    facts["sent_at"] = headers.sent_at() or found.time(_SENT) or found.time(_DELIVERED) or found.time(_CREATED)
    facts["message_id"] = found.text(_MESSAGE_ID) or headers.text("message-id")
    facts["in_reply_to"] = found.text(_REPLY_TO) or headers.text("in-reply-to")
    facts["references"] = found.text(_REFERENCES) or headers.text("references")
    return Message(subject, {key: value for key, value in facts.items() if value})


def _sender(found: Properties) -> str:
    for name, addresses in _SENDERS:
        if written := _address(found, name, addresses):
            return written
    return ""


def _receivers(found: Properties, headers: Headers) -> dict[str, object]:
    receivers: dict[str, list[str]] = {"to": [], "cc": [], "bcc": []}
    for receiver in islice(found.inner("__recip_version1.0_"), _RECEIVERS):
        written = _address(receiver, _RECEIVER_NAME, _RECEIVER_ADDRESSES)
        if written:
            receivers[_KINDS.get(receiver.number(_RECEIVER_KIND) & 0xF, "to")].append(written)
    return {key: written or headers.addresses(key) for key, written in receivers.items()}


def _address(found: Properties, name: int, addresses: tuple[int, ...]) -> str:
    """Return a name with its address; an address inside Exchange, which nobody outside can read, is left out."""
    shown = found.text(name).strip("'\"")
    address = next((text for identity in addresses if "@" in (text := found.text(identity))), "")
    if not shown or shown == address:
        return address or shown
    return f"{shown} <{address}>" if address else shown


def _text(found: Properties, place: Place, limits: Limits) -> Iterator[Segment]:
    plain = found.text(_BODY)
    yield from plain_segments(plain, place)
    page = _page(found)
    if page:
        yield from what_page_adds(list(html_segments(page, place)), plain)
    elif not plain and (packed := found.data(_RTF)):
        yield from _rich_text(decompressed_rtf(packed, limits.unpacked_for(len(packed))), place)


def _page(found: Properties) -> str:
    data = found.data(_HTML)
    if not data:
        return found.text(_HTML)
    return text_of(data, found.codec) if found.codec else decode_page(data)[0]


def _rich_text(data: bytes, place: Place) -> Iterator[Segment]:
    if b"\\fromhtml" in data[:1000]:
        page = "\n".join(block.text for block in RtfReader(data, as_html=True).blocks() if not block.is_note)
        yield from html_segments(page, place)
        return
    for block in RtfReader(data).blocks():
        text = block.text or "\n".join("\t".join(row) for row in block.rows)
        yield from plain_segments(text, place)


def _name(part: Properties) -> str:
    name = part.text(_LONG_NAME) or part.text(_SHORT_NAME) or part.text(_SHOWN_NAME) or "attachment"
    return f"{name}.msg" if part.message_path and not name.lower().endswith(".msg") else name
