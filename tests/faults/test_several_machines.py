"""One installation on five machines: PostgreSQL, Valkey and nginx on the first, two webs, two workers, two beats.

Where root may make network namespaces, each machine has one, and a cable that can be pulled.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.faults.proxy import proxy_before
from tests.faults.tus_client import in_pieces
from tests.machines import PASSWORD, Part, Proxy, Site, namespaces_work, nginx, running_site
from tests.pace import within
from tests.s3_server import S3Server
from tests.samples import long_text
from tests.stack import wait_for

pytestmark = [
    pytest.mark.services,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx (Debian: nginx-light)"),
]

_CHUNK = 1024 * 1024
_TELLS_WEB = {"        # Sockets:": "        add_header X-Web $upstream_addr always;\n        # Sockets:"}


@dataclass
class Team:
    """The running installation, and what the tests talk to."""

    site: Site
    proxy: Proxy
    parts: dict[str, Part]
    prepared: list[str]

    def web(self, name: str) -> str:
        """Return the address of one web, past the proxy."""
        return f"http://{self.site.machines[name].address}:8000"

    def client(self, user: str, address: str = "") -> httpx.Client:
        """Return an API client signed in as a user, through the proxy or at one web."""
        client = self.site.client(address or self.proxy.url, verify=self.trust(), headers=_AS_THE_PROXY)
        answer = client.post("/api/auth/token", json={"username": user, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        return client

    def trust(self) -> ssl.SSLContext:
        """Return TLS settings that know the proxy's certificate."""
        return ssl.create_default_context(cafile=str(self.proxy.certificate))

    def sockets(self, client: httpx.Client, count: int) -> dict[str, ClientConnection]:
        """Open status sockets of a client's user through the proxy, in turn at the webs; return one of each web."""
        tickets = [client.post("/api/auth/ticket").json()["ticket"] for _ in range(count)]
        address = self.proxy.url.replace("https", "wss", 1) + "/ws/status/"
        origin: Any = self.proxy.url  # the library's type for it is a name of its own for str
        found: dict[str, ClientConnection] = {}
        for ticket in tickets:
            # One after the other, with no request in between: the proxy takes the webs in turn.
            try:
                socket: ClientConnection = connect(
                    f"{address}?ticket={ticket}", ssl=self.trust(), origin=origin, open_timeout=100
                )
            except TimeoutError as exc:
                said = [f"{name}: {part.said()[-2000:]}" for name, part in self.parts.items()]
                raise AssertionError("\n".join([*said, self.proxy.log.read_text()[-2000:]])) from exc
            self.site.clients.enter_context(socket)
            assert socket.response
            found[socket.response.headers["X-Web"]] = socket
        return found

    def worker_of(self, file_id: str) -> str:
        """Return the machine whose worker has a file, or had it last."""
        with self.site.database() as database:
            row = database.execute("SELECT worker FROM files_processingjob WHERE file_id = %s", [file_id]).fetchone()
        return str(row[0]).partition("/")[0].rpartition("@")[2].removesuffix(".local") if row else ""


# What the proxy tells the webs; through it, its own word stands instead.
_AS_THE_PROXY = {"X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    names = ("center", "one", "two", "three", "four")
    with running_site("machines", *names, BEHIND_TLS_PROXY="true") as site:
        webs = [f"{site.machines[name].address}:8000" for name in ("one", "two")]
        center = site.machines["center"].address
        with nginx(site.home / "nginx", center, webs, _TELLS_WEB) as proxy:
            site.settings |= {"TRUSTED_PROXIES": center, "CSRF_TRUSTED_ORIGINS": proxy.url}
            parts = {name: site.start(name, "web") for name in ("one", "two")}
            # A worker and a beat on both: nothing may happen twice because of the second beat.
            parts |= {name: site.start(name, "worker", "beat") for name in ("three", "four")}
            with ThreadPoolExecutor() as pool:
                done = list(pool.map(lambda name: site.manage(name, "prepare"), ("one", "two")))
            assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]
            for name, line in (("one", "Web runs"), ("two", "Web runs"), ("three", "runs"), ("four", "runs")):
                parts[name].wait_for_line(line)
            made = site.manage("one", "shell", "-v0", "-c", _USERS)
            assert made.returncode == 0, made.stderr
            yield Team(site, proxy, parts, [each.stdout for each in done])


