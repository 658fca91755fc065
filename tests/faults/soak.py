"""The long run: clients upload while web, worker, beat, PostgreSQL and Redis are killed at random; then the oracle.

`make soak` runs it with 1,000 uploads and at least 300 kills, and writes `var/reliability.json`; `make test` runs a
short one.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import psycopg
import redis

from orchestra.common.errors import OrchestraError
from tests.faults.client import Client
from tests.faults.oracle import Verdict, judge
from tests.faults.parts import Part
from tests.faults.product import Product, faulty_product
from tests.faults.soak_files import LARGEST, name_and_content
from tests.stack import ROOT

WEIGHTS = {
    Part.WEB: 6,
    Part.WORKER_CHILD: 5,
    Part.WORKER_PARENT: 4,
    Part.WORKER_GROUP: 2,
    Part.POSTGRES: 4,
    Part.REDIS: 4,
    Part.BEAT: 1,
}
GIVES_UP_AFTER = 300.0  # seconds without recovery


@dataclass(frozen=True)
class Options:
    """How large a run is. `pause` is the mean number of seconds between two kills."""

    uploads: int = 1000
    kills: int = 300
    clients: int = 10
    pause: float = 5.0
    largest: int = LARGEST
    seconds: float = 3600.0  # after which no more is begun
    seed: int = 0


@dataclass
class Strikes:
    """What was killed, and how long each took to be back: seconds by kind."""

    kills: Counter[str] = field(default_factory=Counter)
    recovery: dict[str, list[float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """What a run says at its end."""

    options: Options
    seconds: float
    uploads: int
    bytes: int
    kills: dict[str, int]
    recovery: dict[str, dict[str, float]]
    lost: int
    doubled: int
    stuck: int
    wrong_digests: int
    failed_with_reason: dict[str, int]
    problems: list[str]

    @property
    def longest_recovery(self) -> float:
        """Seconds of the slowest return of any part."""
        return max((figures["max"] for figures in self.recovery.values()), default=0.0)

    def summary(self) -> str:
        """Return the run in words."""
        slowest = max(self.recovery, key=lambda kind: self.recovery[kind]["max"], default="none")
        kills = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kills.items()))
        lines = [
            f"{self.uploads} uploads ({self.bytes / 1024**2:,.0f} MiB) in {self.seconds / 60:.1f} minutes, "
            f"{sum(self.kills.values())} kills: {kills}.",
            f"{self.lost} lost, {self.doubled} doubled, {self.stuck} stuck, {self.wrong_digests} wrong digests.",
            f"Failed with a reason: {self.failed_with_reason or 'none'}.",
            f"Longest recovery: {self.longest_recovery:.1f} s ({slowest}).",
        ]
        for kind, figures in sorted(self.recovery.items()):
            lines.append(f"  {kind}: p50 {figures['p50']} s, p95 {figures['p95']} s, max {figures['max']} s")
        return "\n".join(lines + self.problems)


class Striker(threading.Thread):
    """Kills a part, at random moments, and measures when it is back."""

    def __init__(self, product: Product, watcher: Client, options: Options) -> None:
        super().__init__(name="striker", daemon=True)
        self.done = threading.Event()
        self.strikes = Strikes()
        self._product = product
        self._watcher = watcher
        self._options = options
        self._chance = random.Random(options.seed)
        self._probes: list[threading.Thread] = []

    def count(self) -> int:
        """Return how many kills there were."""
        return self.strikes.kills.total()

    def run(self) -> None:
        """Strike until told to stop."""
        parts, weights = list(WEIGHTS), list(WEIGHTS.values())
        while not self.done.wait(self._chance.expovariate(1 / self._options.pause)):
            (part,) = self._chance.choices(parts, weights)
            try:
                self._strike(part, forget=self._chance.random() < 0.5)
            except (OrchestraError, AssertionError) as error:
                self.strikes.problems.append(f"{part} did not come back: {error}")

    def finish(self) -> None:
        """Stop striking, start what is down, and wait for the last measurements."""
        self.done.set()
        self.join(180)
        for part in WEIGHTS:
            self._product.parts.start(part)
        for probe in self._probes:
            probe.join(GIVES_UP_AFTER)

    def _strike(self, part: Part, *, forget: bool) -> None:
        if not self._product.parts.processes(part):
            return  # still being restarted
        recovered = self._recovery_of(part)
        began = time.monotonic()
        if not self._product.parts.kill(part, forget=forget):
            return
        self.strikes.kills[part.value] += 1
        probe = threading.Thread(target=self._measure, args=(part, began, recovered), daemon=True)
        probe.start()
        self._probes.append(probe)
        if part in (Part.POSTGRES, Part.REDIS):
            self._product.parts.start(part)

    def _measure(self, part: Part, began: float, recovered: Callable[[], bool]) -> None:
        while time.monotonic() - began < GIVES_UP_AFTER:
            if recovered():
                self.strikes.recovery.setdefault(part.value, []).append(time.monotonic() - began)
                return
            time.sleep(0.2)
        self.strikes.problems.append(f"{part} was not back after {GIVES_UP_AFTER:.0f} s")

    def _recovery_of(self, part: Part) -> Callable[[], bool]:
        """Return what tells that a part is back; looks at the state before the strike where that matters."""
        if part in (Part.WORKER_CHILD, Part.WORKER_PARENT, Part.WORKER_GROUP):
            return self._jobs_go_on(self._attempts("state = 'running'") or {})
        if part is Part.REDIS:
            return self._redis_answers
        if part is Part.BEAT:
            old = {process.pid for process in self._product.parts.processes(part)}
            return lambda: bool({process.pid for process in self._product.parts.processes(part)} - old)
        return self._files_are_listed if part is Part.POSTGRES else self._web_lives

    def _web_lives(self) -> bool:
        try:
            return httpx.get(f"{self._product.stack.url}/api/health/live", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def _files_are_listed(self) -> bool:
        try:
            return self._watcher.lists_files()
        except httpx.TransportError:
            return False

    def _redis_answers(self) -> bool:
        try:
            client = self._product.stack.redis()
            return bool(client.ping())
        except (redis.RedisError, OSError):
            return False

    def _jobs_go_on(self, before: dict[str, int]) -> Callable[[], bool]:
        """Each job that ran has begun again or ended; where none ran, a worker is there again."""

        def on() -> bool:
            still = self._attempts("state <> 'done'")
            waiting = still is None or any(still.get(key) == attempt for key, attempt in before.items())
            return not waiting and bool(self._product.parts.processes(Part.WORKER_CHILD))

        return on

    def _attempts(self, which: str) -> dict[str, int] | None:
        """Return the attempts of jobs by file; None where the database is away."""
        try:
            with self._product.stack.database() as database:
                found = database.execute(f"SELECT file_id::text, attempt FROM files_processingjob WHERE {which}")
                return dict(found.fetchall())
        except psycopg.Error:
            return None


def run(product: Product, options: Options) -> Report:
    """Upload and strike until both have been done often enough, then wait for the end and judge."""
    began = time.monotonic()
    clients = [Client(product.stack, f"soaker-{number}") for number in range(options.clients)]
    striker = Striker(product, Client(product.stack, "watcher"), options)
    striker.start()
    try:
        uploaded = _upload_all(clients, options, striker, began + options.seconds)
        while striker.count() < options.kills and time.monotonic() < began + options.seconds:
            time.sleep(0.5)
    finally:
        striker.finish()
    verdict = judge(product.stack, clients, seconds=1200, downloads=20)
    return _report(options, time.monotonic() - began, uploaded, striker.strikes, verdict)


def _upload_all(clients: Sequence[Client], options: Options, striker: Striker, until: float) -> int:
    """Let the clients share the uploads, no faster than the kills come, so that all of both meet. Return the bytes."""
    numbers = iter(range(options.uploads))
    lock, stopped = threading.Lock(), threading.Event()
    size = 0

    def work(client: Client) -> None:
        nonlocal size
        while time.monotonic() < until and not stopped.is_set():
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            while number / options.uploads > (striker.count() + 2) / options.kills and time.monotonic() < until:
                time.sleep(0.1)
            name, content = name_and_content(number, options.largest)
            file_id = client.upload(name, content, chunk_size=1024**2 if number % 3 else 0)
            with lock:
                size += len(content) if isinstance(content, bytes) else content.size
            if number % 20 == 19:
                client.delete(file_id)

    with ThreadPoolExecutor(len(clients)) as threads:
        try:
            list(threads.map(work, clients))
        finally:  # interrupted, the clients end after the file they are at
            stopped.set()
    return size


def _report(options: Options, seconds: float, size: int, strikes: Strikes, verdict: Verdict) -> Report:
    figures = {kind: _figures(values) for kind, values in strikes.recovery.items()}
    return Report(
        options=options,
        seconds=round(seconds, 1),
        uploads=options.uploads,
        bytes=size,
        kills=dict(strikes.kills),
        recovery=figures,
        lost=len(verdict.lost),
        doubled=len(verdict.doubled),
        stuck=len(verdict.stuck),
        wrong_digests=len(verdict.wrong_digests),
        failed_with_reason=dict(Counter(verdict.failed.values())),
        problems=verdict.problems() + strikes.problems,
    )


def _figures(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95)]
    return {"count": len(ordered), "p50": round(at[0], 1), "p95": round(at[1], 1), "max": round(ordered[-1], 1)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; return 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    defaults = Options()
    for name, value in asdict(defaults).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    parser.add_argument("--report", type=Path, default=ROOT / "var" / "reliability.json")
    given = vars(parser.parse_args(arguments))
    target: Path = given.pop("report")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the product is stopped
    with faulty_product("soak") as product:
        report = run(product, Options(**given))
    target.write_text(json.dumps(asdict(report), indent=2) + "\n")
    sys.stdout.write(f"{report.summary()}\nWritten: {target}\n")
    return int(bool(report.problems) or sum(report.kills.values()) < given["kills"])


if __name__ == "__main__":
    sys.exit(main())
