"""`doctor --proxy` through real proxies: the examples under deploy/ pass, and each fault is named with its remedy."""

from __future__ import annotations

import json
import random
import shutil
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.faults.tus_client import in_pieces
from tests.machines import PASSWORD, Machine, Proxy, Site, caddy, free_port, nginx, running_site

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]
needs_nginx = pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx (Debian: nginx-light)")
needs_caddy = pytest.mark.skipif(not shutil.which("caddy"), reason="needs caddy (Debian: caddy)")

CHECKS = ["reachable", "host", "scheme", "address", "forms", "socket", "body", "streaming", "ranges", "methods"]
_GOOD: dict[str, str] = {}
_USER = f"""
from orchestra.accounts.models import User
User.objects.create_user("carol", password={PASSWORD!r})
"""
_SHORT = """
import json
from orchestra.monitoring.proxy.visiting import examine
found = [(each.name, each.outcome.ok, each.outcome.message, each.outcome.remedy) for each in examine(URL, 2**20, 2.0)]
print(json.dumps(found))
"""


class Doctor:
    """Webs with different settings, and doctor's view of each through a proxy."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.center: Machine = site.machines["center"]
        self._folder = folder
        self._webs: dict[tuple[tuple[str, str], ...], str] = {}

    def web(self, settings: dict[str, str]) -> str:
        """Return host and port of a web with these settings beside the right ones."""
        key = tuple(sorted(settings.items()))
        if key not in self._webs:
            port = free_port(self.center.address)
            own = str(self.site.home / f"web-{port}")
            part = self.site.start("center", "web", PORT=str(port), STATE_DIR=own, **settings)
            part.wait_for_line(f":{port}/")
            self._webs[key] = f"{self.center.address}:{port}"
        return self._webs[key]

    def nginx(self, changes: dict[str, str], settings: dict[str, str]) -> AbstractContextManager[Proxy]:
        """Run nginx in front of a web."""
        return nginx(self._folder, self.center.address, [self.web(settings)], changes)

    def failures(self, url: str, certificate: Path | None) -> dict[str, str]:
        """Return what doctor finds wrong at an address: message and remedy by check."""
        trust = {"SSL_CERT_FILE": str(certificate)} if certificate else {}
        done = self.site.manage("center", "shell", "-v0", "-c", f"URL = {url!r}\n{_SHORT}", **trust)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout.splitlines()[-1])
        assert [name for name, *_ in found] == (CHECKS if found[0][1] else CHECKS[:1])
        return {name: f"{message} → {remedy}" for name, ok, message, remedy in found if not ok}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site("proxies", "center", BEHIND_TLS_PROXY="true", EMBEDDING_ENGINE="hashing") as running:
        running.settings["TRUSTED_PROXIES"] = running.machines["center"].address
        done = running.manage("center", "prepare")
        assert done.returncode == 0, done.stderr
        yield running


@pytest.fixture(scope="module")
def webs(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Doctor:
    return Doctor(site, tmp_path_factory.mktemp("proxy"))


@needs_nginx
def test_the_example_for_nginx_passes_every_check(webs: Doctor) -> None:
    with webs.nginx({}, _GOOD) as proxy:
        done = webs.site.manage("center", "doctor", "--proxy", proxy.url, SSL_CERT_FILE=str(proxy.certificate))
    assert done.returncode == 0, done.stdout
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["ok", name] for name in CHECKS]
    assert "live through 20 s of silence" in done.stdout


@needs_caddy
def test_the_example_for_caddy_passes_every_check(webs: Doctor, tmp_path: Path) -> None:
    with caddy(tmp_path, webs.center.address, webs.web(_GOOD)) as proxy:
        assert webs.failures(proxy.url, proxy.certificate) == {}


@needs_caddy
def test_tus_through_caddy_is_whole(webs: Doctor, tmp_path: Path) -> None:
    made = webs.site.manage("center", "shell", "-v0", "-c", _USER)
    assert made.returncode == 0, made.stderr
    content = random.Random(8).randbytes(5 * 1024**2 + 77)
    with caddy(tmp_path, webs.center.address, webs.web(_GOOD)) as proxy:
        client = webs.site.client(proxy.url, verify=ssl.create_default_context(cafile=str(proxy.certificate)))
        token = client.post("/api/auth/token", json={"username": "carol", "password": PASSWORD}).json()["access"]
        client.headers["Authorization"] = f"Bearer {token}"
        file_id, answers = in_pieces(client, "tus.bin", content, 1024**2)
        assert len(answers) == 6
        assert client.get(f"/api/files/{file_id}/download").content == content


@needs_caddy
def test_a_body_that_caddy_refuses_is_named(webs: Doctor, tmp_path: Path) -> None:
    with caddy(tmp_path, webs.center.address, webs.web(_GOOD), {"65MiB": "1MiB"}) as proxy:
        found = webs.failures(proxy.url, proxy.certificate)
    assert list(found) == ["body"]
    assert "max_size 65MiB" in found["body"]


_LOCATION = "        # Sockets:"
NGINX_FAULTS = {
    "host": ({"Host              $host;": "Host inner.example;"}, "reachable", "proxy_set_header Host $host;"),
    "scheme": ({"X-Forwarded-Proto $scheme;": 'X-Forwarded-Proto "";'}, "scheme", "X-Forwarded-Proto $scheme;"),
    "no address": ({"X-Forwarded-For   $remote_addr;": 'X-Forwarded-For "";'}, "address", "-For $remote_addr;"),
    "any address": (
        {"X-Forwarded-For   $remote_addr;": "X-Forwarded-For $http_x_forwarded_for;"},
        "address",
        "anybody may be anybody",
    ),
    "upgrade": ({"Upgrade    $http_upgrade;": 'Upgrade "";'}, "socket", "Upgrade $http_upgrade;"),
    "idle": ({"proxy_read_timeout    120s;": "proxy_read_timeout 1s;"}, "socket", "proxy_read_timeout 120s;"),
    "body": ({"client_max_body_size 65m;": "client_max_body_size 1m;"}, "body", "client_max_body_size 65m;"),
    "buffering": ({"request_buffering off;": "request_buffering on;"}, "streaming", "proxy_request_buffering off;"),
    "ranges": ({_LOCATION: f'        proxy_set_header Range "";\n{_LOCATION}'}, "ranges", "Range"),
    "methods": (
        {_LOCATION: f"        limit_except GET POST PUT {{ deny all; }}\n{_LOCATION}"},
        "methods",
        "PATCH (403)",
    ),
}
_WITH = {"scheme": {"forms", "socket"}}


@needs_nginx
@pytest.mark.parametrize("fault", NGINX_FAULTS)
def test_a_fault_of_nginx_is_named_with_the_line_that_mends_it(webs: Doctor, fault: str) -> None:
    changes, check, remedy = NGINX_FAULTS[fault]
    with webs.nginx(changes, _GOOD) as proxy:
        found = webs.failures(proxy.url, proxy.certificate)
    assert check in found, found
    assert remedy in found[check]
    # What depends on another thing fails with it; all else fails alone.
    assert set(found) - _WITH.get(fault, set()) == {check}


SETTING_FAULTS = {
    "hosts": ({"ALLOWED_HOSTS": "files.example.net"}, {}, {"reachable": "ALLOWED_HOSTS="}),
    "proxies": ({"TRUSTED_PROXIES": "192.0.2.1"}, {}, {"address": "TRUSTED_PROXIES="}),
    "tls": ({"BEHIND_TLS_PROXY": "false"}, {}, {"forms": "BEHIND_TLS_PROXY=true"}),
    # A port that the proxy does not tell: the page's origin is then not the host's.
    "origins": (
        {"CSRF_TRUSTED_ORIGINS": ""},
        {"Host              $http_host;": "Host $host;"},
        {"forms": "CSRF_TRUSTED_ORIGINS=https://"},
    ),
}


@needs_nginx
@pytest.mark.parametrize("fault", SETTING_FAULTS)
def test_a_wrong_setting_is_named_with_what_to_write(webs: Doctor, fault: str) -> None:
    settings, changes, expected = SETTING_FAULTS[fault]
    with webs.nginx(changes, settings) as proxy:
        found = webs.failures(proxy.url, proxy.certificate)
    assert set(found) == set(expected), found
    for check, remedy in expected.items():
        assert remedy in found[check]


@needs_nginx
def test_nobody_there_a_foreign_certificate_and_a_dead_web_are_told_apart(webs: Doctor, tmp_path: Path) -> None:
    address = webs.center.address
    assert "Start the proxy" in webs.failures(f"https://{address}:{free_port(address)}", None)["reachable"]
    with webs.nginx({}, _GOOD) as proxy:
        assert "SSL_CERT_FILE" in webs.failures(proxy.url, None)["reachable"]
    with nginx(tmp_path, address, [f"{address}:{free_port(address)}"]) as proxy:
        assert "proxy_pass http://ADDRESS:8000;" in webs.failures(proxy.url, proxy.certificate)["reachable"]


def test_an_address_with_a_path_is_refused(webs: Doctor) -> None:
    done = webs.site.manage("center", "doctor", "--proxy", "files.example.org/x")
    assert (done.returncode, "https://files.example.org" in done.stderr) == (1, True)
