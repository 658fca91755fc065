"""`manage.py evaluate_search`, from a folder to figures, through uploads, pipeline and search."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from files.models import FileRecord
from orchestra.accounts.models import User
from search.models import SearchQuery

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_redis")]
TOPICS = ("harbour tides", "copper smelting", "alpine beekeeping", "night trains")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "Four Topics"
    folder.mkdir()
    corpus = [
        {"_id": f"d/{n}", "title": topic if n % 2 else "", "text": f"All about {topic}.\n\nMore about {topic} & <co>."}
        for n, topic in enumerate(TOPICS)
    ]
    queries = [{"_id": f"q{n}", "text": f"what of {topic}?"} for n, topic in enumerate(TOPICS)]
    spans = [{"query_id": f"q{n}", "corpus_id": f"d/{n}", "spans": [[0, 15]]} for n in range(len(TOPICS))]
    for name, rows in (("corpus", corpus), ("queries", queries), ("spans", spans)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "qrels.tsv").write_text("".join(f"q{n}\td/{n}\t1\n" for n in range(len(TOPICS))))
    return folder


def evaluate(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("evaluate_search", *arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_a_collection_is_taken_in_asked_and_measured(dataset: Path) -> None:
    found = evaluate(str(dataset), "--against", "basic,weight=0,depth=20")

    assert found["files"] == {"ready": len(TOPICS)}
    for run in found["runs"]:
        assert run["nDCG@10"] == run["MRR@10"] == run["Recall@10"] == run["answer in 5"] == 1
        assert 0 < run["p50_ms"] <= run["p95_ms"]
        assert 0 < run["distance in 10"] < 2
    assert found["comparison"]["nDCG@10"]["difference"] == 0
    assert [run["configuration"] for run in found["runs"]] == [
        "basic, weight 0.5, depth 100",
        "basic, weight 0, depth 20",
    ]


def test_a_second_run_takes_nothing_in_and_leaves_no_trace_in_the_history(dataset: Path) -> None:
    evaluate(str(dataset))
    before = set(FileRecord.objects.values_list("pk", flat=True))

    evaluate(str(dataset))

    assert set(FileRecord.objects.values_list("pk", flat=True)) == before
    assert not SearchQuery.objects.exists()


def test_the_account_cannot_sign_in_and_goes_with_its_files(dataset: Path) -> None:
    evaluate(str(dataset))
    account = User.objects.get(username="evaluation-four-topics")
    assert not account.is_active
    assert not account.has_usable_password()

    evaluate(str(dataset), "--remove")

    assert not User.objects.filter(username__startswith="evaluation-").exists()
    assert not FileRecord.objects.exists()


@pytest.mark.parametrize(
    ("configuration", "said"),
    [("loud", "no mode loud"), ("basic,weight=x", "not a number"), ("basic,speed=1", "speed"), ("basic,weight=2", "0")],
)
def test_a_wrong_configuration_is_refused_before_anything_is_taken_in(
    dataset: Path, configuration: str, said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        evaluate(str(dataset), "--mode", configuration)
    assert not FileRecord.objects.exists()


def test_a_folder_that_is_no_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"corpus\.jsonl"):
        evaluate(str(tmp_path))


def test_every_mode_that_needs_no_permission_can_be_measured(dataset: Path) -> None:
    for mode in ("deep", "super_deep", "creative", "private"):
        (run,) = evaluate(str(dataset), "--mode", mode)["runs"]
        assert run["Recall@100"] == 1
    with pytest.raises(CommandError, match="may not search in this mode"):
        evaluate(str(dataset), "--mode", "uncensored")


def test_a_person_gets_a_table(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("evaluate_search", str(dataset))

    shown = capsys.readouterr().out
    assert "nDCG@10" in shown
    assert "4 questions" in shown
