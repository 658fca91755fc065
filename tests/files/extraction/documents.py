"""Documents of each text format, built from words: what went in must come out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence

Paragraphs = Sequence[Sequence[str]]
Builder = Callable[[Paragraphs], str]


def _lines(template: str) -> Builder:
    """A document of paragraphs, each of which has its words in `template`, after the first as title."""

    def build(paragraphs: Paragraphs) -> str:
        parts = (template.format(title=words[0], text=" ".join(words), words="\n".join(words)) for words in paragraphs)
        return "\n\n".join(parts) + "\n"

    return build


def _json(paragraphs: Paragraphs) -> str:
    return json.dumps([{words[0]: list(words), "nested": {"text": " ".join(words)}} for words in paragraphs])


def _json_lines(paragraphs: Paragraphs) -> str:
    return "".join(json.dumps({"text": " ".join(words), "n": words[0]}) + "\n" for words in paragraphs)


def _notebook(paragraphs: Paragraphs) -> str:
    cells = [
        cell
        for words in paragraphs
        for cell in (
            {"cell_type": "markdown", "source": "# " + words[0] + "\n\n" + " ".join(words)},
            {
                "cell_type": "code",
                "source": list(words),
                "outputs": [{"output_type": "stream", "text": " ".join(words)}],
            },
        )
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4})


def _csv(paragraphs: Paragraphs) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([words[0], " ".join(words), str(at)] for at, words in enumerate(paragraphs))
    return out.getvalue()


def _subtitles(head: str, separator: str) -> Builder:
    def build(paragraphs: Paragraphs) -> str:
        cues = []
        for at, words in enumerate(paragraphs):
            times = f"00:00:{at % 60:02}{separator}000 --> 00:00:{at % 60:02}{separator}900"
            cues.append(f"{at + 1}\n{times}\n{' '.join(words)}\n")
        return head + "\n".join(cues)

    return build


def _latex(paragraphs: Paragraphs) -> str:
    body = _lines(
        "\\section{{{title}}}\n\\textbf{{{text}}} and \\emph{{more}} % a comment\n\\begin{{itemize}}\n\\item {text}\n"
        "\\end{{itemize}}\n\\begin{{tabular}}{{ll}}\n{title} & {text} \\\\\n\\end{{tabular}}"
    )(paragraphs)
    return f"\\documentclass{{article}}\n\\begin{{document}}\n{body}\\end{{document}}\n"


def _underlined(paragraphs: Paragraphs) -> str:
    parts = (
        f"{words[0]}\n{'=' * (2 * len(words[0]) + 4)}\n\n{' '.join(words)}::\n\n    {' '.join(words)}\n"
        for words in paragraphs
    )
    return "\n".join(parts)


def _xml(root: str, item: str) -> Builder:
    def build(paragraphs: Paragraphs) -> str:
        return f"<?xml version='1.0'?><{root}>{_lines(item)(paragraphs)}</{root}>"

    return build


BUILDERS: dict[str, tuple[str, Builder]] = {
    "txt": ("text/plain", _lines("{text}")),
    "log": ("text/x-log", _lines("2024-01-01 12:00:00 INFO {text}")),
    "md": ("text/markdown", _lines("# {title}\n\n- {text}\n- [{title}](x)\n\n```\n{words}\n```\n\n"
        "| {title} | b |\n|---|---|\n| {text} | c |")),
    "setext": ("text/markdown", _underlined),
    "rst": ("text/x-rst", _underlined),
    "rst blocks": ("text/x-rst", _lines(".. note:: {text}\n\n.. code-block:: python\n\n   {text}\n\n"
        ":field: {text}\n\n`{title} <x>`_ {text}")),
    "tex": ("text/x-tex", _latex),
    "bib": ("text/x-bibtex", _lines("@article{{{title},\n  title = {{{text}}},\n  note = \"{text}\",\n}}")),
    "org": ("text/x-org", _lines("* TODO {title}\n{text}\n| {title} | b |\n|---+---|\n| {text} | c |\n"
        "#+BEGIN_SRC x\n{words}\n#+END_SRC")),
    "adoc": ("text/x-asciidoc", _lines("== {title}\n\n{text}\n\n----\n{words}\n----\n\n|===\n|{title} |{text}\n|===")),
    "wiki": ("text/x-mediawiki", _lines("== {title} ==\n{text} [[{title}]]")),
    "html": ("text/html", _lines("<h1>{title}</h1><p>{text}</p><table><tr><td>{title}</td><td>{text}</td>"
        "</tr></table>")),
    "xml": ("application/xml", _xml("catalog", "<book x='{title}'><a>{text}</a><b>{title}</b></book>")),
    "docbook": ("application/xml", _xml("article", "<section><title>{title}</title>"
        "<para>{text} <b>{title}</b></para></section>")),
    "rss": ("application/xml", _xml("rss", "<item><title>{title}</title><description>"
        "<![CDATA[<p>{text}</p>]]></description></item>")),
    "json": ("application/json", _json),
    "jsonl": ("application/x-ndjson", _json_lines),
    "ipynb": ("application/x-ipynb+json", _notebook),
    "yaml": ("application/yaml", _lines("- key: \"{text}\"\n  other:\n    - \"{title}\"")),
    "toml": ("application/toml", _lines("[[item]]\nkey = \"{text}\"\nother = [\"{title}\"]")),
    "ini": ("text/x-ini", _lines("[part]\nkey = {text}")),
    "csv": ("text/csv", _csv),
    "srt": ("application/x-subrip", _subtitles("", ",")),
    "vtt": ("text/vtt", _subtitles("WEBVTT\n\n", ".")),
    "eml": ("message/rfc822", lambda paragraphs: "From: a@example.org\nSubject: x\n"
        "Content-Type: text/plain; charset=utf-8\n\n" + _lines("{text}")(paragraphs)),
    "py": ("text/x-python", _lines("def f(x):\n    \"{text}\"\n    return x  # {title}")),
    "js": ("text/javascript", _lines("// {text}\nfunction f() {{ return \"{title}\"; }}")),
    "java": ("text/x-java", _lines("/** {text} */\nclass C {{ void f() {{ g(\"{title}\"); }} }}")),
    "c": ("text/x-c", _lines("/* {text} */\nint f(void) {{ return g(\"{title}\"); }}")),
    "rs": ("text/x-rust", _lines("/// {text}\nfn f() {{ g(\"{title}\"); }}")),
    "sql": ("text/x-sql", _lines("-- {text}\nCREATE TABLE t (a int);\nINSERT INTO t VALUES ('{title}');")),
    "sh": ("text/x-shellscript", _lines("# {text}\nf() {{\n  echo \"{title}\"\n}}")),
    "hs": ("text/x-haskell", _lines("-- {text}\nf :: Int\nf = g \"{title}\"")),
}  # fmt: skip
