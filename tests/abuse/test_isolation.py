"""Two users: by no address and no method does one see, find, change or delete anything of the other's.

The matrix is read from the URL resolver. A new address is tested without being named here; when it takes a parameter
or a body that is not known yet, the test fails until `_objects` or `BODIES` (`tests.abuse.bodies`) says what to send.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, Permission
from django.db.models.functions import Now
from django.test import Client
from rest_framework_simplejwt.tokens import RefreshToken

from files import pipeline, services, states
from files.models import (
    FileEvent,
    FileRecord,
    ImportedItem,
    ImportEntry,
    ImportRun,
    ProcessingJob,
    Upload,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
)
from files.storage.local import path_of
from files.uploads import NewUpload, initiate
from files.webhooks import outbox, subscribing
from integrations.models import ExternalIntegration, ModelUsage
from integrations.services import connect
from orchestra.accounts import second_factor
from orchestra.accounts.models import ApiKey, BrowserSession, Invitation, RecoveryCode, SecondFactor, User
from orchestra.accounts.services import create_api_key
from personas import services as persona_services
from personas.models import DefaultPersona, Persona
from search import conversations
from search import services as search_services
from search.evaluation.own_questions import add_question
from search.evaluation.own_runs import measure_own
from search.evaluation.runner import Configuration
from search.models import (
    ChunkEmbedding,
    Conversation,
    EvaluationQuestion,
    EvaluationRun,
    KeywordPosting,
    SearchQuery,
    Turn,
    VectorChunk,
)
from search.retrieval import Tuning
from tests.abuse.bodies import BODIES
from tests.routes import METHODS, Route, routes
from tests.sockets import Socket, run

CANARY = "c4n4ry"
PASSWORD = "correct horse battery"

# Open to anybody, each with its reason. Everything else answers a stranger with 401 or the sign-in page.
PUBLIC = {
    "api-health": "probes hold no key; it says good or bad and no more",
    "api-health-live": "probes hold no key",
    "api-health-ready": "probes hold no key; it says good or bad and no more",
    "api-token": "takes the password itself",
    "api-token-refresh": "takes the token itself",
    "api-token-revoke": "takes the token itself",
    "schema": "describes the API and holds no data",
    "docs": "describes the API and holds no data",
    "favicon": "a picture",
    "metrics": "knows no users; tests/orchestra/monitoring/metrics/test_reading.py has who may read it",
    "sign-in": "where credentials are given",
    "sign-in-code": "where the code is given, by who gave the password",
    "invitation": "where somebody who was invited makes an account; the code is asked for before anything is said",
    "sign-out": "ends whatever session there is; harmless without one",
}

JSON = "application/json"
CHUNK_HEADERS = {"Content-Range": f"bytes 0-{65535}/{2 * 65536}"}
TUS_HEADERS = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Upload-Length": "20"}
TUS_TYPE = "application/offset+octet-stream"

# Closed to who is no staff, before anything is looked for.
STAFF_ONLY = {
    *("evaluation-question-delete", "evaluation-run"),
    *("group", "group-action", "person", "person-action", "withdraw"),
}

ROUTES = routes()
OBJECT_ROUTES = [route for route in ROUTES if any(name.endswith("_id") for name in route.parameters)]


@dataclass(frozen=True)
class Principal:
    """Somebody with a way to say who they are."""

    name: str
    headers: dict[str, str]
    session: User | None = None

    def client(self) -> Client:
        client = Client(headers=self.headers)
        if self.session is not None:
            client.force_login(self.session)
        return client


def principals_of(user: User, name: str) -> list[Principal]:
    token = str(RefreshToken.for_user(user).access_token)
    key = create_api_key(user, f"{name}'s program").plain
    return [
        Principal(f"{name} by session", {}, session=user),
        Principal(f"{name} by token", {"Authorization": f"Bearer {token}"}),
        Principal(f"{name} by API key", {"Authorization": f"Api-Key {key}"}),
    ]


@dataclass(frozen=True)
class Estate:
    """What alice has, with a canary in every text."""

    owner: User
    file: FileRecord
    unfinished: Upload
    appended: Upload
    key: ApiKey
    question: EvaluationQuestion
    run: EvaluationRun
    trashed: FileRecord
    integration: ExternalIntegration
    persona: Persona
    conversation: Conversation
    webhook: Webhook
    imported: ImportRun
    session: BrowserSession
    invitation: Invitation
    group: Group

    def state(self) -> object:
        """Return everything that a stranger must not be able to change."""
        rows = [
            list(model.objects.filter(**{by: self.owner.pk}).order_by("pk").values())
            for model, by in (
                (FileRecord, "owner"),
                (Upload, "owner"),
                (ProcessingJob, "owner"),
                (FileEvent, "file__owner"),
                (VectorChunk, "owner"),
                (KeywordPosting, "owner"),
                (SearchQuery, "user"),
                (EvaluationQuestion, "author"),
                (EvaluationRun, "author"),
                (ApiKey, "user"),
                (SecondFactor, "user"),
                (RecoveryCode, "factor__user"),
                (BrowserSession, "user"),
                (Invitation, "invited_by"),
                (User, "pk"),
                (ExternalIntegration, "owner"),
                (ModelUsage, "user"),
                (ImportRun, "integration__owner"),
                (ImportedItem, "integration__owner"),
                (ImportEntry, "run__integration__owner"),
                (Persona, "owner"),
                (DefaultPersona, "user"),
                (Conversation, "user"),
                (Turn, "conversation__user"),
                (Webhook, "owner"),
                (WebhookDelivery, "webhook__owner"),
            )
        ]
        vectors = ChunkEmbedding.objects.filter(owner=self.owner.pk).count()
        return rows, vectors, path_of(self.file.storage_key).read_bytes()


@pytest.fixture
def estate(alice: User, make_file: Callable[..., FileRecord]) -> Estate:
    User.objects.filter(pk=alice.pk).update(first_name=f"{CANARY}first", email=f"{CANARY}@example.org")
    text = f"The zebrafish habitat is warm. Its secret name is {CANARY}text.\n" * 3
    file = make_file(alice, text.encode(), name=f"{CANARY}name.txt", tags=(f"{CANARY}tag",))
    assert pipeline.work("a worker")
    FileRecord.objects.filter(pk=file.pk).update(
        metadata={"title": f"{CANARY}title"},
        warnings=[{"code": "x", "message": f"{CANARY}warning", "place": {}}],
        error_message=f"{CANARY}error",
    )
    search_services.search(alice, f"zebrafish {CANARY}question")
    trashed = make_file(alice, f"A zebrafish in the trash, {CANARY}.".encode(), name=f"{CANARY}trashed.txt")
    assert pipeline.work("a worker")
    services.delete(trashed)
    upload = initiate(alice, NewUpload(f"{CANARY}upload.bin", 2 * 65536, chunk_size=65536)).upload
    appended = initiate(alice, NewUpload(f"{CANARY}tus.bin", 20, by_offset=True)).upload
    key = create_api_key(alice, f"{CANARY}key").record
    file.refresh_from_db()
    assert file.status == "ready"
    question = add_question(alice, f"Which zebrafish is {CANARY}?", [file.pk])
    run = measure_own(alice, [Configuration("basic", Tuning())])
    integration = connect(alice, "openai", f"{CANARY}model", {"key": f"{CANARY}key", "model": f"{CANARY}model"})
    ModelUsage.objects.create(user=alice, month="2026-01-01", model=f"{CANARY}model", calls=1)
    imported = _import_of(integration, file)
    persona, talk = _persona_and_conversation(alice)
    webhook = subscribing.create(alice, f"https://example.org/{CANARY}hook", ["ready"]).webhook
    outbox.tell(WebhookEvent.READY, alice.pk, file.pk, 3)
    second_factor.begin(alice)
    Client(headers={"User-Agent": CANARY}).force_login(alice)
    session = BrowserSession.objects.get(user=alice)
    group = Group.objects.create(pk=424_242_424, name=f"{CANARY}group")  # a number that stands nowhere else in a page
    alice.groups.add(group)
    invitation = Invitation.objects.create(invited_by=alice, note=f"{CANARY}note", digest="0", expires_at=Now())
    return Estate(
        *(alice, file, upload, appended, key, question, run, trashed, integration, persona, talk, webhook, imported),
        *(session, invitation, group),
    )


def _import_of(integration: ExternalIntegration, file: FileRecord) -> ImportRun:
    run = ImportRun.objects.create(integration=integration, state="done", error_message=f"{CANARY}error")
    ImportedItem.objects.create(integration=integration, key=f"{CANARY}key", file=file, seen=run)
    ImportEntry.objects.create(run=run, action="added", name=f"{CANARY}entry", file=file)
    FileRecord.objects.filter(pk=file.pk).update(origin=f"https://example.org/{CANARY}origin")
    return run


def _persona_and_conversation(alice: User) -> tuple[Persona, Conversation]:
    texts = {name: f"{CANARY}{name}" for name in ("name", "description", "prompt", "model")}
    persona = persona_services.create(alice, {**texts, "tags": [f"{CANARY}tag"], "blocked_terms": [f"{CANARY}term"]})
    persona_services.make_default(alice, persona)
    answer = {"text": f"It is {CANARY}answer."}
    conversation = conversations.begin(alice, conversations.NewTurn(f"Where is {CANARY}?", "basic", answer, persona.pk))
    assert conversation is not None
    return persona, conversation


def _objects(estate: Estate) -> dict[str, list[object]]:
    """Return alice's values for each parameter that an address may take."""
    return {
        "file_id": [estate.file.pk, estate.unfinished.pk, estate.appended.pk, estate.trashed.pk],
        "key_id": [estate.key.pk],
        "question_id": [estate.question.pk],
        "run_id": [estate.run.pk],
        "integration_id": [estate.integration.pk],
        "persona_id": [estate.persona.pk],
        "conversation_id": [estate.conversation.pk],
        "webhook_id": [estate.webhook.pk],
        "import_id": [estate.imported.pk],
        "session_id": [estate.session.pk],
        "user_id": [estate.owner.pk],
        "invitation_id": [estate.invitation.pk],
        "group_id": [estate.group.pk],
        "chunk_id": list(VectorChunk.objects.filter(owner=estate.owner).values_list("pk", flat=True)[:1]),
    }


