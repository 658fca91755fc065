"""Who reads which type: one line per format. A new format is one module, one line here, one folder of samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module

from files.extraction.base import Extractor
from files.extraction.errors import UnsupportedFormat
from files.extraction.media_types import DOCM, DOCX, ENCRYPTED_OFFICE, KNOWN, PLAIN, PPTX, XLSB, XLSM, XLSX, label_of

_EXTRACTORS = "files.extraction.extractors."
_PPT = "application/vnd.ms-powerpoint"
_OXIDE = _EXTRACTORS + "office_oxide.OfficeOxideExtractor"
_OTHER_TEXT = ("text/x-log", "text/x-rst", "text/x-tex", "application/yaml", "application/toml", "text/x-ini")
_SUBTITLES = ("application/x-subrip", "text/vtt")
_CODE = tuple(known.name for known in KNOWN if known.kind == "code" and known.name.startswith("text/"))


@dataclass(frozen=True, slots=True)
class Format:
    """A line of the registry: what a person calls it, which types it covers, who reads them.

    The first reader is tried first; when it fails before any text, the next one takes over.
    """

    label: str
    media_types: tuple[str, ...]
    readers: tuple[str, ...]


FORMATS: list[Format] = [
    Format("PDF", ("application/pdf",), (_EXTRACTORS + "pdf.PdfExtractor",)),
    Format(
        "Word (DOCX)",
        (DOCX, DOCM),
        (_EXTRACTORS + "docx.DocxExtractor", _EXTRACTORS + "docx_python_docx.PythonDocxExtractor"),
    ),
    Format(
        "Excel (XLSX)",
        (XLSX, XLSM),
        (_EXTRACTORS + "xlsx.XlsxExtractor", _EXTRACTORS + "xlsx_openpyxl.OpenpyxlExtractor"),
    ),
    Format("binary Excel (XLSB)", (XLSB,), (_EXTRACTORS + "xlsx.XlsxExtractor",)),
    Format("PowerPoint (PPTX)", (PPTX,), (_EXTRACTORS + "pptx.PptxExtractor",)),
    Format("Word 97-2003 (DOC)", ("application/msword",), (_EXTRACTORS + "doc.DocExtractor", _OXIDE)),
    Format("PowerPoint 97-2003 (PPT)", (_PPT,), (_EXTRACTORS + "ppt.PptExtractor", _OXIDE)),
    Format("Excel 97-2003 (XLS)", ("application/vnd.ms-excel",), (_EXTRACTORS + "xls.XlsExtractor", _OXIDE)),
    Format("Rich Text (RTF)", ("application/rtf",), (_EXTRACTORS + "rtf.RtfExtractor",)),
    Format("mail (EML)", ("message/rfc822", "multipart/related"), (_EXTRACTORS + "mail.MailExtractor",)),
    Format("Outlook message (MSG)", ("application/vnd.ms-outlook",), (_EXTRACTORS + "msg.MsgExtractor",)),
    Format("calendar (ICS)", ("text/calendar",), (_EXTRACTORS + "calendar.CalendarExtractor",)),
    Format("contacts (VCF)", ("text/vcard",), (_EXTRACTORS + "contacts.ContactsExtractor",)),
    Format("mailbox (MBOX)", ("application/mbox",), (_EXTRACTORS + "mailbox.MailboxExtractor",)),
    Format("HTML", ("text/html",), (_EXTRACTORS + "html_page.HtmlExtractor",)),
    Format("Markdown", ("text/markdown",), (_EXTRACTORS + "markdown.MarkdownExtractor",)),
    Format("CSV and TSV", ("text/csv", "text/tab-separated-values"), (_EXTRACTORS + "csv_table.CsvExtractor",)),
    Format("JSON", ("application/json", "application/x-ndjson"), (_EXTRACTORS + "json_data.JsonExtractor",)),
    Format(
        "plain text and source code", (PLAIN, *_OTHER_TEXT, *_SUBTITLES, *_CODE), (_EXTRACTORS + "text.TextExtractor",)
    ),
    Format("", (ENCRYPTED_OFFICE,), (_EXTRACTORS + "encrypted.EncryptedExtractor",)),
]


def readers_of(media_type: str) -> tuple[str, ...]:
    """Return the readers of `media_type`, best first, importing none of them. Raises UnsupportedFormat."""
    for line in FORMATS:
        if media_type in line.media_types:
            return line.readers
    raise UnsupportedFormat(
        f"Orchestra does not read this type of file yet: {label_of(media_type)}.",
        hint=f"It reads {readable_formats()}.",
        media_type=media_type,
    )


def find(media_type: str) -> Extractor:
    """Return the first extractor of `media_type`. Raises UnsupportedFormat."""
    return load(readers_of(media_type)[0])


@cache
def load(reader: str) -> Extractor:
    """Return the extractor at a dotted path; its module is imported on first use."""
    module, _, name = reader.rpartition(".")
    extractor = getattr(import_module(module), name)()
    if not isinstance(extractor, Extractor):
        raise TypeError(f"{reader} is not an Extractor")
    return extractor


def reader_name(reader: str) -> str:
    """Return the short name of a reader: that of its module."""
    return reader.split(".")[-2]


def load_all() -> None:
    """Import every extractor's module, so that children forked from here need not."""
    for line in FORMATS:
        for reader in line.readers:
            load(reader)


def readable_formats() -> str:
    """Return the formats that can be read as a phrase for a person."""
    labels = [line.label for line in FORMATS if line.label]
    return f"{', '.join(labels[:-1])} and {labels[-1]}"