_USERS = f"""
from orchestra.accounts.models import User
for name in ("ann", "ben", "cid", "dora", "eve"):
    User.objects.create_user(name, password={PASSWORD!r})
"""


def _upload(client: httpx.Client, name: str, content: bytes) -> str:
    answer = client.post("/api/files/upload", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _file(client: httpx.Client, file_id: str) -> dict[str, Any]:
    return client.get(f"/api/files/{file_id}").json()  # type: ignore[no-any-return]


def _codes(client: httpx.Client, file_id: str) -> list[str]:
    return [event["code"] for event in client.get(f"/api/files/{file_id}/status").json()["timeline"]]


def _wait_until_ready(client: httpx.Client, file_id: str, seconds: float = 240) -> None:
    wait_for("the file to be ready", lambda: _file(client, file_id)["status"] == "ready", seconds, 0.3)


def _wait_until_embedding(client: httpx.Client, file_id: str) -> None:
    def embedding() -> bool:
        progress = _file(client, file_id)["progress"] or {}
        return progress.get("stage") == "index" and progress.get("done", 0) > 0

    wait_for("embedding to be under way", embedding, 120, 0.05)


def _assert_whole(team: Team, file_id: str) -> None:
    """Each passage once, in one row, with one vector."""
    with team.site.database() as database:
        chunks = database.execute(
            "SELECT count(*), count(DISTINCT ordinal), max(ordinal) + 1 FROM search_vectorchunk WHERE file_id = %s",
            [file_id],
        ).fetchone()
        vectors = database.execute(
            "SELECT count(*) FROM search_chunkembedding e JOIN search_indexedfile d ON e.document_id = d.number "
            "WHERE d.file_id = %s",
            [file_id],
        ).fetchone()
    assert chunks is not None
    assert vectors is not None
    assert chunks[0] > 0
    assert set(chunks) | set(vectors) == {chunks[0]}


def test_machines_that_prepare_at_once_wait_for_each_other_and_make_one_administrator(team: Team) -> None:
    assert sum("Administrator" in said for said in team.prepared) == 1
    assert all("Database is up to date." in said for said in team.prepared)
    with team.site.database() as database:
        assert database.execute("SELECT count(*) FROM accounts_user WHERE is_superuser").fetchone() == (1,)


def test_a_token_and_a_session_of_one_web_are_good_at_the_other(team: Team) -> None:
    first, second = team.client("ann", team.web("one")), team.site.client(team.web("two"), headers=_AS_THE_PROXY)
    second.headers["Authorization"] = first.headers["Authorization"]
    assert second.get("/api/auth/me").json()["username"] == "ann"

    browser = team.site.client(team.proxy.url, verify=team.trust(), headers={"Referer": team.proxy.url + "/"})
    webs, form = set(), {"username": "ann", "password": PASSWORD}
    form["csrfmiddlewaretoken"] = browser.get("/sign-in").text.partition('csrfmiddlewaretoken" value="')[2][:64]
    assert browser.post("/sign-in", data=form).status_code == 302
    for _ in range(4):
        page = browser.get("/account")
        assert page.status_code == 200
        webs.add(page.headers["X-Web"])
    assert len(webs) == 2
    assert all("secure" in str(cookie).lower() or cookie.secure for cookie in browser.cookies.jar)


def test_doctor_on_one_machine_sees_the_others_and_a_key_that_is_not_theirs(team: Team) -> None:
    well = team.site.manage("one", "doctor", "database", "redis", "worker", "clock", "storage")
    assert well.returncode == 0, well.stdout
    wrong = team.site.manage("one", "doctor", "worker", JWT_SIGNING_KEY="a key of its own, and of no other machine")
    assert wrong.returncode == 1
    assert "has another SECRET_KEY, JWT_SIGNING_KEY or CREDENTIALS_KEYS" in wrong.stdout


def test_an_upload_whose_chunks_go_to_both_webs_in_turn_is_whole(team: Team) -> None:
    clients = [team.client("ben", team.web(name)) for name in ("one", "two")]
    file_id, digest = _upload_in_turn(clients)
    for client in clients:
        assert hashlib.sha256(client.get(f"/api/files/{file_id}/download").content).hexdigest() == digest
    assert clients[1].delete(f"/api/files/{file_id}").status_code == 204


def _upload_in_turn(clients: list[httpx.Client]) -> tuple[str, str]:
    """Send a file whose chunks go to two webs in turn; return its id and digest."""
    content = long_text(10_000, "both")[: 5 * _CHUNK + 777]
    digest = hashlib.sha256(content).hexdigest()
    declared = {"name": "both.txt", "size": len(content), "sha256": digest, "chunk_size": _CHUNK}
    file_id = clients[0].post("/api/files/upload/initiate", json=declared).json()["id"]
    for index in range(6):
        part = content[index * _CHUNK : (index + 1) * _CHUNK]
        spread = f"bytes {index * _CHUNK}-{index * _CHUNK + len(part) - 1}/{len(content)}"
        headers = {"Content-Range": spread, "X-Chunk-SHA256": hashlib.sha256(part).hexdigest()}
        answer = clients[index % 2].put(f"/api/files/{file_id}/upload", content=part, headers=headers)
        assert answer.status_code == 200, answer.text
        seen = clients[1 - index % 2].post("/api/files/upload/initiate", json=declared).json()
        assert seen["received"] == [[0, min((index + 1) * _CHUNK, len(content))]], "the other web sees it at once"
    return file_id, digest


def test_tus_through_the_proxy_goes_to_both_webs_and_is_whole(team: Team) -> None:
    client, content = team.client("ben"), long_text(10_000, "tus")[: 5 * _CHUNK + 777]
    file_id, answers = in_pieces(client, "tus.txt", content, _CHUNK)
    assert len({answer.headers["X-Web"] for answer in answers}) == 2
    assert client.get(f"/api/files/{file_id}/download").content == content
    assert client.delete(f"/api/files/{file_id}").status_code == 204


def test_machines_that_share_no_folder_share_a_bucket(s3_server: S3Server) -> None:
    s3_server.empty()
    with running_site("bucket-machines", "center", "one", "two", "three", EMBEDDING_ENGINE="hashing") as site:
        center = site.machines["center"].address
        with proxy_before(("127.0.0.1", s3_server.ports["s3"]), host=center) as line:
            # No UPLOAD_DIR: each machine has a disk of its own, below its STATE_DIR.
            site.settings |= {
                **s3_server.settings(),
                "S3_ENDPOINT_URL": f"http://{center}:{line.port}",
                "UPLOAD_DIR": "",
            }
            assert site.manage("one", "prepare").returncode == 0
            assert site.manage("one", "shell", "-v0", "-c", _USERS).returncode == 0
            webs = [site.start(name, "web") for name in ("one", "two")]
            site.start("three", "worker", "beat").wait_for_line("runs")
            for web in webs:
                web.wait_for_line("Web runs")
            clients = [site.client(f"http://{site.machines[name].address}:8000") for name in ("one", "two")]
            token = clients[0].post("/api/auth/token", json={"username": "ann", "password": PASSWORD}).json()["access"]
            for client in clients:
                client.headers["Authorization"] = f"Bearer {token}"
            file_id, digest = _upload_in_turn(clients)
            _wait_until_ready(clients[1], file_id)
            assert clients[0].get(f"/api/files/{file_id}").json()["chunk_count"] > 1000
            for client in clients:
                assert hashlib.sha256(client.get(f"/api/files/{file_id}/download").content).hexdigest() == digest
            site.stop()
        kept = [path for name in ("one", "two", "three") for path in (site.home / name / "uploads").rglob("*.part")]
        assert kept == []


def test_sockets_at_both_webs_see_what_is_uploaded_through_either(team: Team) -> None:
    client = team.client("cid")
    sockets = team.sockets(client, 4)
    assert len(sockets) == 2
    files = [_upload(team.client("cid", team.web(name)), f"{name}.txt", name.encode()) for name in ("one", "two")]
    for socket in sockets.values():
        assert _wait_for_files(socket, files) == {"ready"}


def _wait_for_files(socket: ClientConnection, ids: list[str]) -> set[str]:
    """Read a socket until it has told the end of all these files; return their states."""
    states: dict[str, str] = {}
    until = time.monotonic() + within(120)
    while time.monotonic() < until and not (set(states) == set(ids) and set(states.values()) == {"ready"}):
        for file in json.loads(socket.recv(timeout=60)).get("files", ()):
            if file["id"] in ids:
                states[file["id"]] = file["status"]
    return set(states.values())


def test_two_beats_do_nothing_twice(team: Team) -> None:
    client = team.client("dora")
    ids = [_upload(client, f"note-{number}.txt", long_text(2, f"note {number}")) for number in range(40)]
    with team.site.database() as database:
        # Hints that are lost are sent again by either beat's sweep.
        wait_for("all files to be ready", lambda: {_file(client, each)["status"] for each in ids} == {"ready"}, 240, 1)
        began = database.execute(
            "SELECT file_id, count(*) FROM files_fileevent WHERE code = 'started' AND file_id = ANY(%s) "
            "GROUP BY 1 HAVING count(*) <> 1",
            [ids],
        ).fetchall()
        workers = database.execute(
            "SELECT DISTINCT split_part(worker, '/', 1) FROM files_processingjob WHERE file_id = ANY(%s)", [ids]
        ).fetchall()
    assert began == []
    assert len(workers) == 2, "both machines work"


def test_the_file_of_a_machine_that_dies_is_taken_over_by_the_other(team: Team) -> None:
    client = team.client("eve")
    file_id = _upload(client, "long.txt", long_text(600, "dies"))
    _wait_until_embedding(client, file_id)
    dead = team.worker_of(file_id)
    team.parts[dead].kill()
    killed = time.monotonic()
    try:
        wait_for("the other worker", lambda: team.worker_of(file_id) not in ("", dead), 120, 0.2)
        seconds = time.monotonic() - killed
        _wait_until_ready(client, file_id)
    finally:
        team.parts[dead] = team.site.start(dead, "worker", "beat")
    assert "worker_lost" in _codes(client, file_id)
    assert seconds < within(60)
    _assert_whole(team, file_id)
    team.parts[dead].wait_for_line("Database is up to date.")


@pytest.mark.skipif(not namespaces_work(), reason="needs root and network namespaces")
def test_a_worker_whose_cable_is_pulled_and_put_back_writes_nothing_late(team: Team) -> None:
    client = team.client("eve")
    file_id = _upload(client, "longer.txt", long_text(1200, "cable"))
    _wait_until_embedding(client, file_id)
    alone = team.worker_of(file_id)
    machine = team.site.machines[alone]
    machine.unplug()
    try:
        wait_for("the other worker", lambda: team.worker_of(file_id) not in ("", alone), 120, 0.2)
    finally:
        machine.plug_in()
    taken_by = team.worker_of(file_id)
    _wait_until_ready(client, file_id, 300)
    assert "worker_lost" in _codes(client, file_id)
    assert team.worker_of(file_id) == taken_by
    _assert_whole(team, file_id)

    # The machine works again, although its connections to everything were cut in mid-sentence.
    wait_for("both workers", lambda: _works_again(team, client, alone), 180, 1)


def _works_again(team: Team, client: httpx.Client, name: str) -> bool:
    ids = [_upload(client, "again.txt", f"again {time.monotonic()} {at}".encode()) for at in range(4)]
    for each in ids:
        _wait_until_ready(client, each, 120)
    return name in {team.worker_of(each) for each in ids}


def test_a_web_that_dies_leaves_its_clients_to_the_other(team: Team) -> None:
    client = team.client("ben")
    sockets = team.sockets(client, 4)
    dead = f"{team.site.machines['one'].address}:8000"
    team.parts["one"].kill()
    try:
        assert {client.get("/api/files").status_code for _ in range(6)} == {200}
        again = team.sockets(client, 1).popitem()[1]
        assert json.loads(again.recv(timeout=30))["type"] == "snapshot"
        file_id = _upload(client, "after.txt", b"after the death of a web")
        living = next(socket for web, socket in sockets.items() if web != dead)
        assert _wait_for_files(living, [file_id]) == {"ready"}
        assert _wait_for_files(again, [file_id]) == {"ready"}
    finally:
        team.parts["one"] = team.site.start("one", "web")
    team.parts["one"].wait_for_line("Web runs")


def test_a_part_told_to_stop_hands_its_file_back_and_ends(team: Team) -> None:
    client = team.client("eve")
    file_id = _upload(client, "stopped.txt", long_text(1000, "stopped"))
    _wait_until_embedding(client, file_id)
    stopped = team.worker_of(file_id)
    assert team.parts[stopped].stop() == 0
    try:
        wait_for("the other worker", lambda: team.worker_of(file_id) not in ("", stopped), 60, 0.2)
        assert {"released", "worker_lost"} & set(_codes(client, file_id)) == {"released"}
        assert client.delete(f"/api/files/{file_id}").status_code == 204
    finally:
        team.parts[stopped] = team.site.start(stopped, "worker", "beat")
