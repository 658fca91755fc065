"""A real S3 server for tests: SeaweedFS, from a package, on loopback, with data and sockets in a folder of its own."""

from __future__ import annotations

import json
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.stack import wait_for

ACCESS_KEY = "orchestra-test"
# Of this process: where another one took the same port at the same moment, its server does not pass for ours.
SECRET_KEY = secrets.token_hex(16)
BUCKET = "orchestra"
PORTS = range(25000, 25400)

_ROLES = ("master", "volume", "filer", "s3")
_OFF = ("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false", "-metricsPort=0", "-master.telemetry=false")


class EndedAtOnceError(Exception):
    """The server did not start; the message is the end of its log."""


@dataclass
class S3Server:
    """The server's address and process; it may be killed and started again on the same data."""

    folder: Path
    ports: dict[str, int]
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        """The address for S3's protocol."""
        return f"http://127.0.0.1:{self.ports['s3']}"

    def options(self, **changed: Any) -> dict[str, Any]:
        """Return what a storage needs to speak to it."""
        known = {"bucket": BUCKET, "endpoint_url": self.url, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        return {**known, "region": "us-east-1", **changed}

    def storages(self, **changed: Any) -> dict[str, Any]:
        """Return settings.FILE_STORAGES with a disk and this server."""
        return {
            "local": {"BACKEND": "files.storage.local.LocalStorage"},
            "s3": {"BACKEND": "files.storage.s3.S3Storage", "OPTIONS": self.options(**changed)},
        }

    def settings(self) -> dict[str, Any]:
        """Return the same as a user sets it in the environment."""
        return {"FILE_STORAGE": "s3", **{f"S3_{name.upper()}": value for name, value in self.options().items()}}

    def client(self) -> Any:
        """Return boto3's own client, which goes past the product."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, connect_timeout=2),
        )

    def start(self) -> None:
        """Start the server and wait until it takes objects."""
        log = (self.folder / "server.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                _command(self.folder, self.ports), stdout=log, stderr=log, start_new_session=True
            )
        wait_for("the S3 server", self._answers, seconds=120)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise EndedAtOnceError((self.folder / "server.log").read_text(errors="replace")[-2000:])
        try:
            client = self.client()
            if BUCKET not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
                client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="begun", Body=b"yes")
            client.delete_object(Bucket=BUCKET, Key="begun")
        except (BotoCoreError, ClientError):
            return False
        return True

    def kill(self) -> None:
        """End the server as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Be killed for as long as the block lasts."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def empty(self) -> None:
        """Delete every object and every multipart upload."""
        client = self.client()
        for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()):
            client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        for key in self.stored_keys():
            client.delete_object(Bucket=BUCKET, Key=key)

    def stored_keys(self) -> list[str]:
        """Return the keys of all objects."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


def _command(folder: Path, ports: dict[str, int]) -> list[str]:
    addresses = [f"-{role}.port={ports[role]}" for role in _ROLES]
    addresses += [f"-{role}.port.grpc={ports[role + ' grpc']}" for role in _ROLES]
    sockets = [f"-{role}.localSocket={folder / role}.sock" for role in ("filer", "s3")]
    room = ["-master.volumeSizeLimitMB=256", "-volume.max=60", "-volume.minFreeSpace=1"]
    parts = ["-filer", "-s3", f"-s3.config={folder / 's3.json'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    weed = str(Path(sys.executable).parent / "weed")
    return [weed, "server", f"-dir={folder}", *parts, *addresses, *sockets, *room, *_OFF]


def _free_ports() -> dict[str, int]:
    names = [*_ROLES, *(f"{role} grpc" for role in _ROLES)]
    found: dict[str, int] = {}
    with ExitStack() as held:
        # Others may look at the same moment: in another order they rarely find the same.
        for port in random.SystemRandom().sample(PORTS, len(PORTS)):
            if len(found) == len(names):
                break
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found[names[len(found)]] = port
    return found


def _start_on_free_ports(server: S3Server) -> None:
    for left in reversed(range(5)):
        server.ports = _free_ports()
        try:
            server.start()
        except EndedAtOnceError:
            if not left:
                raise
        else:
            return


@contextmanager
def running_s3_server() -> Iterator[S3Server]:
    """Run a server of its own while the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="s3-", dir="/tmp"))
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    server = S3Server(folder, {})
    try:
        _start_on_free_ports(server)
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)
