"""The built-in admin: every model, every page, actions through the services, hostile text escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from files import pipeline
from files.models import (
    FileEvent,
    FileRecord,
    FileThumbnail,
    ImportedItem,
    ImportEntry,
    ImportRun,
    MultipartUpload,
    ProcessingJob,
    UploadChunk,
    UploadPiece,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
)
from files.selectors import trash_of
from files.storage.local import path_of
from files.uploads import NewUpload, initiate
from files.webhooks import outbox, subscribing
from integrations.models import ExternalIntegration, ModelUsage
from integrations.services import connect
from orchestra.accounts import sign_in
from orchestra.accounts.models import ApiKey, Invitation, User
from orchestra.accounts.services import create_api_key
from orchestra.monitoring import pulses
from orchestra.monitoring.models import (
    CheckFinding,
    MetricSeries,
    ProcessReading,
    ProcessRole,
    Resolution,
    SystemMetric,
)
from personas import services as persona_services
from personas.models import Persona
from search import conversations
from search import services as search_services
from search.evaluation.own_questions import add_question
from search.evaluation.own_runs import measure_own
from search.evaluation.runner import Configuration
from search.models import ChunkEmbedding, KeywordPosting, MirroredDocument, MirrorGeneration, SearchAudit, VectorChunk
from search.retrieval import Tuning
from tests.orchestra.accounts.authenticator import switched_on

# Packed numbers under keys of several columns, which the admin cannot show.
NOT_TO_LOOK_AT = (ChunkEmbedding, KeywordPosting, MirroredDocument)
OURS = [
    model
    for app in ("accounts", "monitoring", "integrations", "personas", "files", "search")
    for model in apps.get_app_config(app).get_models()
    if model not in NOT_TO_LOOK_AT
]
HOSTILE = '"><script>alert(1)<\u200bscript>'.replace("\u200b", "/")

MakeFile = Callable[..., FileRecord]


@pytest.fixture
def as_root(admin_user_record: User, client: Client) -> Client:
    client.force_login(admin_user_record)
    return client


@pytest.fixture
def data(alice: User, make_file: MakeFile) -> FileRecord:
    """One row at least of every model."""
    file = make_file(alice, b"The harbour master keeps the register.", tags=("a",))
    assert pipeline.work("a worker")
    # Renamed in the database: uploads take the folder part, and with it the markup, off a name.
    FileRecord.objects.filter(pk=file.pk).update(name=HOSTILE, metadata={"title": HOSTILE})
    FileThumbnail.objects.create(file=file, data=b"a picture", media_type="image/webp", width=1, height=1)
    UploadChunk.objects.create(upload=initiate(alice, NewUpload("b", 70_000)).upload, start=0, size=1, sha256="0" * 64)
    upload = initiate(alice, NewUpload("c", 10)).upload
    MultipartUpload.objects.create(upload=upload, multipart_id=HOSTILE)
    UploadPiece.objects.create(upload=upload, start=0, size=10, mark=HOSTILE)
    search_services.search(alice, f"register {HOSTILE}")
    SearchAudit.objects.create(user=alice, mode=HOSTILE[:20])
    create_api_key(alice, HOSTILE)
    _sign_in_data(alice)
    sign_in.admit(sign_in.Attempt(HOSTILE, HOSTILE))
    MirrorGeneration.objects.create(store="faiss", space_id=1, owner_id=alice.pk)
    add_question(alice, f"register {HOSTILE}", [file.pk])
    pulses.show(pulses.Sign(f"celery@{HOSTILE}", ProcessRole.WORKER, pid=1, slots=2))
    measure_own(alice, [Configuration("basic", Tuning())])
    made = connect(alice, "openai", HOSTILE, {"key": "sk-1", "model": HOSTILE})
    run = ImportRun.objects.create(integration=made, state="failed", error_message=HOSTILE)
    ImportedItem.objects.create(integration=made, key=HOSTILE, file=file, error_message=HOSTILE)
    ImportEntry.objects.create(run=run, action="failed", name=HOSTILE, message=HOSTILE)
    ModelUsage.objects.create(user=alice, month="2026-01-01", model=HOSTILE)
    subscribing.create(alice, f"https://example.org/{HOSTILE}", ["ready"])
    outbox.tell(WebhookEvent.READY, alice.pk, file.pk, 3)
    Persona.objects.all().delete()  # those that are shipped are harmless
    texts = dict.fromkeys(("name", "description", "prompt"), HOSTILE)
    persona_services.make_default(alice, persona_services.create(alice, {**texts, "tags": [HOSTILE]}))
    MetricSeries.objects.create(name=HOSTILE, labels=[HOSTILE], counts=[1.0], since=Now())
    ProcessReading.objects.create(process=HOSTILE, name=HOSTILE, labels=[HOSTILE], value=1.0, seen_at=Now())
    CheckFinding.objects.create(name=HOSTILE, ok=True, message=HOSTILE, milliseconds=1, ran_at=Now())
    SystemMetric.objects.create(resolution=Resolution.HOUR, at=Now(), figures={HOSTILE: 1.0})
    conversations.begin(alice, conversations.NewTurn(HOSTILE, "basic", {"text": HOSTILE}))
    file.refresh_from_db()
    return file


def _sign_in_data(alice: User) -> None:
    switched_on(alice)
    Client(headers={"User-Agent": HOSTILE}, REMOTE_ADDR=HOSTILE[:40]).force_login(alice)
    Invitation.objects.create(note=HOSTILE, digest="0", invited_by=alice, expires_at=Now())


def page(model: type[Model], kind: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=args)


def test_every_model_is_registered() -> None:
    assert [model for model in OURS if not admin.site.is_registered(model)] == []


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_lists_searches_and_pages_render_and_escape(model: type[Model], as_root: Client, data: FileRecord) -> None:
    row = model._default_manager.first()
    assert row is not None
    for address in (
        page(model, "changelist"),
        page(model, "changelist") + "?q=register",
        page(model, "change", row.pk),
    ):
        response = as_root.get(address)
        assert response.status_code == 200, address
        assert "<script>alert(1)" not in response.content.decode(), address


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_lists_do_not_query_per_row(model: type[Model], as_root: Client, alice: User, make_file: MakeFile) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for n in range(2):
        for m in range(1 + 4 * n):
            make_file(alice, f"text {n} {m}".encode())
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert as_root.get(page(model, "changelist")).status_code == 200
        counts.append(len(queries))
    assert counts[1] <= counts[0] + 1


def act(client: Client, model: type[Model], action: str, *rows: Model) -> Any:
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(page(model, "changelist"), body, follow=True)


def test_retry_and_cancel_go_through_the_services(as_root: Client, data: FileRecord) -> None:
    assert act(as_root, FileRecord, "retry", data).status_code == 200
    data.refresh_from_db()
    assert data.status == "queued"
    assert FileEvent.objects.filter(file=data).last().code == "retried"  # type: ignore[union-attr]  # it is there

    job = ProcessingJob.objects.get(file=data)
    act(as_root, ProcessingJob, "cancel", job)
    data.refresh_from_db()
    job.refresh_from_db()
    assert (data.status, job.state) == ("cancelled", "cancelled")

    act(as_root, ProcessingJob, "retry", job)
    data.refresh_from_db()
    assert data.status == "queued"


def test_what_is_not_allowed_now_is_told_and_changes_nothing(as_root: Client, data: FileRecord) -> None:
    response = act(as_root, FileRecord, "cancel", data)
    data.refresh_from_db()
    assert data.status == "ready"
    text = response.content.decode()
    assert "cannot become cancelled" in text
    assert "<script>alert(1)" not in text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["action", "page"])
def test_deletion_leaves_no_row_vector_or_byte(as_root: Client, data: FileRecord, way: str) -> None:
    path = path_of(data.storage_key)
    assert path.exists()
    if way == "action":
        act(as_root, FileRecord, "delete_completely", data)
    else:  # to the trash first, then out of it
        assert as_root.post(page(FileRecord, "delete", data.pk), {"post": "yes"}).status_code == 302
        assert list(trash_of(data.owner)) == [data]
        assert as_root.post(page(FileRecord, "delete", data.pk), {"post": "yes"}).status_code == 302
    assert not FileRecord.objects.filter(pk=data.pk).exists()
    assert not VectorChunk.objects.filter(file_id=data.pk).exists()
    assert not path.exists()


def test_to_the_trash_and_back(as_root: Client, data: FileRecord) -> None:
    act(as_root, FileRecord, "move_to_trash", data)
    data.refresh_from_db()
    assert list(trash_of(data.owner)) == [data]
    assert "in the trash" in act(as_root, FileRecord, "retry", data).content.decode()
    act(as_root, FileRecord, "restore", data)
    assert not trash_of(data.owner).exists()
    data.refresh_from_db()
    assert data.status == "ready"


def test_djangos_own_deletion_of_files_is_not_offered(as_root: Client, data: FileRecord) -> None:
    assert "delete_selected" not in as_root.get(page(FileRecord, "changelist")).content.decode()
    act(as_root, FileRecord, "delete_selected", data)
    assert FileRecord.objects.filter(pk=data.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_deleting_a_user_leaves_no_byte(as_root: Client, data: FileRecord, alice: User) -> None:
    path = path_of(data.storage_key)
    assert as_root.post(page(User, "delete", alice.pk), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not FileRecord.objects.exists()
    assert not path.exists()


def test_renaming_in_the_admin_goes_through_the_service(as_root: Client, data: FileRecord) -> None:
    response = as_root.post(
        page(FileRecord, "change", data.pk),
        {"name": "../new\u202e.txt", "tags": "b", "events-TOTAL_FORMS": "0", "events-INITIAL_FORMS": "0"},
    )
    assert response.status_code == 302, response.content
    version = data.version
    data.refresh_from_db()
    assert (data.name, data.tags) == ("new.txt", ["b"])
    assert data.version > version


def test_keys_are_revoked_and_never_shown(as_root: Client, data: FileRecord) -> None:
    key = ApiKey.objects.get()
    assert key.digest not in as_root.get(page(ApiKey, "change", key.pk)).content.decode()
    assert as_root.get(page(ApiKey, "add")).status_code == 403
    act(as_root, ApiKey, "revoke", key)
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_credentials_are_shown_nowhere(as_root: Client, data: FileRecord) -> None:
    made = ExternalIntegration.objects.get()
    text = as_root.get(page(ExternalIntegration, "change", made.pk)).content.decode()
    assert "sk-1" not in text
    assert "credentials" not in text
    assert as_root.get(page(ExternalIntegration, "add")).status_code == 403
    assert as_root.get(page(ModelUsage, "add")).status_code == 403


def test_webhooks_are_switched_and_their_secrets_shown_nowhere(as_root: Client, data: FileRecord) -> None:
    webhook = Webhook.objects.get()
    secret = subscribing.secret_of(webhook)
    Webhook.objects.update(enabled=False, disabled_reason="failing", failures=9)
    address = page(Webhook, "change", webhook.pk)
    assert secret not in as_root.get(address).content.decode()
    assert as_root.post(address, {"enabled": "on", "url": "https://elsewhere.example.org/"}).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.enabled, webhook.disabled_reason, webhook.failures) == (True, "", 0)
    assert webhook.url.startswith("https://example.org/")
    assert as_root.get(page(Webhook, "add")).status_code == 403
    assert as_root.get(page(WebhookDelivery, "add")).status_code == 403


def test_personas_are_checked_by_the_rules_of_everywhere(as_root: Client, data: FileRecord) -> None:
    persona = Persona.objects.get()
    address = page(Persona, "change", persona.pk)
    form = {"name": "New", "tone": "plain", "mode": "", "tags": "a,b", "kinds": "", "blocked_terms": ""}
    refused = as_root.post(address, {**form, "mode": "psychic", "kinds": "dreams"}).content.decode()
    assert "Choose one of: basic" in refused
    assert "There is no kind" in refused
    assert as_root.post(address, form).status_code == 302
    persona.refresh_from_db()
    assert (persona.name, persona.tone, persona.tags) == ("New", "plain", ["a", "b"])
