from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.encoding import decode, detect_encoding, read_lines
from tests.files.extraction.samples import write

GERMAN = "Die Größe der Häfen überrascht viele Gäste. Schöne Grüße aus Köln, wo die Straße endet. " * 3
POLISH = "Zażółć gęślą jaźń. Łódź płynie powoli, a książki leżą na półce przy oknie. " * 6
RUSSIAN = "Правила гавани просты: лодки стоят у нового причала, а капитан платит за место. " * 6
JAPANESE = "港の規則は簡単です。船は新しい桟橋に停泊し、船長は場所の料金を支払います。" * 6
CHINESE = "港口的規則很簡單。船隻停泊在新碼頭，船長支付泊位費用。" * 6
KOREAN = "항구의 규칙은 간단합니다. 배는 새 부두에 정박하고 선장은 요금을 냅니다. " * 6
GREEK = "Οι κανόνες του λιμανιού είναι απλοί και τα πλοία δένουν στη νέα αποβάθρα. " * 6


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Plain words.", "ascii"),
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "utf-32"),
        (GERMAN, "utf-32-le"),
        (GERMAN, "utf-32-be"),
        (GERMAN, "cp1252"),
        ("It’s “quoted” — and costs 5 €…", "cp1252"),
        ("Jäger; Söhne", "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (GREEK, "cp1253"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
        (CHINESE, "big5"),
        (CHINESE, "gb18030"),
        (KOREAN, "euc_kr"),
    ],
)
def test_text_comes_out_as_it_went_in(tmp_path: Path, text: str, encoding: str) -> None:
    data = text.encode(encoding)
    assert decode(data)[0] == text
    path = write(tmp_path / "t.txt", data)
    found = detect_encoding(path)
    assert path.read_text(found).lstrip("\ufeff") == text


def test_polish_in_windows_1250_is_told_from_windows_1252(tmp_path: Path) -> None:
    assert decode(POLISH.encode("cp1250"))[0] == POLISH


def test_a_stray_byte_does_not_spoil_utf8() -> None:
    text, name = decode("café au lait ".encode() * 3 + b"\xff end")
    assert name == "utf-8"
    assert "café au lait" in text


def test_a_letter_far_behind_the_start_still_decides(tmp_path: Path) -> None:
    path = write(
        tmp_path / "far.txt", b"plain line\n" * 200_000 + "Übermut tut selten gut: für Gäste.\n".encode("cp1252")
    )
    assert detect_encoding(path) == "cp1252"


def test_lines_are_numbered_and_long_ones_come_in_parts(tmp_path: Path) -> None:
    path = write(tmp_path / "l.txt", "one\r\ntwo " + "x" * 70_000 + " end\n\nlast")
    lines = list(read_lines(path, "utf-8"))
    assert [(line.number, line.whole) for line in lines] == [(1, True), (2, False), (2, True), (3, True), (4, True)]
    assert "".join(line.text for line in lines if line.number == 2) == "two " + "x" * 70_000 + " end"
