"""The control words of RTF that matter to a reader of text: where text is not to be shown, and what words stand for.

Source: Rich Text Format Specification 1.9.1.
"""

from __future__ import annotations

# Groups whose text is data: fonts, colours, styles, pictures, objects, index entries, separators of notes.
# fmt: off
SKIPPED = frozenset((
    "colortbl", "listtable", "listoverridetable", "revtbl", "rsidtbl", "filetbl", "xmlnstbl", "pict", "nonshppict",
    "objdata", "objclass", "objname", "themedata", "colorschememapping", "datastore", "latentstyles", "generator",
    "bkmkstart", "bkmkend", "xe", "tc", "tcn", "rxe", "pntxta", "pntxtb", "pn", "sp", "shprslt", "ftnsep", "ftnsepc",
    "ftncn", "aftnsep", "aftnsepc", "aftncn", "private", "template", "atnid", "atnauthor", "atntime", "atnicn",
    "atndate", "atnref", "atnparent", "fontemb", "fontfile", "falt", "panose", "formfield", "datafield", "passwordhash",
    "protusertbl", "mmathPr", "xform", "ud", "background", "pgdsctbl", "docvar", "wgrffmtfilter", "oldcprops",
    "oldpprops", "oldsprops", "oldtprops", "propname", "staticval", "linkval", "userprops", "blipuid", "blipatag",
))
# Groups marked as ignorable that hold text all the same.
SHOWN = frozenset((
    "shpinst", "shptxt", "annotation", "footnote", "listtext", "pntext", "do", "dptxbxtext", "nesttableprops",
))
RUNNING = frozenset((
    "header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf",
))
# fmt: on
NOTES = frozenset(("footnote", "annotation"))
FACTS = {
    "title": "title",
    "subject": "subject",
    "author": "author",
    "manager": "manager",
    "company": "company",
    "operator": "last_modified_by",
    "category": "category",
    "keywords": "keywords",
    "doccomm": "description",
    "comment": "description",
}
TIMES = {"creatim": "created", "revtim": "modified"}
COUNTS = {"nofpages": "page_count", "nofwords": "word_count"}
CHARACTERS = {
    "tab": "\t",
    "line": "\n",
    "lbr": "\n",
    "emdash": "—",
    "endash": "–",
    "emspace": " ",
    "enspace": " ",
    "qmspace": " ",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
}
SYMBOLS = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\t": "\t"}
PARAGRAPH_ENDS = frozenset(("par", "sect", "page", "column"))
_CHARSETS = {
    77: "mac_roman", 78: "cp932", 79: "cp949", 80: "gb18030", 81: "cp950", 128: "cp932", 129: "cp949", 130: "johab",
    134: "gb18030", 136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256",
    186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip


def charset_codec(charset: int) -> str | None:
    """Return Python's name of the encoding of a font's character set; None where the document's own holds."""
    return _CHARSETS.get(charset)
