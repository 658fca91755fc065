"""One mail as segments: its subject, who wrote to whom and when, its text, and the files that hang on it.

Mails on their own, mails in a mailbox and saved web pages go through it; Outlook's own format shares the wording.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from files.extraction.document import Child, Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import MalformedFile
from files.extraction.formats.mail.mail_parts import MailFile, Part, file_name
from files.extraction.formats.markup.html_blocks import Walker, html_tree
from files.extraction.formats.markup.html_decoding import decode_page
from files.extraction.headings import HeadingPath

_SHOWN = (("From", "from"), ("To", "to"), ("Cc", "cc"), ("Bcc", "bcc"), ("Date", "sent_at"))
_WORDS = re.compile(r"\w+")
_LINK_TARGET = re.compile(r"\]\([^()\s]{0,400}\)")
_OWN_WORDS = 0.5  # a share of words that the plain form lacks, above which the page is read too
_PARAGRAPH_CHARS = 2_000
_ARMOURED = "-----BEGIN PGP MESSAGE-----"
_CIPHERS = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_SEALED = "The text of this mail is encrypted, so it cannot be read."
_WRAPPED = "The text of this mail is packed into its S/MIME signature, which is not opened."
_PLAIN = ("text/plain", "message/delivery-status", "text/enriched")
_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """What the head of a mail says."""

    subject: str
    facts: dict[str, object]


def read_mail(mail: MailFile, root: Part, place: Place, *, children: int) -> Iterator[Piece]:
    """Yield the pieces of a mail, all at `place`: at most `children` of its attachments are given out."""
    message = head_of(root)
    inner = replace(place, headings=(message.subject,)) if message.subject else place
    yield from opening(message, place)
    found = _Sorted()
    _sort(root, found, choice=0, saved_page=root.media_type == "multipart/related")
    yield from _texts(mail, found.bodies, inner)
    yield from _locked(root, inner)
    named = [(file_name(part, number), part) for number, part in enumerate(found.attached, 1)]
    given = [(name, part) for name, part in named if part.end > part.start]
    listed = [{"name": name, "media_type": part.media_type, "size": _size(part)} for name, part in named[:_LISTED]]
    yield Metadata(message.facts | {"attachments": listed, "attachment_count": len(named)})
    for name, part in given[:children]:
        yield Child(name, mail.chunks(part), place)


def head_of(root: Part) -> Message:
    """Return what the headers of a mail say, under the keys of its metadata."""
    headers = root.headers
    facts: dict[str, object] = {"subject": headers.text("subject"), "title": headers.text("subject")}
    facts |= {"from": headers.text("from"), "author": headers.text("from")}
    for key in ("to", "cc", "bcc"):
        facts[key] = headers.addresses(key)
    facts["sent_at"] = headers.sent_at()
    for key in ("message-id", "in-reply-to", "references", "reply-to", "list-id"):
        facts[key.replace("-", "_")] = headers.text(key)
    facts["url"] = headers.text("snapshot-content-location") or headers.text("content-location")
    return Message(headers.text("subject"), {key: value for key, value in facts.items() if value})


def opening(message: Message, place: Place) -> Iterator[Segment]:
    """Yield the subject as a heading, and under it who wrote to whom and when."""
    if message.subject:
        yield Segment(f"# {message.subject}", SegmentKind.HEADING, place)
    lines = []
    for label, key in _SHOWN:
        value = message.facts.get(key)
        if value:
            lines.append(f"{label}: {', '.join(value) if isinstance(value, list) else value}")
    if lines:
        headings = (message.subject,) if message.subject else ()
        yield Segment("\n".join(lines), SegmentKind.NOTE, replace(place, headings=headings))


def plain_segments(text: str, place: Place) -> Iterator[Segment]:
    """Yield the paragraphs of a plain body, short ones together."""
    held: list[str] = []
    size = 0
    for paragraph in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        if held and size + len(paragraph) > _PARAGRAPH_CHARS:
            yield Segment("\n\n".join(held), SegmentKind.PARAGRAPH, place)
            held, size = [], 0
        if paragraph.strip():
            held.append(paragraph.strip("\n"))
            size += len(paragraph)
    if held:
        yield Segment("\n\n".join(held), SegmentKind.PARAGRAPH, place)


def html_segments(text: str, place: Place) -> Iterator[Segment]:
    """Yield the blocks of an HTML body; nothing when there is no page in it."""
    if not text.strip():
        return
    try:
        root = html_tree(text)
    except MalformedFile:
        return
    for segment in Walker(HeadingPath()).walk(root):
        yield replace(segment, place=replace(place, headings=(*place.headings, *segment.place.headings)))


def what_page_adds(segments: list[Segment], plain: str) -> Iterator[Segment]:
    """Yield all of a page where the plain form of the same body says much less, else only the blocks with new words."""
    known = set(_WORDS.findall(plain.lower()))
    own = [set(_WORDS.findall(_LINK_TARGET.sub("", segment.text).lower())) - known for segment in segments]
    found = {word for segment in segments for word in _WORDS.findall(_LINK_TARGET.sub("", segment.text).lower())}
    much = len(set().union(*own)) > _OWN_WORDS * len(found)
    for segment, new in zip(segments, own, strict=True):
        if new or much or not known:
            yield segment


@dataclass(frozen=True, slots=True)
class _Body:
    part: Part
    choice: int
    is_page: bool


@dataclass(slots=True)
class _Sorted:
    """The parts of a mail that are its text, and those that are files."""

    bodies: list[_Body] = field(default_factory=list)
    attached: list[Part] = field(default_factory=list)


def _sort(part: Part, found: _Sorted, *, choice: int, saved_page: bool) -> None:
    """Sort a part and those in it. Bodies with the same `choice` above 0 are forms of one text."""
    kind = part.media_type
    if kind == "multipart/alternative":
        choice = choice or len(found.bodies) + 1
    if part.parts:
        for inner in part.parts:
            _sort(inner, found, choice=choice, saved_page=saved_page)
        return
    is_file = part.disposition.value == "attachment" or bool(part.name)
    if kind == "text/html" and (not is_file or saved_page):
        found.bodies.append(_Body(part, choice, is_page=True))
    elif (kind in _PLAIN or kind.startswith("multipart/")) and not is_file:
        found.bodies.append(_Body(part, choice, is_page=False))
    elif not _is_decoration(part):
        found.attached.append(part)


def _is_decoration(part: Part) -> bool:
    """Tell pictures and styles of a page, signatures and forms for programs from files that somebody sent."""
    if part.media_type in ("application/pgp-signature", "application/pkcs7-signature", "application/pgp-encrypted"):
        return True
    if part.media_type == "application/x-pkcs7-signature" or part.media_type in _CIPHERS:
        return True
    if part.disposition.value == "attachment":
        return False
    inline = "content-id" in part.headers or "content-location" in part.headers
    return (inline or not part.name) and part.media_type.startswith(("image/", "text/css", "text/x-amp", "font/"))


def _texts(mail: MailFile, bodies: list[_Body], place: Place) -> Iterator[Piece]:
    """Yield the text of a mail: the plain form, and the page where there is none or where it says more."""
    said: dict[int, str] = {}
    for body in sorted(bodies, key=lambda body: (body.choice, body.is_page) if body.choice else (0, False)):
        if not body.is_page:
            text = mail.text(body.part)
            if _ARMOURED in text:
                yield PieceWarning("encrypted", _SEALED, place)
                continue
            said[body.choice] = said.get(body.choice, "") + text
            yield from plain_segments(text, place)
            continue
        segments = list(html_segments(_page(mail, body.part), place))
        yield from what_page_adds(segments, said.get(body.choice, "") if body.choice else "")


def _page(mail: MailFile, part: Part) -> str:
    return mail.text(part) if part.content.parameters.get("charset") else decode_page(mail.data(part))[0]


def _locked(root: Part, place: Place) -> Iterator[PieceWarning]:
    """Yield a warning for a mail whose text only its receiver can open."""
    for part in root.walk():
        if part.media_type in _CIPHERS and "signed" in part.content.parameters.get("smime-type", ""):
            yield PieceWarning("signed_body", _WRAPPED, place)
        elif part.media_type in _CIPHERS or part.media_type == "multipart/encrypted":
            yield PieceWarning("encrypted", _SEALED, place)


def _size(part: Part) -> int:
    """Return about how many bytes an attachment has."""
    length = part.end - part.start
    return length * 3 // 4 if part.encoding == "base64" else length
