"""/metrics: who may read it, its form, and that it tells nothing of content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from files import jobs, pipeline
from files.models import FileRecord, ProcessingJob
from orchestra.accounts.models import User
from orchestra.monitoring.metrics import access, reading
from orchestra.monitoring.metrics.declared import metrics
from search import services

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-thirty-two-signs-or-more"


def samples() -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(reading.as_text().decode())
        for sample in family.samples
    }


def test_nobody_may_read_it_until_somebody_is_named(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN, settings.METRICS_NETWORKS = "", []
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
        answer = client.get("/metrics", headers=headers)
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "metrics_closed"
    assert access.check().ok
    assert "closed" in access.check().message


def test_the_token_opens_it_and_no_other(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN, settings.METRICS_NETWORKS = TOKEN, []
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer["Cache-Control"] == "no-store"
    for wrong in (TOKEN[:-1], f"{TOKEN}x", "", "é"):
        assert client.get("/metrics", headers={"Authorization": f"Bearer {wrong}"}).status_code == 403
    assert "METRICS_TOKEN" in access.check().message
    assert TOKEN not in access.check().message


@pytest.mark.parametrize(
    ("address", "status"), [("10.1.2.3", 200), ("10.2.0.1", 403), ("::1", 403), ("", 403), ("nonsense", 403)]
)
def test_networks_open_it_to_addresses(client: Client, settings: Any, address: str, status: int) -> None:
    settings.METRICS_TOKEN, settings.METRICS_NETWORKS = "", ["10.1.0.0/16"]
    # What a client says of itself is the server's to judge: by the time it comes here, REMOTE_ADDR is judged.
    headers = {"X-Forwarded-For": "10.1.2.3"}
    assert client.get("/metrics", REMOTE_ADDR=address, headers=headers).status_code == status


def test_open_to_everybody_needs_attention(settings: Any) -> None:
    settings.METRICS_NETWORKS = ["0.0.0.0/0"]
    assert not access.check().ok


def test_a_database_that_is_away_is_told_as_such(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("away")

    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(reading, "_kept", away)
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 503


def test_staff_that_is_signed_in_is_not_let_in(admin_client: Client) -> None:
    assert admin_client.get("/metrics").status_code == 403


def test_every_figure_that_was_declared_is_there_in_prometheus_form() -> None:
    families = {family.name for family in text_string_to_metric_families(reading.as_text().decode())}
    assert {metric.name.removesuffix("_total") for metric in metrics.all()} == families


def test_what_was_never_counted_is_zero_so_that_the_first_one_is_an_increase() -> None:
    found = samples()
    assert found["orchestra_vector_store_unavailable_total", ()] == 0
    assert found["orchestra_sweeper_actions_total", ("lost",)] == 0
    assert found["orchestra_search_failures_total", ("private",)] == 0


def test_requests_are_counted_by_route_method_and_status(client: Client) -> None:
    client.get("/api/health/live?secret=zebra")
    client.get("/nothing/zebra")
    client.get("/admin/login/")
    client.generic("BREW", "/api/health/live")

    found = samples()
    assert found["orchestra_http_requests_total", ("GET", "api-health-live", "2xx")] == 1
    assert found["orchestra_http_requests_total", ("GET", "unmatched", "4xx")] == 1
    assert found["orchestra_http_requests_total", ("GET", "admin", "3xx")] == 1
    assert found["orchestra_http_requests_total", ("other", "api-health-live", "4xx")] == 1
    assert found["orchestra_http_request_seconds_count", ("GET", "api-health-live")] == 1
    assert found["orchestra_http_request_seconds_bucket", ("+Inf", "GET", "api-health-live")] == 1
    assert found["orchestra_http_request_seconds_sum", ("GET", "api-health-live")] > 0


@pytest.mark.django_db(transaction=True)
def test_a_file_and_a_search_are_counted_and_their_words_are_not(
    alice: User, make_file: Callable[..., FileRecord]
) -> None:
    make_file(alice, b"The zebrafish lives in the Ganges.", "zebrafish.txt")
    make_file(alice, b"%PDF-1.4 cut off", "zebrafish.pdf")
    waiting = samples()
    assert waiting["orchestra_queue_jobs", ("queued",)] == 2
    assert waiting["orchestra_queue_oldest_seconds", ()] > 0
    while pipeline.work("a worker"):
        pass
    services.search(alice, "where does the zebrafish live")
    services.search(alice, "where does the zebrafish live", mode="private")

    text, found = reading.as_text().decode(), samples()
    assert found["orchestra_files_processed_total", ("ready", "text/plain")] == 1
    assert found["orchestra_files_processed_total", ("failed", "application/pdf")] == 1
    assert found["orchestra_job_stage_seconds_count", ("done", "extract")] == 1
    assert found["orchestra_job_stage_seconds_count", ("failed", "extract")] == 1
    assert found["orchestra_job_stage_seconds_count", ("done", "index")] == 1
    assert found["orchestra_passages_embedded_total", ()] >= 1
    assert found["orchestra_embedding_seconds_total", ()] > 0
    assert found["orchestra_search_seconds_count", ("basic",)] == 1
    assert found["orchestra_search_seconds_count", ("private",)] == 1
    assert found["orchestra_vector_searches_total", ("exact",)] >= 2
    assert found["orchestra_vector_store", ("pgvector",)] == 1
    assert found["orchestra_queue_jobs", ("queued",)] == 0
    assert found["orchestra_queue_oldest_seconds", ()] == 0
    for secret in ("zebrafish", "alice", "Ganges", str(alice.pk)):
        assert secret not in text


def test_a_search_that_breaks_is_a_failure_and_one_that_is_left_is_nothing(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("boom")

    services.begin(alice, "the harbour").close()
    running = services.begin(alice, "the harbour", mode="super_deep")
    next(running)
    running.close()
    monkeypatch.setattr("search.modes.basic.BasicMode.run", breaks)
    with pytest.raises(RuntimeError):
        services.search(alice, "the harbour")
    found = samples()
    assert found["orchestra_search_failures_total", ("basic",)] == 1
    assert found["orchestra_search_failures_total", ("super_deep",)] == 0
    assert ("orchestra_search_seconds_count", ("basic",)) not in found
    assert ("orchestra_search_seconds_count", ("super_deep",)) not in found


@pytest.mark.django_db(transaction=True)
def test_what_the_sweeper_does_is_counted(alice: User, make_file: Callable[..., FileRecord]) -> None:
    make_file(alice)
    assert jobs.claim_next("a worker") is not None
    ProcessingJob.objects.update(lease_until="2020-01-01T00:00:00Z")
    jobs.sweep()
    assert samples()["orchestra_sweeper_actions_total", ("lost",)] == 1


def test_states_of_processes_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from files import metrics as of_files
    from orchestra.monitoring.metrics.keeping import keep

    protections = [[(("filesystem",), 1.0), (("no_network",), 1.0)], [(("filesystem",), 0.0), (("no_network",), 1.0)]]
    for number, told in enumerate(protections):
        monkeypatch.setattr(of_files, "_protections", lambda told=told: told)
        monkeypatch.setattr(of_files, "_open_sockets", lambda number=number: 2 + number)
        keep(f"worker@here/{number}")
    found = samples()
    assert found["orchestra_sandbox_protection", ("filesystem",)] == 0
    assert found["orchestra_sandbox_protection", ("no_network",)] == 1
    assert found["orchestra_sockets_open", ()] == 5
