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
    SSA,
    XLSB,
    XLSM,
    XLSX,
    label_of,
)

_PDF_READERS = ("pdf.PdfExtractor", "pdf_pypdf.PypdfExtractor", "pdf_plumber.PdfplumberExtractor")
_XLS = "application/vnd.ms-excel"
_PPT = "application/vnd.ms-powerpoint"
_ZIPS = ("application/zip", "application/java-archive", "application/vnd.android.package-archive")
_COMPRESSED = ("application/gzip", "application/x-bzip2", "application/x-xz", "application/x-lzma", "application/zstd")
_COLUMNAR = ("application/vnd.apache.parquet", "application/vnd.apache.arrow.file", "application/x-orc")
_SUBTITLES = ("application/x-subrip", "text/vtt", SSA, "text/x-sbv")
_PICTURES = (
    *("image/jpeg", "image/png", "image/gif", "image/tiff", "image/bmp", "image/webp", "image/jp2"),
    *("image/vnd.adobe.photoshop", "image/x-icon"),
)
_SOUND = (
    *("audio/mpeg", "audio/wav", "audio/flac", "audio/ogg", "audio/opus", "audio/mp4", "audio/aiff", "audio/x-ms-wma"),
    *("audio/aac", "audio/amr", "audio/midi"),
)
_FILM = (
    *("video/mp4", "video/quicktime", "video/3gpp", "video/x-msvideo", "video/x-matroska", "video/webm", "video/ogg"),
    *("video/mpeg", "video/mp2t", "video/x-flv", "video/x-ms-asf"),
)
_CODE = tuple(known.name for known in KNOWN if known.kind == "code" and known.name.startswith("text/"))


@dataclass(frozen=True, slots=True)
class Format:
    """A line of the registry: what a person calls it, which types it covers, who reads them.

    The first reader is tried first; when it fails before any text, the next one takes over. A reader is a module and a
    class of `package`.
    """

    label: str
    media_types: tuple[str, ...]
    readers: tuple[str, ...]
    package: str = "files.extraction.extractors"

    @property
    def paths(self) -> tuple[str, ...]:
        """The dotted paths of the readers."""
        return tuple(f"{self.package}.{reader}" for reader in self.readers)


