"""Keywords end to end: files in several languages and scripts, and what a question may ask for by signs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from files import pipeline, services
from files.models import FileRecord, FileStatus
from orchestra.accounts.models import User
from search.candidates import find
from search.errors import EmptyQuery
from search.models import IndexedFile, KeywordPosting
from search.passages import document_of
from search.ranking.query_syntax import parse_query
from search.retrieval import Found, Scope
from search.services import search

MakeFile = Callable[..., FileRecord]
Library = dict[str, FileRecord]

LANGUAGES = {
    "en.txt": "The engineers were measuring the bridges in the old harbour while it was raining on the city.",
    "es.txt": "Los ingenieros midieron los puentes del puerto viejo mientras llovía sobre toda la ciudad.",
    "de.txt": "Die Ingenieure haben die Brücken im alten Hafen vermessen, während es in der Stadt regnete.",
    "ru.txt": "Инженеры измеряли мосты в старой гавани, пока над всем городом шёл сильный дождь.",
    "ar.txt": "قام المهندسون بقياس الجسور في الميناء القديم بينما كان المطر يهطل على المدينة كلها.",
    "zh.txt": "工程师们在旧港口测量桥梁，当时整个城市都在下雨。他们使用了GPS接收器。",
    "ja.txt": "技術者たちは雨の降る街の古い港で橋を測量していました。",
    "th.txt": "วิศวกรกำลังวัดสะพานในท่าเรือเก่าขณะที่ฝนตกทั่วทั้งเมือง",
    "ko.txt": "기술자들이 비가 오는 도시의 오래된 항구에서 다리를 측량했다.",
}
PROSE = {
    "alpha.txt": "Order ABC-1234 was shipped by jane.doe@example.org under doi 10.1000/xyz with version 3.11.2.",
    "beta.txt": "Order ABC-1235 was kept. The cold war ended; a war in the cold is another matter. See snake_case.",
    "gamma.txt": "Cold comfort: the war of words went on. To be or not to be, that is the question about jaguars.",
    "delta.txt": "A jaguar is a cat. A jaguar is also a car that is parked beside the interchange of the motorway.",
}


def indexed(make_file: MakeFile, owner: User, texts: dict[str, str]) -> Library:
    files = {name: make_file(owner, text.encode(), name) for name, text in texts.items()}
    while pipeline.work("test"):
        pass
    for file in files.values():
        file.refresh_from_db()
        assert file.status == FileStatus.READY, file.error_message
    return files


@pytest.fixture
def languages(alice: User, make_file: MakeFile) -> Library:
    return indexed(make_file, alice, LANGUAGES)


@pytest.fixture
def prose(alice: User, make_file: MakeFile) -> Library:
    return indexed(make_file, alice, PROSE)


def found(user: User, question: str) -> tuple[Found, ...]:
    return find(parse_query(question), Scope(user.pk), 10).found


def names(user: User, question: str) -> list[str]:
    files = dict(IndexedFile.objects.values_list("number", "file__name"))
    return [files[document_of(one.passage)] for one in found(user, question)]


class TestLanguages:
    def test_each_file_has_its_language_and_its_configuration(self, languages: Library) -> None:
        rows = IndexedFile.objects.values_list("file__name", "language", "configuration", "file__language")
        assert {name: row for name, *row in rows} == {
            "en.txt": ["en", "english", "en"],
            "es.txt": ["es", "spanish", "es"],
            "de.txt": ["de", "german", "de"],
            "ru.txt": ["ru", "russian", "ru"],
            "ar.txt": ["ar", "arabic", "ar"],
            "zh.txt": ["zh", "simple", "zh"],
            "ja.txt": ["ja", "simple", "ja"],
            "th.txt": ["th", "simple", "th"],
            "ko.txt": ["ko", "simple", "ko"],
        }

    @pytest.mark.parametrize(
        ("question", "expected"),
        [
            ("measured bridge", "en.txt"),
            ("ingeniero del puente", "es.txt"),
            ("Brücke vermessend", "de.txt"),
            ("моста измерять", "ru.txt"),
            ("مهندس", "ar.txt"),
            ("港口", "zh.txt"),
            ("橋の測量", "ja.txt"),
            ("สะพาน", "th.txt"),
            ("다리", "ko.txt"),
            ("\uff27\uff30\uff33", "zh.txt"),
        ],
    )
    def test_words_are_found_in_another_form(
        self, alice: User, languages: Library, question: str, expected: str
    ) -> None:
        assert names(alice, question)[0] == expected

    def test_a_single_character_is_found_wherever_it_stands(self, alice: User, languages: Library) -> None:
        assert set(names(alice, "雨")) == {"ja.txt", "zh.txt"}

    def test_stems_of_one_language_do_not_find_those_of_another(
        self, alice: User, make_file: MakeFile, languages: Library
    ) -> None:
        # In German "Brücken" becomes "bruck"; an English text that has "bruck" has none of its forms.
        text = "The bruck is what the engineers have been calling it in their notes about the harbour for years."
        indexed(make_file, alice, {"odd.txt": text})
        assert names(alice, "Brücken") == ["de.txt"]

    def test_code_has_no_language_and_its_identifiers_are_found_by_their_parts(
        self, alice: User, make_file: MakeFile
    ) -> None:
        files = indexed(make_file, alice, {"a.py": "def parseHeaderLine(raw):\n    return raw.strip()\n"})
        assert files["a.py"].language == ""
        assert names(alice, "header") == ["a.py"]

    def test_another_default_does_not_hide_what_is_indexed(self, alice: User, prose: Library, settings: object) -> None:
        IndexedFile.objects.update(configuration="gone.missing")
        assert names(alice, "10.1000/xyz") == ["alpha.txt"], "exact tokens need no configuration"
        assert search(alice, "jaguar").hits


class TestExactness:
    @pytest.mark.parametrize(
        "question", ["ABC-1234", "10.1000/xyz", "jane.doe@example.org", "3.11.2", "v3.11.2", "abc-1234?"]
    )
    def test_identifiers_come_first(self, alice: User, prose: Library, question: str) -> None:
        assert names(alice, question)[0] == "alpha.txt"

    def test_repeated_words_weigh_more(self, alice: User, prose: Library) -> None:
        once, twice = found(alice, "jaguar motorway"), found(alice, "jaguar jaguar motorway")
        assert sum(one.keyword for one in twice) > sum(one.keyword for one in once)


class TestSyntax:
    def test_a_phrase_is_required(self, alice: User, prose: Library) -> None:
        assert names(alice, '"cold war"') == ["beta.txt"]
        assert {hit.file_name for hit in search(alice, '"cold war" jaguar').hits} == {"beta.txt"}

    def test_a_phrase_that_nobody_wrote_is_taken_as_words(self, alice: User, prose: Library) -> None:
        assert set(names(alice, '"war cold"')) == {"beta.txt", "gamma.txt"}

    def test_a_phrase_of_words_that_do_not_count_is_found(self, alice: User, prose: Library) -> None:
        assert names(alice, '"to be or not to be"') == ["gamma.txt"]
        assert names(alice, "to be or not to be") == ["gamma.txt"]

    def test_a_phrase_in_a_script_without_spaces(self, alice: User, languages: Library) -> None:
        assert names(alice, "“旧港口测量”") == ["zh.txt"]

    @pytest.mark.parametrize("excluded", ["-car", "-cars", '-"also a car"', "-motorways"])
    def test_what_is_excluded_is_in_no_hit(self, alice: User, prose: Library, excluded: str) -> None:
        assert names(alice, f"jaguar {excluded}") == ["gamma.txt"]
        assert "delta.txt" not in {hit.file_name for hit in search(alice, f"jaguar {excluded}").hits}

    def test_a_script_without_spaces_is_excluded_by_the_text(self, alice: User, languages: Library) -> None:
        assert "zh.txt" not in {hit.file_name for hit in search(alice, "雨 -桥梁").hits}

    def test_a_prefix_finds_what_begins_with_it(self, alice: User, prose: Library) -> None:
        assert names(alice, "interch*") == ["delta.txt"]
        assert names(alice, "ABC-123*")[:2] in (["alpha.txt", "beta.txt"], ["beta.txt", "alpha.txt"])

    @pytest.mark.parametrize("question", ["-car", '""', '"""""""'])
    def test_nothing_to_look_for_is_said(self, alice: User, prose: Library, question: str) -> None:
        with pytest.raises(EmptyQuery):
            search(alice, question)


class TestFileNames:
    def test_a_named_file_comes_first(self, alice: User, make_file: MakeFile, prose: Library) -> None:
        more = {"report-2023.txt": "Nothing here says what it is.", "report-2022.txt": "Nor does this one."}
        files = indexed(make_file, alice, more)
        assert names(alice, "report-2023.txt")[0] == "report-2023.txt"
        assert names(alice, "what does report 2023 say")[0] == "report-2023.txt"
        services.update(files["report-2022.txt"], name="budget-plan.txt")
        assert names(alice, "the budget plan")[0] == "budget-plan.txt"

    def test_other_owners_files_are_not_named(self, alice: User, bob: User, prose: Library) -> None:
        assert names(bob, "alpha.txt") == []


HOSTILE = [
    "'; DROP TABLE x; --",
    "%s %(owner)s {scope}",
    '"' * 3999,
    '" " "',
    "a* " * 1000,
    "-x " * 1000 + "y",
    "x" * 10_000,
    "a-" * 2000,
    "\U0001f642" * 500,
    "\u202eabc\u202d",
    "\\ \\' | & ! <-> :*",
    "=en= en=war simple=",
    "水" * 3000,
    '"水' * 1000,
    "ab* " * 50 + '"cold war"',
]


@pytest.mark.parametrize("question", HOSTILE)
def test_hostile_questions_are_only_questions(alice: User, prose: Library, question: str) -> None:
    parsed = parse_query(question)
    find(parsed, Scope(alice.pk), 10)
    try:
        search(alice, question)
    except EmptyQuery:
        assert not parsed.text
    assert KeywordPosting.objects.exists()
