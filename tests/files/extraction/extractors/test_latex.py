from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.detection import detect
from files.extraction.document import SegmentKind
from files.extraction.formats.markup.latex_text import plain
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.samples import write

TEX = "text/x-tex"
SAMPLE = r"""% A comment at the top.
\documentclass[12pt]{article}
\usepackage[utf8]{inputenc}
\title{The \emph{Tides}}
\author{A. Writer \and B. M\"uller}
\begin{document}
\maketitle
\begin{abstract}
We measure 50\% of it.
\end{abstract}
\section{Intro to
  \textbf{things}}\label{sec:a}
Text with \textbf{bold} words, \cite[p.~3]{knuth84} and $x^2$. % unseen
% unseen, and no end of the paragraph
More text.

\begin{itemize}
  \item One
  \item[Two] second
\end{itemize}
\begin{equation}
  E = mc^2
\end{equation}
\begin{table}[h]
\caption{Sizes of boats}
\begin{tabular}{|l|r|}
\hline
Name & Size \\ \hline
A \& B & 3 \\
C & 4 \\
\end{tabular}
\end{table}
\begin{lstlisting}[language=Python]
def f(): % kept
    return 1
\end{lstlisting}
\subsection*{Last}
\input{chapters/one}
Done {\it here}.
\end{document}
"""


class TestLatex(ExtractorContract):
    media_type = TEX
    ending = "tex"
    sample = SAMPLE.encode()
    says = "Text with bold words, [knuth84] and $x^2$."

    def test_sections_give_the_path(self, path: Path) -> None:
        found = segments(read(path, TEX))
        headings = [s.text for s in found if s.kind is SegmentKind.HEADING]
        assert headings == ["## Abstract", "## Intro to things", "### Last"]
        last = found[-1]
        assert (last.text, last.place.headings, last.place.line) == ("Done here.", ("Intro to things", "Last"), 38)

    def test_tables_and_code_are_blocks_of_their_own(self, path: Path) -> None:
        found = {s.kind: s for s in segments(read(path, TEX))}
        assert found[SegmentKind.TABLE].text == "| Name | Size |\n| --- | --- |\n| A & B | 3 |\n| C | 4 |"
        assert found[SegmentKind.CODE].text == "def f(): % kept\n    return 1"

    def test_formulas_stay_and_comments_go(self, path: Path) -> None:
        text = text_of(read(path, TEX))
        assert "E = mc^2" in text
        assert "- Two: second" in text
        assert "unseen" not in text
        assert "A comment" not in text

    def test_says_who_wrote_it_and_what_it_names(self, path: Path) -> None:
        found = facts(read(path, TEX))
        assert (found["title"], found["author"]) == ("The Tides", "A. Writer, B. Müller")
        assert found["includes"] == ["inputenc", "chapters/one"]

    def test_is_known_by_its_opening(self, path: Path) -> None:
        assert detect(path, "paper").media_type == TEX
        assert detect(path, "paper.txt").media_type == TEX


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\'etude na\"{\i}ve \c{c}a \v{s} \o{}l \ss", "étude naïve ça š øl ß"),
        (r"\href{https://e.org/a\_b}{a page} and \url{https://x.org}", "[a page](https://e.org/a_b) and https://x.org"),
        (r"``quoted'' --- 3--4~m, 5\,km, \$5 \& \{x\}", "“quoted” — 3–4 m, 5 km, $5 & {x}"),
        (r"\textcolor{red}{seen} \multicolumn{2}{c}{wide}", "seen wide"),
        (r"\(a_b\) \[c\] $$d$$ $e", r"\(a_b\) \[c\] $$d$$ $e"),
        ("\\unknown[opt]{kept} {grouped} \\", "kept grouped "),
        ("plain words", "plain words"),
    ],
)
def test_markup_inside_a_paragraph(latex: str, text: str) -> None:
    assert plain(latex) == text


BAIT = ["{" * 50_000, "\\textbf{" * 30_000, "\\\\" * 50_000, "$" * 99_999, "\\begin{a}" * 9_000]


@pytest.mark.parametrize("bait", BAIT, ids=lambda bait: bait[:8])
def test_groups_that_never_close_cost_linear_time(tmp_path: Path, bait: str) -> None:
    assert "the end" in text_of(read(write(tmp_path / "a.tex", bait + "\n\nthe end\n"), TEX))


def test_a_heading_that_never_closes_ends_with_the_file(tmp_path: Path) -> None:
    assert "words" in text_of(read(write(tmp_path / "a.tex", "\\section{open\nwords\n" * 20), TEX))


BIB = """@article{knuth84,
  author = {Donald E. Knuth and M{\\"u}ller},
  title = "Literate {P}rogramming",
  year = 1984, journal = jan # " x",
}

@book(b, title={B})
stray words
"""


class TestBibtex(ExtractorContract):
    media_type = "text/x-bibtex"
    ending = "bib"
    sample = BIB.encode()
    says = "author: Donald E. Knuth and Müller\ntitle: Literate Programming\nyear: 1984"

    def test_each_reference_is_a_record(self, path: Path) -> None:
        pieces = read(path, self.media_type)
        assert facts(pieces)["record_count"] == 2
        openings = [(s.text.split("\n")[0], s.place.line) for s in segments(pieces)]
        assert openings == [("knuth84 (article)", 1), ("b (book)", 7)]
        assert "stray words" in text_of(pieces)
