"""The evaluation pages, as the server makes them: for staff, on their own files."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.test import Client

from files import pipeline
from files.models import FileRecord
from orchestra.accounts.models import User
from search.evaluation import own_questions
from search.models import EvaluationQuestion, EvaluationRun, SearchQuery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_redis")]
MakeFile = Callable[..., FileRecord]

HOSTILE = "<script>alert(1)</script>"
ADDRESSES = [
    ("get", "/evaluation"),
    ("get", "/evaluation/questions"),
    ("post", "/evaluation/questions"),
    ("post", f"/evaluation/questions/{uuid.uuid4()}/delete"),
    ("get", "/evaluation/runs"),
    ("post", "/evaluation/runs"),
    ("get", f"/evaluation/runs/{uuid.uuid4()}"),
]


@pytest.fixture
def staff(alice: User) -> User:
    """Alice, as staff."""
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    alice.refresh_from_db()
    return alice


@pytest.fixture
def browser(staff: User, client: Client) -> Client:
    """Alice's browser."""
    client.force_login(staff)
    return client


@pytest.fixture
def tea(alice: User, make_file: MakeFile) -> FileRecord:
    """A searchable file of alice's, beside another."""
    make_file(alice, b"A diesel engine ignites its fuel by compression.", "engines.txt")
    file = make_file(alice, b"Green tea is steeped at eighty degrees.", "tea.txt")
    while pipeline.work("test"):
        pass
    return file


def run_form(**more: str) -> dict[str, str]:
    return {"first-mode": "basic", "first-weight": "0.5", "first-depth": "50", "second-mode": "", **more}


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_strangers_sign_in_and_others_are_refused(client: Client, bob: User, method: str, path: str) -> None:
    answer = getattr(client, method)(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/sign-in?next={path}")
    client.force_login(bob)
    refused = getattr(client, method)(path)
    assert refused.status_code == 403
    assert "You may not do this" in refused.content.decode()


def test_only_staff_have_the_link(client: Client, bob: User, staff: User) -> None:
    for user, shown in ((bob, False), (staff, True)):
        client.force_login(user)
        assert ('href="/evaluation"' in client.get("/search").content.decode()) is shown


def test_an_empty_page_says_what_to_do(browser: Client) -> None:
    html = browser.get("/evaluation").content.decode()
    assert "No questions yet." in html
    assert "You have no searchable files yet." in html
    assert "Earlier runs" not in html


def test_files_are_found_and_ticked_ones_stay(browser: Client, tea: FileRecord, bob: User, make_file: MakeFile) -> None:
    his = make_file(bob, b"Of bob.", "tea of bob.txt")
    pipeline.work("test")
    form = {"question-text": "How hot?", "question-name": "engine", "files": [tea.pk, his.pk, "no id"], "find": "yes"}
    answer = browser.post("/evaluation/questions", form)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert 'value="How hot?"' in html
    assert f'name="files" value="{tea.pk}" checked' in html
    assert "engines.txt" in html
    assert "tea of bob.txt" not in html
    assert not EvaluationQuestion.objects.exists()


def test_searching_for_files_needs_no_question_yet(browser: Client, tea: FileRecord) -> None:
    html = browser.post("/evaluation/questions", {"question-name": "no such \x00", "find": "yes"}).content.decode()
    assert "None of your searchable files has this in its name." in html
    assert "field is required" not in html


def test_a_question_is_added_shown_escaped_and_deleted(browser: Client, tea: FileRecord) -> None:
    form = {"question-text": f"How hot {HOSTILE}?", "files": [tea.pk], "add": "yes"}
    assert browser.post("/evaluation/questions", form)["Location"] == "/evaluation"
    question = EvaluationQuestion.objects.get()
    html = browser.get("/evaluation").content.decode()
    assert "How hot &lt;script&gt;" in html
    assert HOSTILE not in html
    assert f'href="/files/{tea.pk}"' in html
    assert browser.post(f"/evaluation/questions/{question.pk}/delete")["Location"] == "/evaluation"
    assert not EvaluationQuestion.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"question-text": ""}, "This field is required."),
        ({"question-text": "a" * 1001}, "1000 characters"),
        ({"question-text": "a\x00"}, "Null characters"),
        ({"question-text": "-only"}, "The question is empty."),
        ({"files": []}, "No file is chosen."),
        ({"files": [str(uuid.uuid4())]}, "not there, or not searchable"),
        ({"files": [str(uuid.uuid4()) for _ in range(30)]}, "More than 20 files"),
    ],
)
def test_a_question_that_cannot_be_kept_says_why(
    browser: Client, tea: FileRecord, change: dict[str, object], said: str
) -> None:
    form = {"question-text": "How hot?", "files": [str(tea.pk)], "add": "yes", **change}
    answer = browser.post("/evaluation/questions", form)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not EvaluationQuestion.objects.exists()