def _requests(route: Route, method: str, estate: Estate) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """Yield parameters that name alice's objects, each with a twin that names nobody's; one where all are refused."""
    known = _objects(estate) | {"action": [*route.actions, "unheard-of"]}
    for values in islice(product(*(known[name] for name in route.parameters)), None if method in route.methods else 1):
        hers = dict(zip(route.parameters, values, strict=True))
        yield hers, {name: _nobodys(name) if name.endswith("_id") else value for name, value in hers.items()}


def _nobodys(name: str) -> object:
    return 999_999_999 if name == "group_id" else uuid4()


def _type_of(route: Route, body: object) -> str:
    if not isinstance(body, bytes):
        return JSON
    return TUS_TYPE if route.is_tus else "application/octet-stream"


def _send(client: Client, route: Route, method: str, values: dict[str, object]) -> Any:
    body = BODIES[route.name, method] if method in route.methods and method in ("post", "put", "patch") else {}
    raw = isinstance(body, bytes)
    return getattr(client, method)(
        route.path(values),
        *(() if method == "get" else (body,)),
        **({} if method == "get" else {"content_type": _type_of(route, body)}),
        headers=TUS_HEADERS if route.is_tus else CHUNK_HEADERS if raw else {},
    )


_CHANGING = re.compile(
    r'(name="csrfmiddlewaretoken" value|nonce|"csrfToken":|csrf[-_]?token"? content|data-csrf[-a-z]*)\s*=?\s*"[^"]*"'
)


