"""The embedded services, users and clients that tests share."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client
from rest_framework.test import APIClient

from files.models import FileRecord
from orchestra.accounts.models import User
from orchestra.embedded.services import embedded_servers, stop_servers
from tests.stack import Stack, running_stack

if TYPE_CHECKING:
    from tests.openai_server import OpenAIServer
    from tests.s3_server import S3Server


def pytest_collection_finish() -> None:
    """Take modules and tests out of the collector's sight: a fifth of the time went into looking at them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def embedded_services() -> Iterator[None]:
    """PostgreSQL and Valkey of the test state directory."""
    for server in embedded_servers():
        server.ensure()
    yield
    list(stop_servers())


@pytest.fixture(scope="session")
def django_db_modify_db_settings(embedded_services: None) -> None:
    """Make pytest-django wait for the servers before it creates the test database."""


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Empty the tables after a test by DELETE: TRUNCATE makes new files for each table and index, for a second or more.

    Foreign keys are not looked at meanwhile, so that the order does not matter.
    """

    def sql_flush(self: DatabaseOperations, style: object, tables: Sequence[str], **_: object) -> list[str]:
        emptied = [f"DELETE FROM {self.quote_name(table)}" for table in tables]
        return ["SET session_replication_role = replica", *emptied, "RESET session_replication_role"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def upload_dir(tmp_path: Path, settings: Any) -> Path:
    """Keep each test's bytes to itself."""
    directory = tmp_path / "uploads"
    settings.UPLOAD_DIR = directory
    return directory


@pytest.fixture(autouse=True)
def _pulse_dir(tmp_path: Path, settings: Any) -> None:
    """Keep each test's signs of life to itself."""
    settings.PULSE_DIR = tmp_path / "pulses"


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    """What is remembered of searches and of the queue is the test's before, whose rows were rolled back."""
    from files import estimates, pipeline
    from orchestra.monitoring.metrics.pending import pending
    from search import frequencies, owners, spaces

    pending.forget()
    estimates.rates.forget()
    pipeline.breaker.note_work()
    spaces.searched.forget()
    owners.facts_of.forget()
    frequencies.counted.forget()


@pytest.fixture
def _redis(embedded_services: None) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def alice(db: None, _redis: None) -> User:
    """A user."""
    return User.objects.create_user("alice", password="correct horse battery")


@pytest.fixture
def bob(db: None, _redis: None) -> User:
    """Another user."""
    return User.objects.create_user("bob", password="correct horse battery")


@pytest.fixture
def admin_user_record(db: None, _redis: None) -> User:
    """An administrator."""
    return User.objects.create_superuser("root", password="correct horse battery")


def client_of(user: User) -> APIClient:
    """Return an API client that acts as `user`."""
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def as_alice(alice: User) -> APIClient:
    """An API client of alice's."""
    return client_of(alice)


@pytest.fixture
def as_bob(bob: User) -> APIClient:
    """An API client of bob's."""
    return client_of(bob)


@pytest.fixture
def browser(alice: User, client: Client) -> Client:
    """Alice's browser: signed in by a session."""
    client.force_login(alice)
    return client


@pytest.fixture
def make_file(db: None) -> Callable[..., FileRecord]:
    """Return a maker of uploaded, queued files."""
    from files import uploads

    def make(owner: User, content: bytes = b"Some text.", name: str = "notes.txt", **more: object) -> FileRecord:
        from io import BytesIO

        new = uploads.NewUpload(name, len(content), **more)  # type: ignore[arg-type]
        return uploads.receive_whole(owner, new, BytesIO(content)).file

    return make


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A real S3 server, shared by the tests that need one; each begins with what the others left."""
    from tests.s3_server import running_s3_server

    with running_s3_server() as server:
        yield server


@pytest.fixture
def openai_server() -> Iterator[OpenAIServer]:
    """A server that speaks OpenAI's protocol and answers as told."""
    from tests.openai_server import running_openai_server

    with running_openai_server() as server:
        yield server


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The real product, shared by the tests that need one."""
    with running_stack("stack") as running:
        yield running


def sha256(content: bytes) -> str:
    """Return the hex digest that the API wants."""
    return hashlib.sha256(content).hexdigest()