def test_anothers_file_cannot_be_chosen(browser: Client, tea: FileRecord, bob: User, make_file: MakeFile) -> None:
    his = make_file(bob, b"Of bob.", "bobs.txt")
    pipeline.work("test")
    answer = browser.post("/evaluation/questions", {"question-text": "Whose?", "files": [his.pk], "add": "yes"})
    html = answer.content.decode()
    assert "not there, or not searchable" in html
    assert "bobs.txt" not in html
    assert not EvaluationQuestion.objects.exists()


def test_a_run_of_two_configurations_is_measured_and_shown(browser: Client, staff: User, tea: FileRecord) -> None:
    own_questions.add_question(staff, "At how many degrees is green tea steeped?", [tea.pk])
    form = run_form(**{"second-mode": "basic", "second-weight": "0", "second-depth": ""})
    answer = browser.post("/evaluation/runs", form)
    run = EvaluationRun.objects.get()
    assert answer["Location"] == f"/evaluation/runs/{run.pk}"
    assert run.configurations == [
        {"mode": "basic", "weight": 0.5, "depth": 50},
        {"mode": "basic", "weight": 0.0, "depth": 100},
    ]
    html = browser.get(f"/evaluation/runs/{run.pk}").content.decode()
    assert "basic, weight 0, depth 100" in html
    assert "At how many degrees is green tea steeped?" in html
    assert "Difference" in html
    assert f'href="/evaluation/runs/{run.pk}"' in browser.get("/evaluation").content.decode()
    assert not SearchQuery.objects.exists()


def test_a_run_of_one_configuration_has_no_comparison(browser: Client, staff: User, tea: FileRecord) -> None:
    own_questions.add_question(staff, "green tea", [tea.pk])
    html = browser.post("/evaluation/runs", run_form(), follow=True).content.decode()
    assert "basic, weight 0.5, depth 50" in html
    assert "Difference" not in html


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"first-mode": "psychic"}, "not one of the available choices"),
        ({"first-mode": ""}, "This field is required."),
        ({"first-weight": "2"}, "less than or equal to 1"),
        ({"first-weight": "nan"}, "Enter a number."),
        ({"second-mode": "basic", "second-depth": "5000"}, "less than or equal to 1000"),
    ],
)
def test_a_wrong_configuration_is_told_and_nothing_is_run(
    browser: Client, staff: User, tea: FileRecord, change: dict[str, str], said: str
) -> None:
    own_questions.add_question(staff, "green tea", [tea.pk])
    answer = browser.post("/evaluation/runs", run_form(**change))
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not EvaluationRun.objects.exists()


def test_without_questions_there_is_nothing_to_run(browser: Client) -> None:
    answer = browser.post("/evaluation/runs", run_form())
    assert answer.status_code == 409
    assert "There is no question to measure with." in answer.content.decode()


def test_another_members_questions_and_runs_are_unknown(
    browser: Client, staff: User, tea: FileRecord, bob: User
) -> None:
    question = own_questions.add_question(staff, "green tea", [tea.pk])
    run_page = browser.post("/evaluation/runs", run_form())["Location"]
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    bob.refresh_from_db()
    browser.force_login(bob)
    assert browser.get(run_page).status_code == 404
    assert browser.post(f"/evaluation/questions/{question.pk}/delete").status_code == 404
    assert "green tea" not in browser.get("/evaluation").content.decode()
    assert EvaluationQuestion.objects.filter(pk=question.pk).exists()
