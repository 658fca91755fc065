"""The status page: for staff, right after a reload, and a report that may be given to strangers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from orchestra.accounts.models import User
from orchestra.common.scrubbing import MASK
from orchestra.monitoring import findings
from orchestra.monitoring.checks import Outcome, registry
from orchestra.monitoring.models import CheckFinding, Resolution, SystemMetric
from orchestra.settings.secrets import is_secret

pytestmark = pytest.mark.django_db

PAGE = "/system/status"


@pytest.fixture
def staff(admin_user_record: User, client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """An administrator's browser; the checks are two that take no time."""
    answers = {"vector store": Outcome.passed("<b>Well.</b>"), "redis": Outcome.failed("Away.", "Start it.")}
    checks: dict[str, Any] = {name: lambda outcome=outcome: outcome for name, outcome in answers.items()}
    monkeypatch.setattr(registry, "_checks", checks)
    client.force_login(admin_user_record)
    return client


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def report_in(page: str) -> dict[str, Any]:
    found = re.search(r'<pre id="report".*?>(.*?)</pre>', page, re.S)
    assert found
    told: dict[str, Any] = json.loads(found[1].replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">"))
    return told


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/report", f"{PAGE}/run"])
def test_others_are_sent_away(alice: User, client: Client, path: str) -> None:
    method = client.post if "/run" in path else client.get
    assert method(path).status_code == 302
    client.force_login(alice)
    assert method(path).status_code == 403


def test_before_any_run_every_part_is_there_and_unknown(staff: Client) -> None:
    page = text_of(staff.get(PAGE))
    assert page.count(">Not checked yet<") == 3  # the browser's own socket among them
    assert "2 of 2 parts were not checked yet" in page
    assert {check["ok"] for check in report_in(page)["checks"]} == {None}


def test_what_was_found_is_there_after_a_reload_with_what_to_do(staff: Client) -> None:
    assert staff.post(f"{PAGE}/run").headers["Location"] == PAGE
    page = text_of(staff.get(PAGE))
    assert "1 of 2 parts needs attention" in page
    assert "Start it." in page
    assert "&lt;b&gt;Well.&lt;/b&gt;" in page
    assert "data-stale" not in page
    assert [check["ok"] for check in report_in(page)["checks"]] == [True, False]


def test_one_check_is_run_by_its_button_and_changes_its_time(staff: Client) -> None:
    staff.post(f"{PAGE}/run")
    CheckFinding.objects.update(ran_at=Now() - findings.STALE_AFTER * 2)
    answer = staff.post(f"{PAGE}/run", {"check": "vector-store"})
    assert answer.headers["Location"] == f"{PAGE}#check-vector-store"
    stale = {card.name: card.stale for card in findings.cards()}
    assert stale == {"vector store": False, "redis": True}
    assert text_of(staff.get(PAGE)).count("data-stale") == 1


def test_a_script_gets_the_card_alone(staff: Client) -> None:
    card = text_of(staff.post(f"{PAGE}/run", {"check": "redis"}, headers={"X-Fragment": "card"}))
    assert card.strip().startswith("<article")
    assert "Needs attention" in card
    assert "<html" not in card


def test_an_unknown_check_is_missing(staff: Client) -> None:
    assert staff.post(f"{PAGE}/run", {"check": "nothing"}).status_code == 404


def test_a_check_that_no_longer_exists_is_not_shown(staff: Client) -> None:
    CheckFinding.objects.create(name="gone", ok=False, message="x", milliseconds=1, ran_at=Now())
    assert "gone" not in text_of(staff.get(PAGE))


@pytest.mark.parametrize("span", ["hour", "day", "quarter", "nonsense"])
def test_charts_have_lines_words_and_a_table(staff: Client, span: str) -> None:
    for resolution in Resolution:
        SystemMetric.objects.create(resolution=resolution, at=Now(), figures={"memory": 512.5, "search_ms": 40.0})
    page = text_of(staff.get(f"{PAGE}?span={span}"))
    assert 'aria-label="Memory: Memory, last 512.5, highest 512.5"' in page
    assert page.count('<path class="chart-line') == 2
    assert "The same as a table" in page
    assert page.count('aria-current="true"') == 1
    assert "style=" not in page


def test_the_page_asks_few_questions_however_much_there_is(staff: Client, django_assert_max_num_queries: Any) -> None:
    staff.post(f"{PAGE}/run")
    with django_assert_max_num_queries(14):
        staff.get(PAGE)


def test_secrets_in_what_a_check_said_are_not_told(staff: Client, settings: Any) -> None:
    said = f"refused: key={settings.SECRET_KEY} jwt={settings.JWT_SIGNING_KEY}"
    CheckFinding.objects.create(name="redis", ok=False, message=said, milliseconds=1, ran_at=Now())
    told = text_of(staff.get(f"{PAGE}/report"))
    assert settings.SECRET_KEY not in told
    assert settings.JWT_SIGNING_KEY not in told
    assert told.count(MASK) >= 2


def test_which_settings_are_secrets_is_told_by_their_names() -> None:
    assert all(map(is_secret, ("secret_key", "metrics_token", "openai_api_key", "s3_secret_key")))
    assert not any(map(is_secret, ("answer_tokens", "s3_secret_key_file", "embedding_tokens", "host")))
