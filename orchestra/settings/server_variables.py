"""Variables of the server: addresses, servers beside it, where bytes are kept, how large they may be.

The first part of `orchestra.settings.env.Environment`, which is what is read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode

from orchestra.settings.address_forms import require_networks, require_server, require_url

BASE_DIR = Path(__file__).resolve().parents[2]


SHORTEST_SECRET = 32
"""Signs of a secret that somebody makes up."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class ServerVariables(BaseSettings):
    """What a user may set of the server itself."""

    debug: bool = Field(False, description="Show tracebacks in the browser. Never in production.")
    state_dir: Path = Field(
        BASE_DIR / "var", description="Where the embedded services, secrets, logs and uploads live.", alias="STATE_DIR"
    )
    secret_key: str = Field("", description="Django's secret. Empty: made once and kept in STATE_DIR/secrets.")
    jwt_signing_key: str = Field("", description="Signs access tokens. Empty: made once and kept in STATE_DIR/secrets.")
    allowed_hosts: CommaSeparated = Field(
        ("localhost", "127.0.0.1", "[::1]"), description="Host names that this server answers to, separated by commas."
    )
    csrf_trusted_origins: CommaSeparated = Field(
        (), description="Origins of a proxy in front, e.g. https://files.example.org, separated by commas."
    )
    behind_tls_proxy: bool = Field(
        False, description="A proxy ends TLS and sets X-Forwarded-Proto: trust it, and send secure cookies only."
    )
    trusted_proxies: CommaSeparated = Field(
        ("127.0.0.1", "::1"),
        description="Addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas.",
    )
    sign_in_attempts: int = Field(
        10,
        ge=0,
        description="Passwords that may be tried for an account in ten minutes; per address five times that. 0: any.",
    )
    staff_two_factor: bool = Field(
        default=False, description="Staff must set up a second factor before they can do anything else."
    )
    host: str = Field("127.0.0.1", description="Address that `manage.py run` listens on.")
    port: int = Field(8000, ge=1, le=65535, description="First port that `manage.py run` tries.")

    database_url: str = Field(
        "", description="postgresql://user:password@host:5432/name. Empty: the embedded PostgreSQL with pgvector."
    )
    database_pool: int = Field(
        0,
        ge=0,
        le=1000,
        description="Connections that a process keeps open for its threads; `manage.py run` gives the web 12. 0: none.",
    )
    redis_url: str = Field("", description="redis://:password@host:6379/0. Empty: the embedded server.")
    worker_concurrency: int = Field(2, ge=1, le=64, description="Files that one worker processes at a time.")

    upload_dir: Path | None = Field(None, description="Where file bytes are kept. Empty: STATE_DIR/uploads.")
    file_storage: Literal["local", "s3"] = Field(
        "local", description="Where new files' bytes go: a folder (UPLOAD_DIR), or a bucket of an S3-compatible server."
    )
    s3_bucket: str = Field("", description="The bucket. It must exist; FILE_STORAGE=s3 needs it.")
    s3_endpoint_url: str = Field("", description="The S3 server's address, https://host:port. Empty: Amazon's.")
    s3_region: str = Field("us-east-1", description="The bucket's region; most other servers take any.")
    s3_access_key: str = Field(
        "", description="Id of the S3 key. Empty: what boto3 finds, such as a role of the machine."
    )
    s3_secret_key: str = Field("", description="Secret of the S3 key; or S3_SECRET_KEY_FILE.")
    s3_secret_key_file: Path | None = Field(None, description="A file that holds the secret and nothing else.")
    s3_prefix: str = Field("", description="Folder inside the bucket, where it is shared with others.")
    s3_path_style: bool = Field(
        default=True, description="Address the bucket as host/bucket. false: as bucket.host, as Amazon prefers."
    )
    max_file_size: int = Field(2 * 1024**3, ge=1, description="Largest accepted file, in bytes.")
    upload_chunk_size: int = Field(
        8 * 1024**2, ge=64 * 1024, le=64 * 1024**2, description="Size of one chunk of an upload, in bytes."
    )
    upload_expiry_hours: int = Field(24, ge=1, description="Hours after which an unfinished upload is removed.")
    small_upload_limit: int = Field(
        64 * 1024**2, ge=1024, description="Largest file that one request may carry, in bytes; chunks above that."
    )
    default_quota: int = Field(100 * 1024**3, ge=0, description="Bytes that a user may store. 0: no limit.")
    max_files: int = Field(
        0, ge=0, description="Files that a user may have, those in the trash and on their way included. 0: any number."
    )
    max_uploads: int = Field(0, ge=0, description="Uploads that a user may have under way at a time. 0: any number.")

    trash_days: int = Field(
        30, ge=0, le=3650, description="Days that deleted files stay in the trash and may be restored. 0: no trash."
    )

    @field_validator("database_url")
    @classmethod
    def _postgres_only(cls, value: str) -> str:
        example = "postgresql://user:password@host:5432/name"
        require_url(value, ("postgres", "postgresql"), example)
        if value and not urlsplit(value).path.strip("/"):
            raise ValueError(f"the database's name is missing; write it as {example}")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_only(cls, value: str) -> str:
        require_url(value, ("redis", "rediss", "unix"), "redis://:password@host:6379/0")
        return value

    @field_validator("csrf_trusted_origins")
    @classmethod
    def _with_scheme(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not origin.startswith(("http://", "https://")) for origin in value):
            raise ValueError("write origins with their scheme, e.g. https://files.example.org")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return require_networks(value)

    @field_validator("s3_bucket")
    @classmethod
    def _named_bucket(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("file_storage") == "s3":
            raise ValueError("FILE_STORAGE=s3 needs it; write the bucket's name")
        return value

    @field_validator("s3_endpoint_url")
    @classmethod
    def _s3_server(cls, value: str) -> str:
        require_server(value, "https://s3.example.org:9000")
        return value

    @field_validator("secret_key", "jwt_signing_key")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < SHORTEST_SECRET:
            raise ValueError(f"write {SHORTEST_SECRET} signs or more, or leave it out: one is made then")
        return value

    @field_validator("s3_secret_key_file")
    @classmethod
    def _readable_secret(cls, value: Path | None) -> Path | None:
        if value is not None and not os.access(value, os.R_OK):
            raise ValueError("write the path of a file that this account can read")
        return value

    @field_validator("state_dir", "upload_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return (BASE_DIR / value).resolve() if value is not None else None
