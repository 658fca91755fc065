"""Who reads which type: one line per format. A new format is one module, one line here, one folder of samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module

from files.extraction.base import Extractor
from files.extraction.errors import UnsupportedFormat
from files.extraction.media_types import (
    DOCM,
    DOCX,
    ENCRYPTED_OFFICE,
    EPUB,
    KNOWN,
    ODG,
    ODP,
    ODS,
    ODT,
    PLAIN,
    PPTX,
    KNOWN,
    PLAIN,
    PPTX,
    SSA,
    XLSB,
    XLSM,
    XLSX,
    label_of,
)

_EXTRACTORS = "files.extraction.extractors."
_PPT = "application/vnd.ms-powerpoint"
_OXIDE = _EXTRACTORS + "office_oxide.OfficeOxideExtractor"
_PDF_READERS = ("pdf.PdfExtractor", "pdf_pypdf.PypdfExtractor", "pdf_plumber.PdfplumberExtractor")
_OTHER_TEXT = ("text/x-log", "text/x-rst", "text/x-tex", "application/yaml", "application/toml", "text/x-ini")
_OTHER_TEXT = ("text/x-log", "text/x-rst", "text/x-tex")
_OTHER_TEXT = ("text/x-log", "application/yaml", "application/toml", "text/x-ini")
_SUBTITLES = ("application/x-subrip", "text/vtt")
_COMPRESSED = ("application/gzip", "application/x-bzip2", "application/x-xz", "application/x-lzma", "application/zstd")
_COLUMNAR = ("application/vnd.apache.parquet", "application/vnd.apache.arrow.file", "application/x-orc")
_COMPRESSED = ("application/gzip", "application/x-bzip2", "application/x-xz", "application/x-lzma", "application/zstd")
_SUBTITLES = ("application/x-subrip", "text/vtt", SSA, "text/x-sbv")
_PICTURES = (
    *("image/jpeg", "image/png", "image/gif", "image/tiff", "image/bmp", "image/webp", "image/jp2"),
    *("image/vnd.adobe.photoshop", "image/x-icon"),
)
_SOUND = (
    *("audio/mpeg", "audio/wav", "audio/flac", "audio/ogg", "audio/opus", "audio/mp4", "audio/aiff", "audio/x-ms-wma"),
    *("audio/aac", "audio/amr", "audio/midi"),
)
_SOUND_READERS = ("sound.SoundExtractor", "sound_mutagen.MutagenSoundExtractor", "film.FilmExtractor")
_FILM = (
    *("video/mp4", "video/quicktime", "video/3gpp", "video/x-msvideo", "video/x-matroska", "video/webm", "video/ogg"),
    *("video/mpeg", "video/mp2t", "video/x-flv", "video/x-ms-asf"),
)
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
    Format("PDF", ("application/pdf",), tuple(_EXTRACTORS + name for name in _PDF_READERS)),
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
    Format("OpenDocument text (ODT)", ODT, (_EXTRACTORS + "opendocument.OdfTextExtractor",)),
    Format("OpenDocument spreadsheet (ODS)", ODS, (_EXTRACTORS + "ods.OdsExtractor",)),
    Format(
        "OpenDocument presentation and drawing (ODP, ODG)",
        ODP + ODG,
        (_EXTRACTORS + "opendocument.OdfSlidesExtractor",),
    ),
    Format("e-book (EPUB)", (EPUB,), (_EXTRACTORS + "epub.EpubExtractor",)),
    Format("PowerPoint 97-2003 (PPT)", (_PPT,), (_EXTRACTORS + "ppt.PptExtractor", _OXIDE)),
    Format("Excel 97-2003 (XLS)", ("application/vnd.ms-excel",), (_EXTRACTORS + "xls.XlsExtractor", _OXIDE)),
    Format("Rich Text (RTF)", ("application/rtf",), (_EXTRACTORS + "rtf.RtfExtractor",)),
    Format("mail (EML)", ("message/rfc822", "multipart/related"), (_EXTRACTORS + "mail.MailExtractor",)),
    Format("Outlook message (MSG)", ("application/vnd.ms-outlook",), (_EXTRACTORS + "msg.MsgExtractor",)),
    Format("mailbox (MBOX)", ("application/mbox",), (_EXTRACTORS + "mailbox.MailboxExtractor",)),
    Format("HTML", ("text/html",), (_EXTRACTORS + "html_page.HtmlExtractor",)),
    Format("Markdown", ("text/markdown",), (_EXTRACTORS + "markdown.MarkdownExtractor",)),
    Format("CSV and TSV", ("text/csv", "text/tab-separated-values"), (_EXTRACTORS + "csv_table.CsvExtractor",)),
    Format("JSON", ("application/json", "application/x-ndjson"), (_EXTRACTORS + "json_data.JsonExtractor",)),
    Format("YAML", ("application/yaml",), (_EXTRACTORS + "yaml_data.YamlExtractor",)),
    Format("TOML", ("application/toml",), (_EXTRACTORS + "settings.TomlExtractor",)),
    Format("INI, properties and .env", ("text/x-ini",), (_EXTRACTORS + "settings.IniExtractor",)),
    Format("LaTeX", ("text/x-tex",), (_EXTRACTORS + "latex.LatexExtractor", _EXTRACTORS + "text.TextExtractor")),
    Format("BibTeX", ("text/x-bibtex",), (_EXTRACTORS + "bibtex.BibtexExtractor",)),
    Format("reStructuredText", ("text/x-rst",), (_EXTRACTORS + "restructured_text.RstExtractor",)),
    Format("AsciiDoc", ("text/x-asciidoc",), (_EXTRACTORS + "asciidoc.AsciidocExtractor",)),
    Format("Org", ("text/x-org",), (_EXTRACTORS + "org.OrgExtractor",)),
    Format(
        "MediaWiki and Textile", ("text/x-mediawiki", "text/x-textile"), (_EXTRACTORS + "wiki_text.WikiTextExtractor",)
    ),
    Format(
        "ZIP, JAR and APK",
        ("application/zip", "application/java-archive", "application/vnd.android.package-archive"),
        (_EXTRACTORS + "zip_archive.ZipExtractor",),
    ),
    Format("TAR", ("application/x-tar",), (_EXTRACTORS + "tar_archive.TarExtractor",)),
    Format("gzip, bzip2, xz and Zstandard", _COMPRESSED, (_EXTRACTORS + "compressed.CompressedExtractor",)),
    Format("7-Zip", ("application/x-7z-compressed",), (_EXTRACTORS + "seven_zip.SevenZipExtractor",)),
    Format("RAR", ("application/vnd.rar",), (_EXTRACTORS + "rar_archive.RarExtractor",)),
    Format("ar and DEB", ("application/x-archive",), (_EXTRACTORS + "ar_archive.ArExtractor",)),
    Format("Parquet, Arrow and ORC", _COLUMNAR, (_EXTRACTORS + "columnar.ColumnarExtractor",)),
    Format("SQLite", ("application/vnd.sqlite3",), (_EXTRACTORS + "sqlite_database.SqliteExtractor",)),
    Format("Jupyter notebook", ("application/x-ipynb+json",), (_EXTRACTORS + "notebook.NotebookExtractor",)),
    Format("source code", _CODE, (_EXTRACTORS + "source_code.SourceCodeExtractor", _EXTRACTORS + "text.TextExtractor")),
    Format("plain text", (PLAIN, *_OTHER_TEXT, *_SUBTITLES), (_EXTRACTORS + "text.TextExtractor",)),
    Format("plain text and source code", (PLAIN, *_OTHER_TEXT, *_CODE), (_EXTRACTORS + "text.TextExtractor",)),
    Format("subtitles", _SUBTITLES, (_EXTRACTORS + "subtitles.SubtitleExtractor",)),
    Format("SVG", ("image/svg+xml",), (_EXTRACTORS + "svg.SvgExtractor",)),
    Format("pictures", _PICTURES, (_EXTRACTORS + "picture.PictureExtractor",)),
    Format("HEIC", ("image/heic",), (_EXTRACTORS + "heif.HeifExtractor",)),
    Format("AVIF", ("image/avif",), (_EXTRACTORS + "picture.PictureExtractor", _EXTRACTORS + "heif.HeifExtractor")),
    Format("sound", _SOUND, tuple(_EXTRACTORS + name for name in _SOUND_READERS)),
    Format("film", _FILM, (_EXTRACTORS + "film.FilmExtractor",)),
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