# fmt: off
FORMATS: list[Format] = [
    Format("PDF", ("application/pdf",), _PDF_READERS),
    Format("Word (DOCX)", (DOCX, DOCM), ("docx.DocxExtractor", "docx_python_docx.PythonDocxExtractor")),
    Format("Word 97-2003 (DOC)", ("application/msword",), ("doc.DocExtractor", "office_oxide.OfficeOxideExtractor")),
    Format("OpenDocument text (ODT)", ODT, ("opendocument.OdfTextExtractor",)),
    Format("Rich Text (RTF)", ("application/rtf",), ("rtf.RtfExtractor",)),
    Format("e-book (EPUB)", (EPUB,), ("epub.EpubExtractor",)),
    Format("PowerPoint (PPTX)", (PPTX,), ("pptx.PptxExtractor",)),
    Format("PowerPoint 97-2003 (PPT)", (_PPT,), ("ppt.PptExtractor", "office_oxide.OfficeOxideExtractor")),
    Format("OpenDocument presentation and drawing (ODP, ODG)", ODP + ODG, ("opendocument.OdfSlidesExtractor",)),
    Format("Excel (XLSX)", (XLSX, XLSM), ("xlsx.XlsxExtractor", "xlsx_openpyxl.OpenpyxlExtractor")),
    Format("binary Excel (XLSB)", (XLSB,), ("xlsx.XlsxExtractor",)),
    Format("Excel 97-2003 (XLS)", (_XLS,), ("xls.XlsExtractor", "office_oxide.OfficeOxideExtractor")),
    Format("OpenDocument spreadsheet (ODS)", ODS, ("ods.OdsExtractor",)),
    Format("HTML", ("text/html",), ("html_page.HtmlExtractor",)),
    Format("Markdown", ("text/markdown",), ("markdown.MarkdownExtractor",)),
    Format("XML", ("application/xml",), ("xml_data.XmlExtractor", "text.TextExtractor")),
    Format("LaTeX", ("text/x-tex",), ("latex.LatexExtractor", "text.TextExtractor")),
    Format("BibTeX", ("text/x-bibtex",), ("bibtex.BibtexExtractor",)),
    Format("reStructuredText", ("text/x-rst",), ("restructured_text.RstExtractor",)),
    Format("AsciiDoc", ("text/x-asciidoc",), ("asciidoc.AsciidocExtractor",)),
    Format("Org", ("text/x-org",), ("org.OrgExtractor",)),
    Format("MediaWiki and Textile", ("text/x-mediawiki", "text/x-textile"), ("wiki_text.WikiTextExtractor",)),
    Format("plain text and logs", (PLAIN, "text/x-log"), ("text.TextExtractor",)),
    Format("source code", _CODE, ("source_code.SourceCodeExtractor", "text.TextExtractor")),
    Format("Jupyter notebook", ("application/x-ipynb+json",), ("notebook.NotebookExtractor",)),
    Format("mail (EML) and saved page (MHTML)", ("message/rfc822", "multipart/related"), ("mail.MailExtractor",)),
    Format("Outlook message (MSG)", ("application/vnd.ms-outlook",), ("msg.MsgExtractor",)),
    Format("mailbox (MBOX)", ("application/mbox",), ("mailbox.MailboxExtractor",)),
    Format("calendar (ICS)", ("text/calendar",), ("calendar.CalendarExtractor",)),
    Format("contacts (VCF)", ("text/vcard",), ("contacts.ContactsExtractor",)),
    Format("CSV and TSV", ("text/csv", "text/tab-separated-values"), ("csv_table.CsvExtractor",)),
    Format("JSON", ("application/json", "application/x-ndjson"), ("json_data.JsonExtractor",)),
    Format("YAML", ("application/yaml",), ("yaml_data.YamlExtractor",)),
    Format("TOML", ("application/toml",), ("settings.TomlExtractor",)),
    Format("INI, properties and .env", ("text/x-ini",), ("settings.IniExtractor",)),
    Format("Parquet, Arrow and ORC", _COLUMNAR, ("columnar.ColumnarExtractor",)),
    Format("SQLite", ("application/vnd.sqlite3",), ("sqlite_database.SqliteExtractor",)),
    Format("ZIP, JAR and APK", _ZIPS, ("zip_archive.ZipExtractor",)),
    Format("TAR", ("application/x-tar",), ("tar_archive.TarExtractor",)),
    Format("gzip, bzip2, xz and Zstandard", _COMPRESSED, ("compressed.CompressedExtractor",)),
    Format("7-Zip", ("application/x-7z-compressed",), ("seven_zip.SevenZipExtractor",)),
    Format("RAR", ("application/vnd.rar",), ("rar_archive.RarExtractor",)),
    Format("ar and DEB", ("application/x-archive",), ("ar_archive.ArExtractor",)),
    Format("pictures", _PICTURES, ("picture.PictureExtractor",)),
    Format("AVIF", ("image/avif",), ("picture.PictureExtractor", "heif.HeifExtractor")),
    Format("HEIC", ("image/heic",), ("heif.HeifExtractor",)),
    Format("SVG", ("image/svg+xml",), ("svg.SvgExtractor",)),
    Format("sound", _SOUND, ("sound.SoundExtractor", "sound_mutagen.MutagenSoundExtractor", "film.FilmExtractor")),
    Format("film", _FILM, ("film.FilmExtractor",)),
    Format("subtitles", _SUBTITLES, ("subtitles.SubtitleExtractor",)),
    Format("", (ENCRYPTED_OFFICE,), ("encrypted.EncryptedExtractor",)),
]
# fmt: on


def readers_of(media_type: str) -> tuple[str, ...]:
    """Return the dotted paths of the readers of `media_type`, best first; imports none. Raises UnsupportedFormat."""
    for line in FORMATS:
        if media_type in line.media_types:
            return line.paths
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
        for path in line.paths:
            load(path)


def readable_formats() -> str:
    """Return the formats that can be read as a phrase for a person."""
    labels = [line.label for line in FORMATS if line.label]
    return f"{', '.join(labels[:-1])} and {labels[-1]}"
