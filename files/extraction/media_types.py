"""The types that Orchestra knows by name: whether it can read them is the registry's matter."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

PLAIN = "text/plain"
UNKNOWN = "application/octet-stream"
ENCRYPTED_OFFICE = "application/x-encrypted-office"
ZIP = "application/zip"
OLE = "application/x-ole-storage"
_OPENXML = "application/vnd.openxmlformats-officedocument."
SSA = "text/x-ssa"
_ODF = "application/vnd.oasis.opendocument."
DOCX = _OPENXML + "wordprocessingml.document"
XLSX = _OPENXML + "spreadsheetml.sheet"
PPTX = _OPENXML + "presentationml.presentation"
DOCM = "application/vnd.ms-word.document.macroenabled.12"
XLSM = "application/vnd.ms-excel.sheet.macroenabled.12"
XLSB = "application/vnd.ms-excel.sheet.binary.macroenabled.12"
ODT, ODS, ODP, ODG = (
    (_ODF + kind, _ODF + kind + "-flat-xml") for kind in ("text", "spreadsheet", "presentation", "graphics")
)
EPUB = "application/epub+zip"


@dataclass(frozen=True, slots=True)
class MediaType:
    """A type: its name, what family it belongs to, what a person calls it, the endings of its files."""

    name: str
    kind: str
    label: str
    endings: tuple[str, ...] = ()
    textual: bool = False  # its files are text, so the ending may tell them apart where the content cannot


def _binary(name: str, kind: str, label: str, *endings: str) -> MediaType:
    return MediaType(name, kind, label, endings)


def _text(name: str, kind: str, label: str, *endings: str) -> MediaType:
    return MediaType(name, kind, label, endings, textual=True)


KNOWN: tuple[MediaType, ...] = (
    _binary("application/pdf", "document", "PDF document", "pdf"),
    _binary(DOCX, "document", "Word document (DOCX)", "docx", "dotx"),
    _binary(DOCM, "document", "Word document with macros", "docm", "dotm"),
    _binary(XLSX, "spreadsheet", "Excel workbook (XLSX)", "xlsx", "xltx"),
    _binary(XLSM, "spreadsheet", "Excel workbook with macros", "xlsm", "xltm"),
    _binary(XLSB, "spreadsheet", "binary Excel workbook (XLSB)", "xlsb"),
    _binary(PPTX, "document", "PowerPoint presentation (PPTX)", "pptx", "pptm", "ppsx", "potx"),
    _binary("application/msword", "document", "Word 97-2003 document (DOC)", "doc", "dot"),
    _binary("application/vnd.ms-excel", "spreadsheet", "Excel 97-2003 workbook (XLS)", "xls", "xlt"),
    _binary("application/vnd.ms-powerpoint", "document", "PowerPoint 97-2003 presentation (PPT)", "ppt", "pps"),
    _binary(ENCRYPTED_OFFICE, "document", "Office file with a password"),
    _binary(OLE, "other", "OLE container"),
    _binary("application/vnd.visio", "document", "Visio drawing", "vsd"),
    _binary("application/vnd.ms-outlook", "mail", "Outlook message (MSG)", "msg"),
    _binary("application/vnd.ms-tnef", "mail", "Outlook attachment (winmail.dat)", "tnef"),
    _binary("application/vnd.wordperfect", "document", "WordPerfect document", "wpd", "wp"),
    _binary("application/vnd.ms-outlook-pst", "mail", "Outlook mailbox (PST)", "pst", "ost"),
    _binary(_ODF + "text", "document", "OpenDocument text (ODT)", "odt", "ott"),
    _binary(_ODF + "spreadsheet", "spreadsheet", "OpenDocument spreadsheet (ODS)", "ods", "ots"),
    _binary(_ODF + "presentation", "document", "OpenDocument presentation (ODP)", "odp", "otp"),
    _binary(_ODF + "graphics", "image", "OpenDocument drawing (ODG)", "odg", "otg"),
    _text(_ODF + "text-flat-xml", "document", "flat OpenDocument text (FODT)", "fodt"),
    _text(_ODF + "spreadsheet-flat-xml", "spreadsheet", "flat OpenDocument spreadsheet (FODS)", "fods"),
    _text(_ODF + "presentation-flat-xml", "document", "flat OpenDocument presentation (FODP)", "fodp"),
    _text(_ODF + "graphics-flat-xml", "image", "flat OpenDocument drawing (FODG)", "fodg"),
    _binary("application/epub+zip", "document", "e-book (EPUB)", "epub"),
    _binary("application/x-mobipocket-ebook", "document", "Kindle e-book", "mobi", "azw", "azw3"),
    _binary("application/postscript", "document", "PostScript", "ps", "eps"),
    _binary("image/vnd.djvu", "document", "DjVu scan", "djvu", "djv"),
    _binary("application/vnd.apple.pages", "document", "Pages document", "pages"),
    _binary("application/vnd.apple.numbers", "spreadsheet", "Numbers spreadsheet", "numbers"),
    _binary("application/vnd.apple.keynote", "document", "Keynote presentation", "key"),
    _text("application/rtf", "document", "Rich Text document (RTF)", "rtf"),
    _text("text/html", "web", "web page (HTML)", "html", "htm", "xhtml", "xht"),
    _text("multipart/related", "web", "saved web page (MHTML)", "mht", "mhtml"),
    _text("text/markdown", "text", "Markdown text", "md", "markdown", "mdown", "mkd", "mdx"),
    _text(PLAIN, "text", "plain text", "txt", "text", "readme", "license", "nfo"),
    _text("text/x-log", "text", "log file", "log"),
    _text("text/x-rst", "text", "reStructuredText", "rst", "rest"),
    _text("text/x-tex", "text", "LaTeX source", "tex", "latex", "ltx", "sty", "cls"),
    _text("text/x-bibtex", "text", "BibTeX references", "bib"),
    _text("text/x-asciidoc", "text", "AsciiDoc", "adoc", "asciidoc", "asc"),
    _text("text/x-org", "text", "Org text", "org"),
    _text("text/x-textile", "text", "Textile", "textile"),
    _text("text/x-mediawiki", "text", "MediaWiki text", "mediawiki", "wiki"),
    _text("text/csv", "data", "CSV table", "csv"),
    _text("text/tab-separated-values", "data", "TSV table", "tsv", "tab"),
    _text("application/json", "data", "JSON", "json", "geojson", "webmanifest"),
    _text("application/x-ndjson", "data", "JSON Lines", "jsonl", "ndjson", "jsonlines"),
    _text("application/x-ipynb+json", "code", "Jupyter notebook", "ipynb"),
    _text(
        "application/xml",
        "data",
        "XML",
        "xml",
        "xsd",
        "xsl",
        "xslt",
        "rss",
        "atom",
        "plist",
        "fb2",
        "docbook",
        "dbk",
        "jats",
        "nxml",
        "tei",
        "xlf",
        "xliff",
        "tmx",
        "dita",
        "ditamap",
        "wsdl",
        "pom",
        "kml",
        "gpx",
        "opml",
        "rdf",
        "owl",
        "xaml",
        "csproj",
        "resx",
        "storyboard",
        "xib",
        "mml",
        "musicxml",
        "sgml",
    ),
    _text("image/svg+xml", "image", "SVG drawing", "svg"),
    _text("application/xml", "data", "XML", "xml", "xsd", "xsl", "xslt", "rss", "atom", "plist"),
    _text("image/svg+xml", "image", "SVG drawing", "svg", "svgz"),
    _text("application/yaml", "data", "YAML", "yaml", "yml"),
    _text("application/toml", "data", "TOML", "toml"),
    _text("text/x-ini", "data", "INI settings", "ini", "cfg", "conf", "properties", "env"),
    _text("application/x-subrip", "text", "subtitles (SRT)", "srt"),
    _text("text/vtt", "text", "subtitles (WebVTT)", "vtt"),
    _text("message/rfc822", "mail", "e-mail (EML)", "eml", "emlx"),
    _text(SSA, "text", "subtitles (ASS)", "ass", "ssa"),
    _text("text/x-sbv", "text", "subtitles (SBV)", "sbv"),
    _text("message/rfc822", "mail", "e-mail (EML)", "eml"),
    _text("application/mbox", "mail", "mailbox (MBOX)", "mbox"),
    _text("text/calendar", "data", "calendar (ICS)", "ics"),
    _text("text/vcard", "data", "contacts (VCF)", "vcf"),
    _text(
        "text/x-python",
        "code",
        "Python source",
        "py",
        "pyi",
        "pyw",
        "pyx",
        "pxd",
        "sconstruct",
        "wscript",
        "bzl",
        "starlark",
    ),
    _text("text/javascript", "code", "JavaScript source", "js", "mjs", "cjs", "jsx", "es6"),
    _text("text/x-typescript", "code", "TypeScript source", "ts", "tsx", "mts", "cts"),
    _text("text/x-java", "code", "Java source", "java"),
    _text("text/x-kotlin", "code", "Kotlin source", "kt", "kts"),
    _text("text/x-c", "code", "C source", "c", "h"),
    _text(
        "text/x-c++",
        "code",
        "C++ source",
        "cpp",
        "cc",
        "cxx",
        "c++",
        "hpp",
        "hh",
        "hxx",
        "ipp",
        "tpp",
        "inl",
        "cu",
        "cuh",
        "ino",
    ),
    _text("text/x-csharp", "code", "C# source", "cs", "csx"),
    _text("text/x-go", "code", "Go source", "go"),
    _text("text/x-rust", "code", "Rust source", "rs"),
    _text(
        "text/x-ruby",
        "code",
        "Ruby source",
        "rb",
        "rake",
        "gemspec",
        "gemfile",
        "rakefile",
        "vagrantfile",
        "podfile",
        "brewfile",
    ),
    _text("text/x-php", "code", "PHP source", "php", "php3", "php4", "php5", "phtml"),
    _text("text/x-perl", "code", "Perl source", "pl", "pm", "t"),
    _text("text/x-swift", "code", "Swift source", "swift"),
    _text("text/x-scala", "code", "Scala source", "scala", "sbt", "sc"),
    _text("text/x-r", "code", "R source", "r"),
    _text("text/x-lua", "code", "Lua source", "lua", "luau"),
    _text(
        "text/x-shellscript",
        "code",
        "Shell source",
        "sh",
        "bash",
        "zsh",
        "ksh",
        "fish",
        "bashrc",
        "zshrc",
        "profile",
        "bash_profile",
    ),
    _text("text/x-bat", "code", "Batch source", "bat", "cmd"),
    _text("text/x-powershell", "code", "PowerShell source", "ps1", "psm1", "psd1"),
    _text("text/x-sql", "code", "SQL source", "sql", "ddl", "dml", "pls", "plsql", "tsql"),
    _text("text/css", "code", "CSS source", "css", "scss", "sass", "less"),
    _text("text/x-dockerfile", "code", "Dockerfile source", "dockerfile", "containerfile"),
    _text("text/x-makefile", "code", "Makefile source", "makefile", "mk", "mak", "gnumakefile"),
    _text("text/x-haskell", "code", "Haskell source", "hs", "lhs"),
    _text("text/x-elixir", "code", "Elixir source", "ex", "exs"),
    _text("text/x-erlang", "code", "Erlang source", "erl", "hrl"),
    _text("text/x-hcl", "code", "Terraform source", "tf", "tfvars", "hcl"),
    _text("text/x-protobuf", "code", "Protobuf source", "proto"),
    _text("text/x-graphql", "code", "GraphQL source", "graphql", "gql"),
    _text("text/x-vue", "code", "Vue source", "vue"),
    _text("text/x-svelte", "code", "Svelte source", "svelte", "astro"),
    _text("text/x-dart", "code", "Dart source", "dart"),
    _text("text/x-julia", "code", "Julia source", "jl"),
    _text("text/x-objective-c", "code", "Objective-C source", "m", "mm"),
    _text("text/x-matlab", "code", "MATLAB source", "matlab"),
    _text("text/x-groovy", "code", "Groovy source", "groovy", "gradle", "jenkinsfile"),
    _text("text/x-cmake", "code", "CMake source", "cmake"),
    _text("text/x-clojure", "code", "Clojure source", "clj", "cljs", "cljc", "edn"),
    _text("text/x-lisp", "code", "Lisp source", "lisp", "lsp", "el", "scm", "rkt"),
    _text("text/x-ocaml", "code", "OCaml source", "ml", "mli"),
    _text("text/x-fsharp", "code", "F# source", "fs", "fsx", "fsi"),
    _text("text/x-vb", "code", "Visual Basic source", "vb", "vbs", "bas", "frm"),
    _text("text/x-fortran", "code", "Fortran source", "f90", "f95", "f03", "f", "for"),
    _text("text/x-pascal", "code", "Pascal source", "pas", "pp", "dpr"),
    _text("text/x-solidity", "code", "Solidity source", "sol"),
    _text("text/x-zig", "code", "Zig source", "zig"),
    _text("text/x-nim", "code", "Nim source", "nim"),
    _text("text/x-asm", "code", "Assembly source", "asm", "s"),
    _text("text/x-verilog", "code", "Verilog source", "v", "sv", "svh", "vhd", "vhdl"),
    _text("text/x-tcl", "code", "Tcl source", "tcl"),
    _text("text/x-awk", "code", "AWK source", "awk"),
    _text("text/x-prolog", "code", "Prolog source", "pro", "prolog"),
    _text("text/x-diff", "code", "Diff source", "diff", "patch"),
    _binary("image/png", "image", "PNG image", "png"),
    _binary("image/jpeg", "image", "JPEG image", "jpg", "jpeg", "jpe"),
    _binary("image/gif", "image", "GIF image", "gif"),
    _binary("image/webp", "image", "WebP image", "webp"),
    _binary("image/bmp", "image", "BMP image", "bmp"),
    _binary("image/tiff", "image", "TIFF image", "tif", "tiff"),
    _binary("image/heic", "image", "HEIC image", "heic", "heif"),
    _binary("image/avif", "image", "AVIF image", "avif"),
    _binary("image/jp2", "image", "JPEG 2000 image", "jp2", "j2k"),
    _binary("image/jxl", "image", "JPEG XL image", "jxl"),
    _binary("image/vnd.adobe.photoshop", "image", "Photoshop image", "psd"),
    _binary("image/x-icon", "image", "icon", "ico"),
    _binary("image/emf", "image", "EMF drawing", "emf"),
    _binary("audio/mpeg", "audio", "MP3 recording", "mp3"),
    _binary("audio/mp4", "audio", "M4A recording", "m4a", "m4b"),
    _binary("audio/aac", "audio", "AAC recording", "aac"),
    _binary("audio/wav", "audio", "WAV recording", "wav"),
    _binary("audio/flac", "audio", "FLAC recording", "flac"),
    _binary("audio/ogg", "audio", "Ogg recording", "ogg", "oga"),
    _binary("audio/opus", "audio", "Opus recording", "opus"),
    _binary("audio/aiff", "audio", "AIFF recording", "aif", "aiff"),
    _binary("audio/amr", "audio", "AMR recording", "amr"),
    _binary("audio/midi", "audio", "MIDI file", "mid", "midi"),
    _binary("audio/x-ms-wma", "audio", "WMA recording", "wma"),
    _binary("video/mp4", "video", "MP4 film", "mp4", "m4v"),
    _binary("video/quicktime", "video", "QuickTime film", "mov"),
    _binary("video/3gpp", "video", "3GP film", "3gp"),
    _binary("video/x-msvideo", "video", "AVI film", "avi"),
    _binary("video/x-matroska", "video", "Matroska film", "mkv"),
    _binary("video/webm", "video", "WebM film", "webm"),
    _binary("video/ogg", "video", "Ogg film", "ogv"),
    _binary("video/mpeg", "video", "MPEG film", "mpg", "mpeg"),
    _binary("video/mp2t", "video", "MPEG transport stream", "m2ts"),
    _binary("video/x-flv", "video", "Flash film", "flv"),
    _binary("video/x-ms-asf", "video", "Windows Media film", "wmv", "asf"),
    _binary(ZIP, "archive", "ZIP archive", "zip"),
    _binary("application/x-tar", "archive", "TAR archive", "tar"),
    _binary("application/gzip", "archive", "gzip archive", "gz", "tgz", "taz"),
    _binary("application/x-bzip2", "archive", "bzip2 archive", "bz2", "tbz", "tbz2"),
    _binary("application/x-xz", "archive", "xz archive", "xz", "txz"),
    _binary("application/x-lzma", "archive", "lzma archive", "lzma", "tlz"),
    _binary("application/zstd", "archive", "Zstandard archive", "zst", "tzst"),
    _binary("application/x-lz4", "archive", "LZ4 archive", "lz4"),
    _binary("application/x-7z-compressed", "archive", "7-Zip archive", "7z"),
    _binary("application/vnd.rar", "archive", "RAR archive", "rar"),
    _binary("application/x-iso9660-image", "archive", "disc image (ISO)", "iso"),
    _binary("application/vnd.ms-cab-compressed", "archive", "cabinet archive", "cab"),
    _binary("application/x-archive", "archive", "ar archive or package", "deb", "ar"),
    _binary("application/x-rpm", "archive", "RPM package", "rpm"),
    _binary("application/java-archive", "archive", "Java archive", "jar", "war"),
    _binary("application/vnd.android.package-archive", "archive", "Android package", "apk"),
    _binary("application/vnd.apache.parquet", "data", "Parquet table", "parquet"),
    _binary("application/vnd.sqlite3", "data", "SQLite database", "sqlite", "sqlite3", "db"),
    _binary("application/vnd.apache.arrow.file", "data", "Arrow table", "arrow", "feather"),
    _binary("application/x-orc", "data", "ORC table", "orc"),
    _binary("application/avro", "data", "Avro records", "avro"),
    _binary("application/x-hdf5", "data", "HDF5 data", "h5", "hdf5"),
    _binary("application/x-npy", "data", "NumPy array", "npy"),
    _binary("application/x-msaccess", "data", "Access database", "mdb", "accdb"),
    _binary("application/vnd.microsoft.portable-executable", "other", "Windows program", "exe", "dll"),
    _binary("application/x-elf", "other", "Linux program", "elf", "so"),
    _binary("application/x-mach-binary", "other", "macOS program", "dylib"),
    _binary("application/java-vm", "other", "compiled Java class", "class"),
    _binary("application/wasm", "other", "WebAssembly module", "wasm"),
    _binary("font/sfnt", "other", "font", "ttf", "otf", "ttc"),
    _binary("font/woff2", "other", "web font", "woff", "woff2"),
    _binary("application/vnd.ms-htmlhelp", "document", "Windows help (CHM)", "chm"),
    _binary("application/x-ms-shortcut", "other", "Windows shortcut", "lnk"),
    _binary("application/pgp-encrypted", "other", "PGP message", "pgp", "gpg"),
    _binary("image/vnd.dwg", "image", "AutoCAD drawing", "dwg"),
    _binary(UNKNOWN, "other", "file of an unknown binary type", "bin", "dat"),
)

BY_NAME = {known.name: known for known in KNOWN}
_BY_ENDING = {ending: known for known in KNOWN for ending in known.endings}
_BY_FILE_NAME = {"cmakelists.txt": "text/x-cmake", "go.mod": PLAIN, "build.gradle": "text/x-groovy"}
_DOTTED = ("dockerfile.", "containerfile.", "makefile.", "jenkinsfile.")  # Dockerfile.dev, Makefile.am


def kind_of(media_type: str) -> str:
    """Return the family of `media_type`; `other` when it is unknown."""
    known = BY_NAME.get(media_type)
    return known.kind if known else "other"


def label_of(media_type: str) -> str:
    """Return what a person calls `media_type`; the type itself when it is unknown."""
    known = BY_NAME.get(media_type)
    return known.label if known else media_type


def by_file_name(name: str) -> MediaType | None:
    """Return the type that the ending of `name` (or a name without ending, such as Dockerfile) stands for."""
    file_name = PurePath(name.replace("\\", "/")).name.casefold()
    if whole := _BY_FILE_NAME.get(file_name):
        return BY_NAME[whole]
    if file_name.startswith(_DOTTED):
        return _BY_ENDING[file_name.partition(".")[0]]
    return _BY_ENDING.get(ending_of(name))


def ending_of(name: str) -> str:
    """Return what follows the last dot of a file's name, in small letters; the whole name when it has none."""
    return PurePath(name.replace("\\", "/")).name.casefold().rpartition(".")[2]
