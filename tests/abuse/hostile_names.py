"""Two hundred names of our own that some file system, header, table or shell takes for more than a name."""

from __future__ import annotations

from itertools import product

_UP: tuple[str, ...] = (
    "../",
    "..\\",
    "....//",
    "..;/",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%2f",
    "..%5c",
    "%252e%252e%252f",
    "..%c0%af",
)
_UP += ("\uff0e\uff0e/", "..\u2215", "..\u2044", ".\u200b./", "%c0%ae%c0%ae/", "..\x00/")
_TARGETS: tuple[str, ...] = ("etc/passwd", "files/00/other", "windows\\win.ini")
_ROOTS: tuple[str, ...] = (
    "/etc/passwd",
    "//etc/passwd",
    "\\\\server\\share\\x",
    "C:\\x.txt",
    "C:x.txt",
    "file:///etc/passwd",
)
_ROOTS += ("~/.ssh/id_rsa", "~root", "$HOME/x", "%APPDATA%\\x", "/dev/stdin", "/proc/self/environ", "\\\\?\\C:\\x")
_DEVICES: tuple[str, ...] = (
    "CON",
    "nul",
    "AUX.txt",
    "PRN.",
    "COM1",
    "LPT9.log",
    "con.txt.pdf",
    "CLOCK$",
    "CONIN$",
    "x:stream",
)
_DEVICES += ("file.txt::$DATA", "desktop.ini", ".htaccess", ".git/config", "Thumbs.db", "x.lnk")
_EMPTY: tuple[str, ...] = (
    "",
    " ",
    ".",
    "..",
    "...",
    "/",
    "\\",
    "\t",
    "\u200b",
    "\u00a0",
    "\ufeff",
    "\u3164",
    "\u2800",
    "- ",
    "--",
)
_CONTROLS = tuple(f"a{sign}b.txt" for sign in map(chr, (0, 1, 7, 8, 9, 10, 11, 12, 13, 27, 31, 127, 0x85, 0x9B)))
_CONTROLS += ("a\r\nSet-Cookie: x=1\r\n\r\nb", "a\nContent-Type: text/html", "a\r\n\r\n<html>", "a\u2028b", "a\u2029b")
_DIRECTIONS: tuple[str, ...] = (
    "invoice\u202efdp.exe",
    "\u202dabc",
    "\u2066x\u2069",
    "\u200fx",
    "\u061cx",
    "a\u202a\u202b\u202c",
)
_HEADERS: tuple[str, ...] = (
    'a"b.txt',
    "a'b.txt",
    'a";filename="b.exe',
    "a; filename*=UTF-8''b.exe",
    "a\\",
    'a\\"b',
    "%22%0d%0a.txt",
)
_HEADERS += ("a,b;c=d", "=?utf-8?B?YS5leGU=?=", "UTF-8''a%2e%2e", 'a\n"; x="', "(comment).txt", "<a@b>")
_SCRIPTS: tuple[str, ...] = (
    "\u00fcbung.pdf",
    "u\u0308bung.pdf",
    "\u65e5\u672c.txt",
    "\U0001f642.txt",
    "\U0001f468\u200d\U0001f469.png",
)
_SCRIPTS += (
    "\u0430dmin",
    "\uff41dmin",
    "\ufb01le",
    "z\u0351\u036b\u0343\u036a\u0302\u036b\u033d",
    "\u0130stanbul",
    "\ud83d.x",
)
_SCRIPTS += ("\udfff", "a\udc80b", "\ufffe", "\uffff", "\U0010ffff", "\ue000", "\u0000", "\u00ad", "\u034f")
_LONG: tuple[str, ...] = (
    "x" * 256,
    "x" * 4096,
    "\u00fc" * 4096,
    "\U0001f642" * 1024,
    "a/" * 2048,
    "." * 4096,
    "x" * 300 + ".pdf",
)
_LONG += ("x." + "y" * 4096, " " * 4096, '"' * 4096, "\u0301" * 4096, "%" * 4096)
_FORMULAS: tuple[str, ...] = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "=cmd|' /C calc'!A0",
    "\t=1",
    '=HYPERLINK("//foreign.example")',
    "%0A=1",
)
_SHELL: tuple[str, ...] = (
    "; rm -rf /",
    "$(id)",
    "`id`",
    "| id",
    "& id",
    "-rf",
    "--help",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "!!",
    "a\\nb",
    "#",
)
_QUERIES: tuple[str, ...] = (
    "' OR 1=1--",
    '"; DROP TABLE files_filerecord;--',
    "%",
    "_",
    "\\_",
    "a' UNION SELECT 1",
    "$1",
    ":name",
    "?x",
)
_TEMPLATES: tuple[str, ...] = (
    "{{7*7}}",
    "{% debug %}",
    "{0.__class__}",
    "%s%s%n",
    "%(x)s",
    "${7*7}",
    "<b>",
    "<img src=x onerror=alert(1)>",
)
_WORDS: tuple[str, ...] = (
    "null",
    "None",
    "undefined",
    "true",
    "NaN",
    "0",
    "-1",
    "1e400",
    "__proto__",
    "constructor",
    "toString",
    "[]",
)

NAMES = tuple(
    dict.fromkeys(
        (
            *("".join(parts) for parts in product(_UP, _TARGETS)),
            *(*_ROOTS, *_DEVICES, *_EMPTY, *_CONTROLS, *_DIRECTIONS, *_HEADERS, *_SCRIPTS, *_LONG, *_FORMULAS),
            *(*_SHELL, *_QUERIES, *_TEMPLATES, *_WORDS),
        )
    )
)
