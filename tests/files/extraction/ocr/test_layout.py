from __future__ import annotations

from files.extraction.ocr.base import TextLine
from files.extraction.ocr.layout import paragraphs


def line(text: str, left: float, top: float, width: float = 300, height: float = 20) -> TextLine:
    return TextLine(text, 0.9, left, top, left + width, top + height)


def test_lines_close_together_are_one_paragraph_and_a_gap_starts_another() -> None:
    found = [line("third", 0, 100), line("first", 0, 0), line("second", 0, 26)]
    assert paragraphs(found) == ["first\nsecond", "third"]


def test_what_stands_on_one_line_is_joined_from_left_to_right() -> None:
    assert paragraphs([line("42", 400, 2, 40), line("Total", 0, 0, 80)]) == ["Total 42"]


def test_two_columns_are_read_one_after_the_other() -> None:
    left = [line(f"left column line {at}", 0, 100 + 26 * at) for at in range(4)]
    right = [line(f"right column line {at}", 400, 104 + 26 * at) for at in range(4)]
    mixed = [part for pair in zip(left, right, strict=True) for part in pair]
    text = "\n".join(paragraphs(mixed))
    assert text.index("left column line 3") < text.index("right column line 0")


def test_a_title_across_two_columns_comes_before_both() -> None:
    left = [line(f"left column line {at}", 0, 100 + 26 * at) for at in range(4)]
    right = [line(f"right column line {at}", 400, 104 + 26 * at) for at in range(4)]
    found = paragraphs([*right, *left, line("A title across", 0, 20, 700, 40)])
    assert found[0] == "A title across"
    assert found[1].startswith("left")


def test_the_cells_of_a_table_stay_in_their_rows() -> None:
    rows = [line(f"item {at}", 0, 30 * at, 100) for at in range(4)]
    prices = [line(f"{at}.50", 400, 30 * at, 60) for at in range(4)]
    assert "item 1 1.50" in "\n".join(paragraphs([*prices, *rows]))


def test_no_lines_give_no_text() -> None:
    assert paragraphs([]) == []
