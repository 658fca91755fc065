"""Secrets planted in over 20 places are in no log, figure, answer, task, key of Redis, export, bundle or table.

In this process alone: what is planted is used and refused, jobs and requests break over it, and then all is read that
an installation writes.
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from files import pipeline, tasks
from files.models import FileRecord
from integrations.services import connect
from integrations.services import test as try_connection
from orchestra.accounts.models import User
from orchestra.accounts.services import create_api_key
from orchestra.monitoring import bundle, report
from orchestra.monitoring.metrics import reading
from orchestra.settings.env import Environment
from orchestra.settings.logging import formatter
from orchestra.settings.secrets import secrets_of
from tests.openai_server import OpenAIServer, failure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

MakeFile = Callable[..., FileRecord]
Breaking = Callable[[str], AbstractContextManager[None]]

PASSWORD = "correct horse battery"
ARGUMENT = "planted-argument-0123456789"
SETTINGS: dict[str, Any] = {
    "openai_api_key": "planted-openai-0123456789",
    "openrouter_api_key": "planted-openrouter-0123456789",
    "portkey_api_key": "planted-portkey-0123456789",
    "metrics_token": "planted-metrics-0123456789-0123456789",
    "s3_access_key": "planted-s3-access-0123456789",
    "s3_secret_key": "planted-s3-secret-0123456789",
    "credentials_keys": ("planted-credentials-0123456789-0123456789",),
    "database_url": "postgresql://orchestra:planted-database@db.example.org:5432/orchestra",
    "redis_url": "redis://:planted-redis@cache.example.org:6379/0",
}
MAY_BE = {
    ("tables", "session cookie"),  # Django looks sessions up by it, and whoever reads that table has the database
    ("answers", "a password typed as a name"),  # the form shows what was typed to who typed it
}


class Planted:
    """The secrets by the place they were put into, and every answer that was given meanwhile."""

    def __init__(self) -> None:
        environment = Environment(**SETTINGS)
        names = {value: name for name, value in SETTINGS.items() if isinstance(value, str)}
        self.environment = environment
        self.secrets = {f"setting {names.get(s, s[:16])}": s for s in secrets_of(environment) if "planted" in s}
        self.answers: list[str] = []

    def keep(self, response: Any) -> Any:
        self.answers += [response.content.decode(), str(response.headers)]
        return response


@pytest.fixture
def logs() -> Iterator[dict[str, StringIO]]:
    """Everything that is logged, as the product writes it in both of its forms, and as it would stand without care."""
    known = tuple(secrets_of(Environment(**SETTINGS)))
    forms = {form: structured(form, known) for form in ("json", "console")} | {"raw": logging.Formatter()}
    made: dict[str, StringIO] = {form: StringIO() for form in forms}
    root, handlers = logging.getLogger(), []
    before = root.level
    root.setLevel(logging.INFO)
    for form, formatting in forms.items():
        handlers.append(logging.StreamHandler(made[form]))
        handlers[-1].setFormatter(formatting)
        root.addHandler(handlers[-1])
    yield made
    root.setLevel(before)
    for handler in handlers:
        root.removeHandler(handler)


def structured(form: str, known: tuple[str, ...]) -> logging.Formatter:
    facts = formatter(form, known)
    made: type[logging.Formatter] = facts.pop("()")
    return made(**facts)


@pytest.fixture
def breaking(logs: dict[str, StringIO], monkeypatch: pytest.MonkeyPatch) -> Breaking:
    """Makes a function raise an exception with secrets in its words while a block lasts; it is logged."""
    told = f"{SETTINGS['openai_api_key']} {SETTINGS['database_url']} Bearer {ARGUMENT}"

    def broken(*_: object, **__: object) -> None:
        raise ValueError(told)

    @contextmanager
    def break_(name: str) -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(name, broken)
            yield

    return break_


@pytest.fixture
def installation(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Secrets in settings and in the environment."""
    found = Planted()
    for module in (report, bundle):
        monkeypatch.setattr(module, "environment", lambda: found.environment)
    monkeypatch.setenv("UNRELATED", "planted-environment-0123456789")
    found.secrets |= {"environment": "planted-environment-0123456789"}
    found.secrets |= {"SECRET_KEY": settings.SECRET_KEY, "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY}
    settings.OUTBOUND_ALLOWED_PRIVATE = ("127.0.0.1",)
    settings.STATE_DIR = tmp_path
    (tmp_path / "logs").mkdir()
    return found


@pytest.fixture
def planted(
    installation: Planted,
    alice: User,
    make_file: MakeFile,
    openai_server: OpenAIServer,
    breaking: Breaking,
) -> Planted:
    """All of them, after they were used and after things broke."""
    make_file(alice, b"The zebrafish lives in the Ganges.", "zebrafish.txt")
    assert pipeline.work("a worker")
    client = Client(raise_request_exception=False)
    sign_in(installation, client, alice)
    connections(installation, client, alice, openai_server)
    break_things(installation, client, breaking, make_file(alice, b"Another text.", "other.txt"))
    return installation


def sign_in(found: Planted, client: Client, alice: User) -> None:
    """Sign in, rightly and wrongly, and by everything that opens the API."""
    wrong = "planted-wrong-password"
    name = "planted-typed-as-a-name"
    for typed in ({"username": "alice", "password": wrong}, {"username": name, "password": "x"}):
        found.keep(client.post("/sign-in", typed))
        found.keep(client.post("/api/auth/token", typed, content_type="application/json"))
    typed = {"username": "alice", "password": PASSWORD}
    tokens = client.post("/api/auth/token", typed, content_type="application/json").json()
    client.post("/sign-in", typed)
    key = create_api_key(alice, "a program").plain
    ticket = client.post("/api/auth/ticket").json()["ticket"]
    for scheme, secret in (("Bearer", tokens["access"]), ("Api-Key", key), ("Api-Key", "orc_planted0123456789abcdef")):
        found.keep(Client().get("/api/files", headers={"Authorization": f"{scheme} {secret}"}))
    found.keep(client.get(f"/api/files?key={key}&token={tokens['refresh']}"))
    found.secrets |= {
        "password": PASSWORD,
        "a wrong password": wrong,
        "a password typed as a name": name,
        "access token": tokens["access"],
        "refresh token": tokens["refresh"],
        "API key": key,
        "ticket of a socket": ticket,
        "session cookie": client.cookies["sessionid"].value,
        "a key that is none": "orc_planted0123456789abcdef",
    }


def connections(found: Planted, client: Client, alice: User, model: OpenAIServer) -> None:
    """Connect what refuses its credentials, or is not there, and let it be tried."""
    key = "sk-planted-connection-0123456789"
    refused = {"base_url": model.base_url, "model": "small", "key": key}
    s3 = {"bucket": "papers", "endpoint": "http://127.0.0.1:9", "access_key": "planted-bucket-0123456789"}
    away = {**refused, "base_url": "http://127.0.0.1:9/v1", "key": "sk-planted-header-0123456789"}
    made = [
        connect(alice, "compatible", "refused", refused),
        connect(alice, "compatible", "away", {**away, "alias": "local"}),
        connect(alice, "s3", "bucket", {**s3, "secret_key": "planted-bucket-secret-0123456789"}),
        connect(alice, "notion", "pages", {"token": "ntn_planted0123456789"}),
    ]
    model.script += [failure(500, "x", f"The key {key} is odd.")] * 4
    for connection_ in made[:3]:
        try_connection(connection_)
        found.keep(client.get(f"/api/integrations/{connection_.pk}"))
        found.keep(client.get(f"/integrations/{connection_.pk}"))
    for mode in ("deep", "private"):
        body = json.dumps({"query": "where does the zebrafish live", "mode": mode})
        found.keep(client.post("/api/search", body, content_type="application/json"))
    hook = client.post("/api/webhooks", {"url": "http://127.0.0.1:9/"}, content_type="application/json").json()
    found.keep(client.post(f"/api/webhooks/{hook['id']}/test"))
    userinfo = json.dumps({"url": "https://alice:planted-userinfo@example.org/"})
    found.keep(client.post("/api/webhooks", userinfo, content_type="application/json"))
    found.secrets |= {
        "connection": key,
        "header of a call that failed": away["key"],
        "access key of a bucket": s3["access_key"],
        "secret key of a bucket": "planted-bucket-secret-0123456789",
        "token of a source": "ntn_planted0123456789",
        "webhook": hook["secret"],
        "name and password in an address": "planted-userinfo",
    }


def break_things(found: Planted, client: Client, breaking: Breaking, file: FileRecord) -> None:
    """Let a job, a task and requests end by exceptions that have secrets in their words."""
    found.secrets |= {"argument of an exception": ARGUMENT}
    with breaking("files.extraction_stage.ExtractStage.run"):
        assert pipeline.work("a worker")
    for address in (f"/api/files/{file.pk}/status", f"/files/{file.pk}/timeline"):
        assert found.keep(client.get(address)).status_code == 200
    with breaking("files.selectors.files_of"):
        for address in ("/files", "/api/files"):
            assert found.keep(client.get(address)).status_code == 500
    tasks.sweep.delay()


def in_redis(settings: Any) -> str:
    """Return every key with what it holds."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    readers: dict[Any, Callable[[Any], Any]] = {
        b"string": client.get,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"hash": client.hgetall,
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        b"none": lambda _: None,  # it ended meanwhile
    }
    with client:
        held = [(key, readers[client.type(key)](key)) for key in client.scan_iter()]
    assert any(b"celery" in key for key, _ in held)
    return str(held)


def in_tables() -> str:
    """Return every row of every table, as text."""
    with connection.cursor() as cursor:
        lines = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")  # our own names
            lines += [f"{table} {row[0]}" for row in cursor.fetchall()]
    return "\n".join(lines)


def bundled(path: Path) -> str:
    with pytest.raises(CommandError):
        call_command("doctor", "--bundle", str(path), stdout=StringIO(), stderr=StringIO())
    with zipfile.ZipFile(path) as opened:
        return "\n".join(opened.read(name).decode() for name in opened.namelist())


def test_no_secret_is_where_it_need_not_be(
    planted: Planted, logs: dict[str, StringIO], settings: Any, tmp_path: Path, client: Client
) -> None:
    assert len(planted.secrets) >= 20
    for form in ("json", "console"):
        (tmp_path / "logs" / f"{form}.log").write_text(logs[form].getvalue())
    exported = StringIO()
    call_command("export_audit", stdout=exported)
    places = {
        "log in JSON": logs["json"].getvalue(),
        "log for people": logs["console"].getvalue(),
        "figures": reading.as_text().decode(),
        "answers": "\n".join(planted.answers),
        "Redis": in_redis(settings),
        "description of the API": client.get("/api/schema/").content.decode(),
        "audit": exported.getvalue(),
        "bundle": bundled(tmp_path / "bundle.zip"),
        "tables": in_tables(),
    }
    assert all(map(len, places.values())), {place: len(text) for place, text in places.items()}
    found = {
        (place, name)
        for place, text in places.items()
        for name, secret in planted.secrets.items()
        if secret in text or secret.encode().hex() in text  # as bytes are shown
    }
    assert found == MAY_BE
    # The search finds what is there: the exceptions were logged, and only the product's formatters hide what they say.
    assert "ValueError" in places["log in JSON"]
    assert ARGUMENT in logs["raw"].getvalue()