def _comparable(response: Any, values: dict[str, object]) -> tuple[int, str, str, str]:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    text = body.decode()
    location = response.headers.get("Location", "")
    for value in values.values():
        text, location = text.replace(str(value), "ID"), location.replace(str(value), "ID")
    return response.status_code, response.headers.get("Content-Type", ""), location, _CHANGING.sub("", text)


def _by_name(route: Route) -> str:
    return route.name


@pytest.mark.parametrize("route", OBJECT_ROUTES, ids=_by_name)
@pytest.mark.django_db
def test_anothers_id_answers_exactly_as_an_unknown_id(route: Route, estate: Estate, bob: User) -> None:
    before = estate.state()
    for principal in principals_of(bob, "bob"):
        client = principal.client()
        for method in METHODS:
            for hers, nobodys in _requests(route, method, estate):
                answer = _comparable(_send(client, route, method, hers), hers)
                case = f"{principal.name}: {method.upper()} {route.path(hers)}"

                assert answer == _comparable(_send(client, route, method, nobodys), nobodys), case
                assert CANARY not in answer[3], case
                if route.name in STAFF_ONLY and principal.session:
                    assert answer[0] == 403, case
                elif method not in route.methods:
                    assert answer[0] in (405, 302), case
                elif route.is_api or principal.session:
                    assert answer[0] == 404, case
                else:
                    assert answer[0] == 302, f"{case}: pages know sessions only"
                    assert answer[2].startswith("/sign-in"), case
    assert estate.state() == before


