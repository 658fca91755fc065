"""Several machines in one: network namespaces where root may make them, addresses of the loopback range elsewhere.

`Site` is an installation over such machines: PostgreSQL and Valkey reached over TCP with passwords, a shared folder for
the bytes, and on each machine the parts that it is told to run, with a state directory of its own.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis

from orchestra.embedded.postgres import EmbeddedPostgres
from orchestra.embedded.valkey import _program as valkey_program
from tests.environment import VAR
from tests.pace import within
from tests.stack import ROOT, wait_for

PASSWORD = "correct horse battery"
PUBLIC_NAME = "files.example.org"
_START_SECONDS = 180


@dataclass(frozen=True)
class Machine:
    """One machine: its address, and what stands before a command that runs on it."""

    name: str
    address: str
    enter: tuple[str, ...] = ()
    cable: str = ""

    def unplug(self) -> None:
        """Cut the machine off from all others; only where it has a namespace of its own."""
        _ip("link", "set", self.cable, "down")

    def plug_in(self) -> None:
        """Connect it again."""
        _ip("link", "set", self.cable, "up")


def namespaces_work() -> bool:
    """Say whether this account may make network namespaces, and cables between them."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        return False
    name = f"otry{os.getpid()}"
    tried = subprocess.run(["ip", "link", "add", name, "type", "bridge"], capture_output=True, check=False)
    if tried.returncode == 0:
        _ip("link", "del", name)
    return tried.returncode == 0


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)


@contextmanager
def machines(*names: str) -> Iterator[dict[str, Machine]]:
    """Make machines that see each other; the first name is this one, where the servers and the proxy run."""
    with ExitStack() as undo:
        if namespaces_work():
            yield _namespaced(names, undo)
        else:
            yield {name: Machine(name, f"127.{77 + os.getpid() % 100}.0.{at}") for at, name in enumerate(names, 1)}


def _free_network() -> int:
    """Make the bridge of a network that nobody has, and return its number; 198.18.0.0/15 is set aside for tests."""
    for at in range(250):
        number = (os.getpid() + at) % 250
        words = ["ip", "link", "add", f"obr{number}", "type", "bridge"]
        if subprocess.run(words, capture_output=True, check=False).returncode == 0:
            return number
    raise AssertionError("all networks for tests are in use")


