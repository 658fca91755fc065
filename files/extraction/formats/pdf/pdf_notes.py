"""What lies on a PDF page beside its text: comments, what is filled into a form, links."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from files.extraction.document import Place, Segment, SegmentKind

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_ANNOTATIONS = 2_000
_TEXT_BYTES = 40_000
_LINKS = 500
_FIELDS = 1_000
_SCHEMES = ("http://", "https://", "mailto:")


class PdfNotes:
    """Collects the notes of one document, page after page. Made before the first page is loaded: PDFium asks for it."""

    def __init__(self, document: PdfDocument) -> None:
        self._document = document
        self._form = document.formenv.raw if document.init_forms() and document.formenv else None
        self._links: dict[str, None] = {}
        self._fields: dict[str, None] = {}

    @property
    def facts(self) -> dict[str, object]:
        """Return what is known after the last page: addresses that links point to, names of form fields."""
        facts: dict[str, object] = {}
        if self._links:
            facts["links"] = list(self._links)
        if self._fields:
            facts["form_fields"] = list(self._fields)
        return facts

    def on(self, page: PdfPage, number: int) -> Iterator[Segment]:
        """Yield the comments on a page and what is filled into its form."""
        from pypdfium2 import raw

        for at in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _ANNOTATIONS)):
            note = raw.FPDFPage_GetAnnot(page.raw, at)
            if not note:
                continue
            try:
                text = self._text(note).strip()
            finally:
                raw.FPDFPage_CloseAnnot(note)
            if text:
                yield Segment(text, SegmentKind.NOTE, Place(page=number))

    def _text(self, note: Any) -> str:
        from pypdfium2 import raw

        kind = raw.FPDFAnnot_GetSubtype(note)
        if kind == raw.FPDF_ANNOT_WIDGET:
            return self._field(note)
        if kind == raw.FPDF_ANNOT_LINK:
            self._keep_link(note)
            return ""
        return _comment(_value(note, b"T"), _value(note, b"Contents")) if kind != raw.FPDF_ANNOT_POPUP else ""

    def _field(self, note: Any) -> str:
        """Return "name: value" of a filled field. PDFium's form knows names and values that lie on a parent."""
        from pypdfium2 import raw

        if self._form is None:
            name, value = _value(note, b"T"), _value(note, b"V")
        else:
            name = _filled(lambda *to: raw.FPDFAnnot_GetFormFieldName(self._form, note, *to))
            kind = raw.FPDFAnnot_GetFormFieldType(self._form, note)
            if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
                chosen = raw.FPDFAnnot_IsChecked(self._form, note)
                value = (
                    _filled(lambda *to: raw.FPDFAnnot_GetFormFieldExportValue(self._form, note, *to)) or "yes"
                ) * chosen
            elif kind == raw.FPDF_FORMFIELD_PUSHBUTTON:
                return ""
            else:
                value = _filled(lambda *to: raw.FPDFAnnot_GetFormFieldValue(self._form, note, *to))
        if name and len(self._fields) < _FIELDS:
            self._fields.setdefault(name)
        return f"{name}: {value}" if value.strip() else ""

    def _keep_link(self, note: Any) -> None:
        from pypdfium2 import raw

        if len(self._links) >= _LINKS or not (link := raw.FPDFAnnot_GetLink(note)):
            return
        action = raw.FPDFLink_GetAction(link)
        if not action or raw.FPDFAction_GetType(action) != raw.PDFACTION_URI:
            return
        size = min(raw.FPDFAction_GetURIPath(self._document.raw, action, None, 0), 4_000)
        buffer = ctypes.create_string_buffer(max(size, 1))
        raw.FPDFAction_GetURIPath(self._document.raw, action, buffer, size)
        address = buffer.value.decode("utf-8", "replace").strip()
        if address.lower().startswith(_SCHEMES):
            self._links.setdefault(address)


def _comment(author: str, text: str) -> str:
    if not text.strip():
        return ""
    return f"Comment by {author}: {text}" if author.strip() else text


def _value(note: Any, key: bytes) -> str:
    from pypdfium2 import raw

    return _filled(lambda *to: raw.FPDFAnnot_GetStringValue(note, key, *to))


def _filled(read: Callable[..., int]) -> str:
    """Return the UTF-16 text that one of PDFium's functions writes into (buffer, size)."""
    from pypdfium2 import raw

    size = min(read(None, 0), _TEXT_BYTES)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    read(ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")
