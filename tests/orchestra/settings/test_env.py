"""Wrong values stop the start with one line; `.env.example` lists what may be set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra.settings.env import Environment, environment
from orchestra.settings.env_example import env_example
from orchestra.settings.server_variables import BASE_DIR

SECRETS = {"SECRET_KEY": "top-secret-key" * 3, "JWT_SIGNING_KEY": "top-secret-signature" * 2}


def refusal(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    """Return what the start says about an environment that is wrong."""
    for name, value in {**SECRETS, **values}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        environment.__wrapped__()
    return str(stopped.value.code)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("DATABASE_URL", "mysql://root:hunter2@db/x", "postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "postgresql://root:hunter2@db", "postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "postgresql://root:hunter2@db:99999/x", "postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "root:hunter2@db/x", "postgresql://user:password@host:5432/name"),
        ("REDIS_URL", "foo", "redis://:password@host:6379/0"),
        ("REDIS_URL", "amqp://:hunter2@host", "redis://:password@host:6379/0"),
        ("REDIS_URL", "redis://", "redis://:password@host:6379/0"),
        ("VECTOR_STORE_TYPE", "milvus", "'weaviate'"),
        ("WEAVIATE_URL", "weaviate:8080", "http://host:8080"),
        ("WEAVIATE_GRPC_PORT", "http", "a whole number"),
        ("PORT", "abc", "a whole number"),
        ("PORT", "70000", "65535"),
        ("MAX_FILE_SIZE", "2GB", "a whole number"),
        ("DEBUG", "perhaps", "true or false"),
        ("CHUNK_OVERLAP", "600", "half of CHUNK_SIZE"),
        ("EMBEDDING_ENGINE", "gpt", "'onnx'"),
        ("CSRF_TRUSTED_ORIGINS", "files.example.org", "https://files.example.org"),
        ("TEXT_SEARCH_CONFIG", "english'; --", "english"),
        ("RERANKER", "always", "'provider'"),
        ("RERANKER_URL", "api.example.org/rerank", "https://api.example.org/v1/rerank"),
        ("RERANKER_URL", "https:///rerank", "https://api.example.org/v1/rerank"),
        ("RERANKER_URL", "https://root:hunter2@api.example.org/", "without a name or password"),
        ("RERANKER_API_KEY", "hunter2 hunter2", "without blanks"),
        ("RERANK_DEPTH", "1", "2"),
        ("FILE_STORAGE", "tape", "'s3'"),
        ("S3_ENDPOINT_URL", "s3.example.org:9000", "https://s3.example.org:9000"),
        ("S3_ENDPOINT_URL", "https://root:hunter2@s3.example.org", "without a name or password"),
        ("S3_SECRET_KEY_FILE", "/no/such/hunter2", "a file that this account can read"),
        ("OUTBOUND_ALLOWED_PRIVATE", "http://localhost:11434", "localhost:11434,10.1.0.0/16"),
        ("OUTBOUND_ALLOWED_PRIVATE", "localhost:http", "localhost:11434,10.1.0.0/16"),
        ("CREDENTIALS_KEYS", "hunter2", "32 signs"),
        ("SECRET_KEY", "hunter2" * 4, "32 signs"),
        ("JWT_SIGNING_KEY", "hunter2", "32 signs"),
        ("OPENAI_API_KEY", "hunter2\nhunter2", "without blanks"),
        ("OPENAI_BASE_URL", "https://root:hunter2@api.example.org/v1", "without a name or password"),
        ("LOCAL_LLM_URL", "http://10.0.0.5:11434/v1", "LLM_BASE_URL"),
        ("LOCAL_LLM_URL", "http://localhost.example.org/v1", "this machine"),
        ("LLM_PROVIDER", "gpt", "'openrouter'"),
        ("LLM_PROVIDER", "portkey", "PORTKEY_API_KEY"),
        ("LLM_MONTHLY_TOKENS", "-1", "0"),
        ("LLM_MONTHLY_BUDGET_USD", "inf", "finite"),
        ("TRUSTED_PROXIES", "proxy.example.org", "10.0.0.7,10.1.0.0/16"),
    ],
)
def test_wrong_value_stops_with_one_line_that_says_what_to_write(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, remedy: str
) -> None:
    line = refusal(monkeypatch, **{name: value})

    assert line.count("\n") == 0
    assert line.startswith(f"orchestra: {name}=")
    assert remedy in line
    assert "hunter2" not in line
    assert "top-secret" not in line


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = refusal(monkeypatch, PORT="abc", DEBUG="perhaps", CHUNK_SIZE="x", CHUNK_OVERLAP="10").splitlines()
    assert sorted(line.split("=")[0] for line in lines) == [
        "orchestra: CHUNK_SIZE",
        "orchestra: DEBUG",
        "orchestra: PORT",
    ]


@pytest.mark.parametrize(("kind", "needed"), [("provider", "RERANKER_URL"), ("cross-encoder", "RERANKER_MODEL")])
def test_a_reranker_without_what_it_needs_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, kind: str, needed: str
) -> None:
    line = refusal(monkeypatch, RERANKER=kind)
    assert line.startswith(f"orchestra: {needed}=")
    assert f"RERANKER={kind} needs it" in line


@pytest.mark.parametrize("needed", ["EMBEDDING_MODEL", "EMBEDDING_URL", "EMBEDDING_DIMENSIONS"])
def test_an_embedding_provider_without_what_it_needs_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, needed: str
) -> None:
    given = {"EMBEDDING_MODEL": "small", "EMBEDDING_URL": "https://api.example.org/v1", "EMBEDDING_DIMENSIONS": "8"}
    line = refusal(monkeypatch, EMBEDDING_ENGINE="provider", **{n: v for n, v in given.items() if n != needed})
    assert line.startswith(f"orchestra: {needed}=")
    assert "EMBEDDING_ENGINE=provider needs it" in line


def test_an_embedding_provider_is_set_up() -> None:
    code = (
        "import django; django.setup(); from search.embedders import embedders; one = embedders['default'];"
        "print(type(one).__name__, one.model_id, one.dimensions, one.max_tokens, one.local)"
    )
    values = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "orchestra.settings",
        "EMBEDDING_ENGINE": "provider",
        "EMBEDDING_MODEL": "text-embedding-3-small",
        "EMBEDDING_URL": "https://api.openai.com/v1",
        "EMBEDDING_DIMENSIONS": "1536",
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=BASE_DIR, env=values, capture_output=True, text=True, timeout=60, check=False)
    expected = ["ProviderEmbedder", "api.openai.com/text-embedding-3-small/1536", "1536", "8000", "False"]
    assert done.stdout.split() == expected, done.stderr


@pytest.mark.parametrize("which", ["LOCAL", "UNCENSORED"])
def test_a_models_address_without_its_name_stops_the_start(monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    line = refusal(monkeypatch, **{f"{which}_LLM_URL": "http://127.0.0.1:11434/v1"})
    assert line.startswith(f"orchestra: {which}_LLM_MODEL=")


def test_a_bucket_that_is_not_named_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    line = refusal(monkeypatch, FILE_STORAGE="s3", S3_SECRET_KEY="hunter2")
    assert line.startswith("orchestra: S3_BUCKET=")
    assert "FILE_STORAGE=s3 needs it" in line
    assert "hunter2" not in line


def test_the_secret_of_a_bucket_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-a-file\n")
    code = (
        "import django; django.setup(); from django.conf import settings;"
        "print(settings.FILE_STORAGE, settings.FILE_STORAGES['s3']['OPTIONS']['secret_key'])"
    )
    values = {"FILE_STORAGE": "s3", "S3_BUCKET": "b", "S3_SECRET_KEY_FILE": str(tmp_path / "secret")}
    environment = {**os.environ, **values, "DJANGO_SETTINGS_MODULE": "orchestra.settings"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["s3", "from-a-file"], done.stderr


def test_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert Environment().port == 8000


@pytest.mark.parametrize("setting", ["DATABASE_URL=mysql://x", "REDIS_URL=foo", "PORT=abc"])
def test_commands_print_the_line_and_no_traceback(setting: str, tmp_path: Path) -> None:
    name, _, value = setting.partition("=")
    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), "check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "STATE_DIR": str(tmp_path), name: value},
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"orchestra: {name}=")


def test_env_example_is_what_the_settings_say() -> None:
    committed = (BASE_DIR / ".env.example").read_text()
    assert committed == env_example(), "write it anew: python -m orchestra.settings.env_example > .env.example"


def test_env_example_sets_nothing_and_reads_back_as_the_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    assert not [line for line in env_example().splitlines() if line and not line.startswith("#")]

    path = tmp_path / ".env"
    path.write_text(
        "".join(line[1:] + "\n" for line in env_example().splitlines() if line[:1] == "#" and line[1:2] != " ")
    )
    assert path.read_text().count("=") >= len(Environment.model_fields)
    assert Environment(_env_file=path) == Environment(_env_file=None)


@pytest.mark.parametrize(
    ("store", "backend", "synced"),
    [("pgvector", "PgVectorStore", False), ("faiss", "FaissStore", True), ("weaviate", "WeaviateStore", True)],
)
def test_a_vector_store_is_chosen_and_mirrors_are_kept_in_step(store: str, backend: str, *, synced: bool) -> None:
    code = (
        "import django; django.setup(); from django.conf import settings;"
        "from search.vector_stores import vector_stores;"
        "print(type(vector_stores['default']).__name__, 'sync-mirrors' in settings.CELERY_BEAT_SCHEDULE)"
    )
    values = {**os.environ, "VECTOR_STORE_TYPE": store, "DJANGO_SETTINGS_MODULE": "orchestra.settings"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=BASE_DIR, env=values, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == [backend, str(synced)], done.stderr


def test_settings_may_lie_in_files_of_which_the_environment_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "redis_url").write_text("redis://:secret@inner:6379/0\n")
    (tmp_path / "secret_key").write_text("from the file, which is read second")
    key = "from the environment, which comes first"
    monkeypatch.setenv("SECRET_KEY", key)
    monkeypatch.delenv("REDIS_URL", raising=False)
    read = Environment(_env_file=None, _secrets_dir=tmp_path)
    assert (read.redis_url, read.secret_key) == ("redis://:secret@inner:6379/0", key)
