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


LANGUAGES = {
    "French": ("L’été dernier, nous avons dîné près du château où les élèves étaient déjà arrivés. ", "cp1252"),
    "Spanish": ("El niño comió una piña en la montaña, ¿verdad? ¡Qué alegría señor! ", "latin-1"),
    "Portuguese": ("A informação não está disponível; a eleição será às três horas da manhã. ", "latin-1"),
    "Swedish": ("Björn åkte över ån för att få se älgen på ängen. ", "latin-1"),
    "Polish": ("Zażółć gęślą jaźń. Łódź płynie powoli, a książki leżą na półce przy oknie. ", "iso8859-2"),
    "Czech": ("Příliš žluťoučký kůň úpěl ďábelské ódy, řekl děda večer. ", "cp1250"),
    "Hungarian": ("Árvíztűrő tükörfúrógép, őszi szőlő és hűvös idő volt. ", "cp1250"),
    "Turkish": ("Işık şehrin üzerine düştüğünde çocuklar güneşi gördü, ağaçlar yeşildi. ", "cp1254"),
    "Russian": ("Правила гавани просты: лодки стоят у нового причала. ", "cp866"),
    "Russian of the Mac": ("Правила гавани просты: лодки стоят у нового причала. ", "mac_cyrillic"),
    "Ukrainian": ("Їжак їсть яблука, а єнот ґречно дивиться на нього зі свого місця. ", "koi8-u"),
    "Hebrew": ("כללי הנמל פשוטים והספינות עוגנות ברציף החדש ליד הים. ", "cp1255"),
    "Arabic": ("قواعد الميناء بسيطة والسفن ترسو على الرصيف الجديد قرب البحر. ", "cp1256"),
    "Thai": ("กฎของท่าเรือนั้นง่ายมาก เรือจอดที่ท่าเรือใหม่ และกัปตันจ่ายค่าจอด ", "cp874"),
    "Greek": ("Οι κανόνες του λιμανιού είναι απλοί και τα πλοία δένουν. ", "iso8859-7"),
    "Japanese": ("港の規則は簡単です。船は新しい桟橋に停泊します。", "shift_jis"),
    "Chinese": ("港口的规则很简单。船只停泊在新码头，船长支付泊位费用。", "gb18030"),
    "Chinese of Taiwan": ("港口的規則很簡單。船隻停泊在新碼頭，船長支付泊位費用。", "big5"),
    "Korean": ("항구의 규칙은 간단합니다. 배는 새 부두에 정박하고 선장은 요금을 냅니다. ", "euc_kr"),
}
UNICODE = ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_or_a_megabyte_is_told_by_its_letters(tmp_path: Path, language: str) -> None:
    sentence, legacy = LANGUAGES[language]
    among_english = "A plain line that says nothing.\n" * 20 + sentence + "\nAnd more plain words.\n"
    for text in (sentence, sentence * 12, among_english, (sentence * 30_000)[:1_000_000]):
        for encoding in (legacy, *UNICODE):
            assert decode(text.encode(encoding))[0] == text, encoding
    path = write(tmp_path / "t.txt", (sentence * 30_000)[:1_000_000].encode(legacy))
    assert path.read_text(detect_encoding(path)) == (sentence * 30_000)[:1_000_000]


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_bad_byte_costs_one_character(language: str) -> None:
    sentence, legacy = LANGUAGES[language]
    damaged = (sentence * 6).encode(legacy) + b" \xff " + (sentence * 6).encode(legacy)
    assert decode(damaged)[0].count(sentence.strip()) >= 11


def test_utf7_is_read_as_ascii() -> None:
    assert decode(b"+ADw-script+AD4- words")[0] == "+ADw-script+AD4- words"


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