@pytest.mark.django_db
def test_strangers_and_inactive_users_get_nothing(estate: Estate, bob: User) -> None:
    principals = [Principal("nobody", {}), *principals_of(bob, "bob, inactive")]
    clients = [(principal.name, principal.client()) for principal in principals]
    User.objects.filter(pk=bob.pk).update(is_active=False)
    before = estate.state()
    values = {name: objects[0] for name, objects in _objects(estate).items()} | {"action": "retry"}
    for route in ROUTES:
        if route.name in PUBLIC:
            continue
        for (name, client), method in product(clients, route.methods):
            status, _, location, text = _comparable(_send(client, route, method, values), values)
            case = f"{name}: {method.upper()} {route.path(values)}"
            assert status == (401 if route.is_api else 302), case
            assert route.is_api or location.startswith("/sign-in?next="), case
            assert CANARY not in text, case
    assert estate.state() == before


@pytest.mark.django_db
def test_everything_that_bob_can_read_is_free_of_alices_texts(
    estate: Estate, bob: User, make_file: Callable[..., FileRecord]
) -> None:
    own = make_file(bob, b"A file of bob's about zebrafish habitats.", name="bobs.txt")
    assert pipeline.work("a worker")
    key = create_api_key(bob, "bob's key").record
    values: dict[str, object] = {"file_id": own.pk, "key_id": key.pk, "action": "retry"}
    values |= {name: _nobodys(name) for name in ("question_id", "run_id", "user_id", "group_id", "session_id")}
    source = connect(bob, "notion", "Bob's", {"token": "ntn_1"})
    values |= {"integration_id": source.pk, "import_id": ImportRun.objects.create(integration=source).pk}
    values["persona_id"] = persona_services.create(bob, {"name": "Bob's"}).pk
    own_talk = conversations.begin(bob, conversations.NewTurn("Bob's question", "basic"))
    assert own_talk is not None
    values["conversation_id"] = own_talk.pk
    values["webhook_id"] = subscribing.create(bob, "https://example.org/", ["ready"]).webhook.pk
    values["chunk_id"] = VectorChunk.objects.filter(file=own)[0].pk
    addresses = [route.path(values) for route in ROUTES if "get" in route.methods]
    addresses += [
        "/files?name=" + CANARY[:4],
        "/api/files?page_size=200",
        f"/api/files?name={CANARY[:4]}",
        "/search?q=zebrafish",
        "/search?q=secret+name+of+the+zebrafish",
        f"/api/files/{own.pk}/content?format=text",
    ]
    read = 0
    for principal in principals_of(bob, "bob"):
        client = principal.client()
        for address in addresses:
            for accept in ("application/json", "text/html"):
                response = client.get(address, headers={"Accept": accept})
                status, _, _, text = _comparable(response, {})
                read += status == 200
                assert CANARY not in text, f"{principal.name}: {address}"
                assert str(estate.file.pk) not in text, f"{principal.name}: {address}"
    assert read > 2 * len(addresses), "most of these are bob's own and must answer him"


