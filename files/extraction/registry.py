"""Who reads which type: one line per format. A new format is one module, one line here, one folder of samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module

from files.extraction.base import Extractor
from files.extraction.errors import UnsupportedFormat
from files.extraction.media_types import DOCM, DOCX, ENCRYPTED_OFFICE, KNOWN, PLAIN, XLSM, XLSX, label_of

_EXTRACTORS = "files.extraction.extractors."
_OTHER_TEXT = ("text/x-log", "text/x-rst", "text/x-tex", "application/yaml", "application/toml", "text/x-ini")
_SUBTITLES = ("application/x-subrip", "text/vtt")
_CODE = tuple(known.name for known in KNOWN if known.kind == "code" and known.name.startswith("text/"))


@dataclass(frozen=True, slots=True)
class Format:
    """A line of the registry: what a person calls it, where its extractor is, which types it reads."""

    label: str
    extractor: str
    media_types: tuple[str, ...]


FORMATS: list[Format] = [
    Format("PDF", _EXTRACTORS + "pdf.PdfExtractor", ("application/pdf",)),
    Format("Word (DOCX)", _EXTRACTORS + "docx.DocxExtractor", (DOCX, DOCM)),
    Format("Excel (XLSX)", _EXTRACTORS + "xlsx.XlsxExtractor", (XLSX, XLSM)),
    Format("HTML", _EXTRACTORS + "html_page.HtmlExtractor", ("text/html",)),
    Format("Markdown", _EXTRACTORS + "markdown.MarkdownExtractor", ("text/markdown",)),
    Format("CSV and TSV", _EXTRACTORS + "csv_table.CsvExtractor", ("text/csv", "text/tab-separated-values")),
    Format("JSON", _EXTRACTORS + "json_data.JsonExtractor", ("application/json", "application/x-ndjson")),
    Format(
        "plain text and source code", _EXTRACTORS + "text.TextExtractor", (PLAIN, *_OTHER_TEXT, *_SUBTITLES, *_CODE)
    ),
    Format("", _EXTRACTORS + "encrypted.EncryptedExtractor", (ENCRYPTED_OFFICE,)),
]


def extractor_path(media_type: str) -> str:
    """Return the dotted path of the extractor of `media_type`, importing nothing. Raises UnsupportedFormat."""
    for line in FORMATS:
        if media_type in line.media_types:
            return line.extractor
    raise UnsupportedFormat(
        f"Orchestra does not read this type of file yet: {label_of(media_type)}.",
        hint=f"It reads {readable_formats()}.",
        media_type=media_type,
    )


def find(media_type: str) -> Extractor:
    """Return the extractor of `media_type`. Raises UnsupportedFormat."""
    return load(extractor_path(media_type))


@cache
def load(path: str) -> Extractor:
    """Return the extractor at a dotted path; its module is imported on first use."""
    module, _, name = path.rpartition(".")
    extractor = getattr(import_module(module), name)()
    if not isinstance(extractor, Extractor):
        raise TypeError(f"{path} is not an Extractor")
    return extractor


def readable_formats() -> str:
    """Return the formats that can be read as a phrase for a person."""
    labels = [line.label for line in FORMATS if line.label]
    return f"{', '.join(labels[:-1])} and {labels[-1]}"