def _namespaced(names: Sequence[str], undo: ExitStack) -> dict[str, Machine]:
    number = _free_network()
    bridge, network = f"obr{number}", f"198.18.{number}"
    undo.callback(_ip, "link", "del", bridge)
    _ip("addr", "add", f"{network}.1/24", "dev", bridge)
    _ip("link", "set", bridge, "up")
    made = {names[0]: Machine(names[0], f"{network}.1")}
    for at, name in enumerate(names[1:], 2):
        space, cable, inner = f"o{number}{name}", f"ov{number}x{at}", f"oi{number}x{at}"
        _ip("netns", "add", space)
        undo.callback(_ip, "netns", "del", space)
        _ip("link", "add", cable, "type", "veth", "peer", "name", inner)
        _ip("link", "set", inner, "netns", space)
        _ip("link", "set", cable, "master", bridge, "up")
        for words in (
            ("addr", "add", f"{network}.{at}/24", "dev", inner),
            ("link", "set", inner, "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", space, *words)
        rename = ("unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name)
        made[name] = Machine(name, f"{network}.{at}", ("ip", "netns", "exec", space, *rename), cable)
    return made


@dataclass
class Part:
    """A `manage.py run --only …` on one machine."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Return everything that it printed."""
        return self.log.read_text(errors="replace")

    def wait_for_line(self, text: str) -> None:
        """Wait until it has printed `text`."""

        def there() -> bool:
            assert self.process.poll() is None, self.said()[-3000:]
            return text in self.said()

        wait_for(f"{text!r} in {self.log.name}", there, _START_SECONDS)

    def stop(self) -> int:
        """Ask it to stop, as systemd and Kubernetes do; return its status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """End it and everything that it started at once, as when the machine loses its power."""
        from orchestra.embedded.run_record import end_leftovers

        token = _token_of(self.process.pid)
        self.process.kill()
        self.process.wait(20)
        end_leftovers(token, grace=0)


def _token_of(pid: int) -> str:
    """Return what marks the processes of a run, from one of its children."""
    import psutil

    from orchestra.embedded.run_record import TOKEN_VARIABLE

    tokens = {child.environ().get(TOKEN_VARIABLE, "") for child in psutil.Process(pid).children(recursive=True)}
    return (tokens - {""}).pop()


@dataclass
class Site:
    """One installation over several machines."""

    home: Path
    machines: dict[str, Machine]
    database_url: str
    redis_url: str
    settings: dict[str, str] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    clients: ExitStack = field(default_factory=ExitStack)

    def environment(self, machine: Machine, **more: str) -> dict[str, str]:
        """Return what a command on a machine finds in its environment: one shared set of settings, its own state."""
        kept = {name: value for name, value in os.environ.items() if name not in ("EMBEDDING_ENGINE", "LOG_LEVEL")}
        own = {"STATE_DIR": str(self.home / machine.name), "HOST": machine.address}
        shared = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
        return {**kept, **shared, **own, **self.settings, **more}

    def start(self, name: str, *parts: str, **settings: str) -> Part:
        """Run parts on a machine."""
        machine = self.machines[name]
        log = self.home / f"{name}-{'-'.join(parts)}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*machine.enter, sys.executable, "manage.py", "run", "--only", *parts],
                cwd=ROOT,
                env=self.environment(machine, **settings),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.parts.append(Part(process, log))
        return self.parts[-1]

    def manage(self, name: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a management command on a machine."""
        machine = self.machines[name]
        return subprocess.run(
            [*machine.enter, sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(machine, **settings),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def database(self) -> psycopg.Connection[Any]:
        """Connect to PostgreSQL."""
        return psycopg.connect(self.database_url, autocommit=True)

    def client(self, address: str, **more: Any) -> httpx.Client:
        """Return a client of one web, closed with the site."""
        return self.clients.enter_context(httpx.Client(base_url=address, timeout=60, **more))

    def stop(self) -> None:
        """Stop all parts, the last started first."""
        self.clients.close()
        living = [part for part in reversed(self.parts) if part.process.poll() is None]
        for part in living:
            part.process.send_signal(signal.SIGTERM)
        for part in living:
            try:
                part.process.wait(60)
            except subprocess.TimeoutExpired:
                part.process.kill()


@contextmanager
def running_site(name: str, *names: str, **settings: str) -> Iterator[Site]:
    """Make machines and servers with a prepared database; stop everything at the end."""
    home = VAR / f"test-{name}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    with machines(*names) as made, ExitStack() as undo:
        center = made[names[0]]
        site = Site(home, made, _postgres(home, center.address, undo), _valkey(home, center.address, undo))
        site.settings = {
            "UPLOAD_DIR": str(home / "uploads"),
            "MODEL_DIR": str(VAR / "test-models"),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": ",".join((PUBLIC_NAME, "localhost", *(machine.address for machine in made.values()))),
            "WORKER_CONCURRENCY": "1",
            **settings,
        }
        undo.callback(site.stop)
        yield site


def _postgres(home: Path, address: str, undo: ExitStack) -> str:
    """Start a PostgreSQL that asks for a password over TCP; return its URL."""
    server = EmbeddedPostgres(home / "postgres")
    server.ensure()
    undo.callback(server.stop)
    port, password = free_port(address), secrets.token_urlsafe(16)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"ALTER ROLE orchestra PASSWORD '{password}'")
        connection.execute(f"ALTER SYSTEM SET listen_addresses = '{address}'")
        connection.execute(f"ALTER SYSTEM SET port = {port}")
    server.stop()
    hba = server.data / "pg_hba.conf"
    with hba.open("a") as rules:
        rules.write("host all all 0.0.0.0/0 scram-sha-256\n")
    server._control("-l", server.log, "-w", "-t", "60", "start")
    url = f"postgresql://orchestra:{password}@{address}:{port}/orchestra"
    with psycopg.connect(url, connect_timeout=10) as connection:
        connection.execute("SELECT 1")
    return url


def _valkey(home: Path, address: str, undo: ExitStack) -> str:
    """Start a Valkey that asks for a password over TCP; return its URL."""
    port, password = free_port(address), secrets.token_urlsafe(16)
    process = subprocess.Popen(
        [
            *(valkey_program(), "--bind", address, "--port", str(port), "--requirepass", password),
            *("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
        ],
        cwd=home,
        stdout=subprocess.DEVNULL,
    )
    undo.callback(_end, process)
    url = f"redis://:{password}@{address}:{port}/0"
    with redis.Redis.from_url(url) as client:
        wait_for("Valkey", lambda: _answers(client), 30)
    return url


def _answers(client: redis.Redis) -> bool:
    with suppress(redis.RedisError):
        return bool(client.ping())
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on at an address."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


# ------------------------------------------------------------------------------------------------- proxies


@dataclass(frozen=True)
class Proxy:
    """A proxy in front of webs: its public address, and the certificate that its clients are to trust."""

    url: str
    certificate: Path
    process: subprocess.Popen[bytes]
    log: Path


def make_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """Make a certificate for names and addresses that signs itself; return it and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    alternatives = ",".join(f"{'IP' if name[0].isdigit() else 'DNS'}:{name}" for name in names)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={names[0]}"),
            *("-addext", f"subjectAltName={alternatives}", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return certificate, key


def replaced(text: str, changes: dict[str, str]) -> str:
    """Return a configuration with some of its words changed; each must be there, or the test is of something else."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in the configuration"
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, address: str, webs: Sequence[str], changes: dict[str, str] | None = None) -> Iterator[Proxy]:
    """Run Debian's nginx on deploy/nginx/orchestra.conf, with this address, these webs and further changes."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = make_certificate(folder, PUBLIC_NAME, address)
    port = free_port(address)
    site = replaced(
        (ROOT / "deploy" / "nginx" / "orchestra.conf").read_text(),
        {
            "    server 127.0.0.1:8000;\n": "".join(f"    server {web};\n" for web in webs),
            "listen 80;": f"listen {address}:{free_port(address)};",
            "listen 443 ssl;": f"listen {address}:{port} ssl;",
            "server_name files.example.org;": f"server_name {PUBLIC_NAME} {address};",
            "/etc/ssl/orchestra/fullchain.pem": f'"{certificate}"',
            "/etc/ssl/orchestra/privkey.pem": f'"{key}"',
            # The port is not 443 here, and belongs to the origin.
            "Host              $host;": "Host              $http_host;",
            **(changes or {}),
        },
    )
    log = folder / "error.log"
    paths = "".join(
        f'    {kind}_temp_path "{folder / kind}";\n' for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    main.write_text(
        f'{user}daemon off;\nworker_processes 1;\npid "{folder}/nginx.pid";\nerror_log "{log}" info;\n'
        f"events {{ worker_connections 512; }}\nhttp {{\n    access_log off;\n{paths}{site}\n}}\n"
    )
    with log.open("wb") as output:
        process = subprocess.Popen(["nginx", "-c", str(main), "-e", str(log)], stderr=output)
    try:
        _wait_for_port(process, address, port, log)
        yield Proxy(f"https://{address}:{port}", certificate, process, log)
    finally:
        _end(process)


@contextmanager
def caddy(folder: Path, address: str, web: str, changes: dict[str, str] | None = None) -> Iterator[Proxy]:
    """Run Caddy on deploy/caddy/Caddyfile, with this address, this web, a certificate of our own, further changes."""
    certificate, key = make_certificate(folder, PUBLIC_NAME, address)
    port = free_port(address)
    site = replaced(
        (ROOT / "deploy" / "caddy" / "Caddyfile").read_text(),
        {
            "files.example.org {": f"https://{address}:{port} {{\n\tbind {address}\n\ttls {certificate} {key}\n",
            "127.0.0.1:8000": web,
            **(changes or {}),
        },
    )
    config, log = folder / "Caddyfile", folder / "caddy.log"
    config.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n\n" + site)
    places = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"],
            env={**os.environ, **places},
            stderr=output,
        )
    try:
        _wait_for_port(process, address, port, log)
        yield Proxy(f"https://{address}:{port}", certificate, process, log)
    finally:
        _end(process)


def _wait_for_port(process: subprocess.Popen[bytes], address: str, port: int, log: Path) -> None:
    until = time.monotonic() + within(30)
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"the proxy ended:\n{log.read_text()}")
        with suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the proxy does not listen")
