from __future__ import annotations

import pytest

from search.analysis import sequence
from search.file_names import share_named


@pytest.mark.parametrize(
    ("name", "question", "share"),
    [
        ("report-2023.pdf", "report-2023.pdf", 1.0),
        ("report-2023.pdf", "what does Report_2023.PDF say", 1.0),
        ("report-2023.pdf", "report 2023 revenue", 2 / 3),
        ("tea.txt", "how is tea made", 1 / 2),
        ("5.txt", "at mach number 5", 0),
        ("5.txt", "5.txt", 1.0),
        ("annual report of the northern branch.pdf", "annual accounts", 0),
        ("notes.txt", "cats", 0),
        ("年度报告.pdf", "年度报告", 1.0),
        ("", "anything", 0),
    ],
)
def test_how_much_of_a_question_names_a_file(name: str, question: str, share: float) -> None:
    assert share_named(name, sequence(question)) == pytest.approx(share)
