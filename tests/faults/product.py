"""The real product with everything that a test of faults needs: parts, failpoints, clocks, seeded bugs, proxies.

`with faulty_product("name") as product:` starts it in `var/test-NAME` on a free port; see the methods of `Product`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from orchestra.embedded.postgres import EmbeddedPostgres
from orchestra.embedded.valkey import EmbeddedValkey
from tests.environment import VAR
from tests.faults.parts import Part, Parts
from tests.faults.proxy import Proxy, proxy_before
from tests.stack import ROOT, Stack, running_stack, wait_for

FIRST_PORT = "21000"
HOOKS = ROOT / "tests" / "faults" / "hooks"


@dataclass(frozen=True)
class Failpoints:
    """The orders that the processes of a product read at each visit of a failpoint."""

    directory: Path

    def order(self, text: str) -> None:
        """Replace all orders by these, as FAILPOINTS spells them; empty: none."""
        fresh = self.directory / "spec.new"
        fresh.write_text(text)
        fresh.replace(self.directory / "spec")

    def visits(self, name: str) -> list[int]:
        """Return the process ids of all visits of a place so far."""
        with contextlib.suppress(FileNotFoundError):
            return [int(line.split()[0]) for line in (self.directory / "reached" / name).read_text().splitlines()]
        return []

    def next(self, name: str, action: str = "kill") -> str:
        """Return the order to do something at the next visit of a place."""
        return f"{name}={action}:{len(self.visits(name)) + 1}"

    def wait_for(self, name: str, visit: int = 1, seconds: float = 120) -> None:
        """Wait until a place was visited so often."""
        wait_for(f"visit {visit} of {name}", lambda: len(self.visits(name)) >= visit, seconds, every=0.02)


@dataclass(frozen=True)
class Product:
    """A running product under test."""

    stack: Stack
    parts: Parts
    failpoints: Failpoints
    postgres_line: Proxy | None = None
    redis_line: Proxy | None = None

    @contextmanager
    def web_line(self) -> Iterator[tuple[Proxy, str]]:
        """Give a proxy before the web, and the address through it."""
        address = urlsplit(self.stack.url)
        with proxy_before((str(address.hostname), int(address.port or 80))) as proxy:
            yield proxy, f"http://127.0.0.1:{proxy.port}"

    def strike(self, part: Part, *, forget: bool = False) -> None:
        """Kill a part and see that it comes back: for PostgreSQL and Redis, start it."""
        self.parts.kill(part, forget=forget)
        self.parts.start(part)


@contextmanager
def faulty_product(
    name: str,
    *,
    fresh: bool = True,
    proxied: bool = False,
    bug: str = "",
    clocks: str = "",
    **settings: str,
) -> Iterator[Product]:
    """Start the product for a test of faults and stop it at the end.

    `proxied`: PostgreSQL and Redis are reached over TCP, by `postgres_line` and `redis_line`. `bug`: the seeded bug
    MODULE.FUNCTION of `tests.faults.seeded`. `clocks`: which programs' clocks are off by how much, such as
    `worker=+7200 web=-7200` (seconds; the database's stays right). `settings` are those of `.env.example`.
    """
    state = VAR / f"test-{name}"
    if fresh:
        shutil.rmtree(state, ignore_errors=True)
    orders = Failpoints(state / "failpoints")
    (orders.directory / "reached").mkdir(parents=True, exist_ok=True)
    orders.order("")
    settings = {"PORT": FIRST_PORT, "FAILPOINTS": f"@{orders.directory}", **_hooked(bug, clocks), **settings}
    with contextlib.ExitStack() as lines:
        postgres = redis = None
        if proxied:
            postgres, redis = _lines(state, lines)
            settings["DATABASE_URL"] = f"postgresql://orchestra@127.0.0.1:{postgres.port}/orchestra"
            settings["REDIS_URL"] = f"redis://127.0.0.1:{redis.port}/0"
        stack = lines.enter_context(running_stack(name, fresh=False, **settings))
        yield Product(stack, Parts(stack), orders, postgres, redis)


def _lines(state: Path, until: contextlib.ExitStack) -> tuple[Proxy, Proxy]:
    """Start both servers, which stop at the end, and give a proxy before each."""
    lines = []
    servers: tuple[EmbeddedPostgres | EmbeddedValkey, ...] = (EmbeddedPostgres(state), EmbeddedValkey(state))
    for server in servers:
        server.ensure()
        until.callback(server.stop)
    for socket in (Path(EmbeddedPostgres(state).connection()["HOST"]) / ".s.PGSQL.5432", EmbeddedValkey(state).socket):
        lines.append(until.enter_context(proxy_before(socket)))
    return lines[0], lines[1]


def _hooked(bug: str, clocks: str) -> dict[str, str]:
    """Return the variables that make child processes load `hooks/sitecustomize.py`, which looks for the rest."""
    settings: dict[str, str] = {}
    if bug:
        settings |= {"SEEDED_BUG": bug, "DJANGO_SETTINGS_MODULE": "tests.faults.seeded.settings"}
    if clocks:
        settings |= {"SHIFTED_CLOCKS": clocks, "PYTHONPATH": str(HOOKS)}
    if not bug and "DJANGO_SETTINGS_MODULE" in os.environ:
        settings["DJANGO_SETTINGS_MODULE"] = "orchestra.settings"
    return settings