@pytest.mark.parametrize("path", ["/api/search", "/api/files/search"])
@pytest.mark.django_db
def test_searches_find_nothing_of_anothers(
    path: str, estate: Estate, bob: User, make_file: Callable[..., FileRecord]
) -> None:
    # Bob owns something, so that his search runs through the same index.
    make_file(bob, b"Nothing of interest is in here.", name="bobs.txt")
    assert pipeline.work("a worker")
    for filters in (
        {},
        {"files": [str(estate.file.pk)]},
        {"tags": [f"{CANARY}tag"]},
        {"kinds": [estate.file.kind]},
    ):
        body = {"query": "The zebrafish habitat is warm", "filters": filters, "limit": 100}
        for principal in principals_of(bob, "bob"):
            response = principal.client().post(path, body, content_type=JSON)
            assert response.status_code == 200
            hits = response.json()["hits"]
            assert CANARY not in response.content.decode()
            assert {hit["file"]["name"] for hit in hits} <= {"bobs.txt"}
    # Her better match takes no place of his: with room for one hit, it is his own.
    (his, *_) = principals_of(bob, "bob")
    (only,) = his.client().post(path, {**body, "filters": {}, "limit": 1}, content_type=JSON).json()["hits"]
    assert only["file"]["name"] == "bobs.txt"
    # The same question of alice's own does find it: the silence above is not an empty index.
    (own, *_) = principals_of(estate.owner, "alice")
    found = own.client().post(path, {"query": "The zebrafish habitat is warm"}, content_type=JSON)
    assert CANARY in found.content.decode()


@pytest.mark.django_db
def test_lists_answer_for_anothers_id_as_for_an_unknown_one(estate: Estate, bob: User) -> None:
    client = principals_of(bob, "bob")[0].client()
    hers, nobodys = client.get(f"/api/files?id={estate.file.pk}"), client.get(f"/api/files?id={uuid4()}")
    assert hers.json() == nobodys.json()
    assert (hers.json()["count"], hers.json()["results"]) == (0, [])
    assert client.get(f"/api/files?tag={CANARY}tag").json()["count"] == 0


@pytest.mark.django_db
def test_known_content_of_another_is_no_secret_shared(estate: Estate, bob: User) -> None:
    """Bob may not learn from a digest that alice has the file, nor get it."""
    client = principals_of(bob, "bob")[0].client()
    body = {"name": "mine.txt", "size": estate.file.size, "sha256": estate.file.sha256}
    answer = client.post("/api/files/upload/initiate", body, content_type=JSON)
    assert answer.status_code == 201
    assert answer.json()["duplicate"] is False
    assert answer.json()["received"] == []


@pytest.mark.django_db(transaction=True)
def test_sockets_tell_nothing_of_anothers_files(estate: Estate, bob: User) -> None:
    token = str(RefreshToken.for_user(bob).access_token)

    async def scenario() -> None:
        async with Socket((b"authorization", f"Bearer {token}".encode())) as socket:
            snapshot = await socket.opened()
            assert snapshot["files"] == []
            assert snapshot["counts"] == {}
            await sync_to_async(states.touch)(estate.file.pk)
            await sync_to_async(_delete)(estate.file)
            assert await socket.is_silent(0.5)

    run(scenario)


def _delete(file: FileRecord) -> None:
    services.delete(file)


@pytest.mark.django_db
def test_the_admin_is_closed_to_those_who_are_no_staff(estate: Estate, bob: User) -> None:
    bob.user_permissions.set(Permission.objects.all())
    for principal in (Principal("nobody", {}), *principals_of(bob, "bob")):
        for path in ("/admin/", "/admin/files/filerecord/", f"/admin/files/filerecord/{estate.file.pk}/change/"):
            response = principal.client().get(path)
            assert response.status_code == 302, principal.name
            assert response["Location"].startswith("/admin/login/"), principal.name


def test_the_public_list_names_only_addresses_that_exist() -> None:
    assert {route.name for route in ROUTES} >= set(PUBLIC)
    known = {(route.name, method) for route in ROUTES for method in route.methods}
    assert set(BODIES) <= known
