"""Run a private PostgreSQL with pgvector for one state directory.

`EmbeddedPostgres(state).connection()` computes where the server will be and starts nothing; `ensure()` makes the
cluster on first use, starts the server or adopts the one that runs. The `vector` extension is the migrations' task.
Trust authentication is sound here because the only way in is a socket in a directory that is 0700.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import psutil

from orchestra.common.machine import machine_memory
from orchestra.embedded import paths
from orchestra.embedded.errors import EmbeddedServiceError
from orchestra.embedded.postgres_binaries import binaries_for, check_cpu, major_version
from orchestra.embedded.processes import (
    ToolResult,
    exclusive,
    find_process,
    find_service_account,
    is_root,
    read_pid,
    run_tool,
    tail,
    wait_until,
)

logger = logging.getLogger(__name__)

PORT = 5432  # names the socket file; nothing listens on TCP
START_SECONDS = 300  # recovery after a crash reads the write-ahead log and may take its time
SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    # Each embedding space has some hundred tables and indexes, and a backup or a deletion of all may touch every one.
    "max_locks_per_transaction": "256",
    "maintenance_work_mem": "512MB",
    "work_mem": "16MB",
    "max_parallel_maintenance_workers": "2",
    "max_wal_size": "2GB",
    "checkpoint_completion_target": "0.9",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "logging_collector": "off",
    "log_line_prefix": "'%m [%p] %d '",
    # No values of users in the log: neither the statement that failed, nor the rows that it names.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_MB = 1024**2
# POSIX shared memory lives in /dev/shm, 64 MB in a default container: a parallel HNSW build fails there.
LINUX_SETTINGS = {"dynamic_shared_memory_type": "sysv"}
# pg_trgm reads the C library's LC_CTYPE: under plain C it drops letters such as ö and ß.
LOCALES = ("C.UTF-8", "en_US.UTF-8", "C")


def memory_settings(memory: int) -> dict[str, str]:
    """Return PostgreSQL's shares of a machine's `memory` (bytes).

    Pages are copied from the system's cache into PostgreSQL's own at each use of one that is not there: a million
    passages take gigabytes. The cache's memory is taken when it is first filled, not at the start.
    """
    cache = min(max(memory // 16, 256 * _MB), 1024 * _MB)
    return {"shared_buffers": f"{cache // _MB}MB", "effective_cache_size": f"{max(memory // 2, cache) // _MB}MB"}


class EmbeddedPostgres:
    """One clone's PostgreSQL."""

    label = "PostgreSQL"

    def __init__(self, state: Path, database: str = "orchestra", user: str = "orchestra") -> None:
        self.state = Path(os.path.abspath(state))  # noqa: PTH100 - resolve() would follow a link out of the clone
        self.account = find_service_account() if is_root() else None
        self.home = paths.service_home(self.state, self.account)
        self.data = self.home / "pgdata"
        self.log = self.home / "logs" / "postgres.log"
        self._sockets = paths.socket_directory(self.home, "postgres")
        self._database = database
        self._user = user

    def connection(self) -> dict[str, str]:
        """Return where the server is or will be, as entries of Django's DATABASES."""
        return {
            "NAME": self._database,
            "USER": self._user,
            "PASSWORD": "",
            "HOST": str(self._sockets),
            "PORT": "",
        }

    def url(self) -> str:
        """Return the same in libpq's spelling."""
        return f"postgresql://{self._user}@/{self._database}?host={self._sockets}"

    def ready(self) -> bool:
        """Say whether a server answers on this clone's socket."""
        socket = self._sockets / f".s.PGSQL.{PORT}"
        return socket.exists() and self._client("pg_isready", "-q", "-d", "postgres").status == 0

    def alive(self) -> bool:
        """Say whether this clone's server process is there, answering or not."""
        return self._server() is not None

    def ensure(self) -> bool:
        """Start the server unless it runs; return whether this call started it.

        Raises `EmbeddedServiceError` with the server's last lines when it cannot be started.
        """
        if is_root() and self.account is None:
            raise EmbeddedServiceError(
                "PostgreSQL refuses to run as root and there is no account named postgres or nobody.",
                hint="Run Orchestra as an ordinary user, or set DATABASE_URL.",
            )
        paths.make_enterable(self.state)
        with exclusive(self.state / "postgres.lock"):
            self._prepare_directories()
            if self.ready():
                if self._has_data():
                    return False
                self._stop_orphan()  # somebody removed the data under a living server
            if not self._has_data():
                check_cpu()
                self._create_cluster()
            self._check_data()
            self._start()
            self._create_database()
        return True

    def stop(self) -> bool:
        """Stop the server; return whether one was there to stop."""
        if not (self.state.exists() and self._server() is not None):
            return False
        with exclusive(self.state / "postgres.lock"):
            if self._control("-m", "fast", "-w", "-t", "30", "stop").status == 0:
                return True
            stopped = self._control("-m", "immediate", "-w", "-t", "30", "stop")
        if stopped.status != 0 and self._server() is not None:
            raise EmbeddedServiceError(f"PostgreSQL does not stop: {stopped.output.strip()}")
        return True

    def _prepare_directories(self) -> None:
        if self.home != self.state:
            # A server of a deleted clone may still run there: it must not follow its data into the set-aside place.
            if not paths.is_home_of(self.state, self.home):
                self._control("-m", "immediate", "-w", "stop")
            set_aside = paths.claim_home(self.state, self.home)
            if set_aside:
                logger.warning("The data of an earlier clone at this path now lies in %s.", set_aside)
        paths.make_enterable(self.log.parent)
        paths.make_private(self._sockets, self.account)

    def _has_data(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def _check_data(self) -> None:
        owner = self.data.stat().st_uid
        if owner != (self.account.uid if self.account else os.geteuid()):
            raise EmbeddedServiceError(
                f"{self.data} belongs to uid {owner}: Orchestra ran here as another user before.",
                hint="Run it as that user again, or give it another state directory.",
            )
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != major_version():
            raise EmbeddedServiceError(
                f"{self.data} was written by PostgreSQL {version}; the installed one is {major_version()}.",
                hint="Dump it with the version that wrote it, move it away, start, and load the dump.",
            )

    def _create_cluster(self) -> None:
        """Make the data directory all or nothing: it gets its name only when initdb is through."""
        unfinished = self.data.with_name("pgdata.unfinished")
        result = ToolResult(1, "")
        for locale in LOCALES:
            shutil.rmtree(unfinished, ignore_errors=True)
            paths.make_private(unfinished, self.account)
            result = self._server_tool(
                *("initdb", "-D", unfinished, "-U", self._user, "--auth=trust", "--encoding=UTF8", "--no-instructions"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={locale}"),
            )
            if result.status == 0:
                break
        else:
            raise EmbeddedServiceError(f"PostgreSQL's initdb failed: {result.output.strip()}")
        with (unfinished / "postgresql.conf").open("a") as main:
            main.write("include_if_exists = 'embedded.conf'\n")
        shutil.rmtree(self.data, ignore_errors=True)  # without PG_VERSION it is no cluster
        unfinished.rename(self.data)

    def _write_settings(self) -> None:
        settings = SETTINGS | memory_settings(machine_memory()) | (LINUX_SETTINGS if sys.platform == "linux" else {})
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        lines.append(f"unix_socket_directories = '{self._sockets}'\n")
        target, fresh = self.data / "embedded.conf", self.data / "embedded.conf.new"
        fresh.write_text("".join(lines))
        paths.move_full_log(self.log)
        self.log.touch()
        for file in (fresh, self.log):
            file.chmod(0o600)
            if self.account:
                os.chown(file, self.account.uid, self.account.gid)
        fresh.rename(target)

    def _start(self) -> None:
        """Start, again while the orphans of a killed server still hold its shared memory (a second or two)."""
        self._write_settings()
        for _ in range(30):
            self._drop_stale_pid()
            before = self.log.stat().st_size
            result = self._control("-l", self.log, "-w", "-t", str(START_SECONDS), "start")
            if result.status == 0:
                return
            said = tail(self.log, max(self.log.stat().st_size - before, 0) or 1)
            if "pre-existing shared memory block" not in said and "lock file" not in said:
                break
            time.sleep(0.5)
        raise EmbeddedServiceError(f"PostgreSQL did not start: {result.output.strip()}\n{tail(self.log)}")

    def _server(self) -> psutil.Process | None:
        """Find the living server of this very data directory, not a stranger that got its pid."""
        pid = read_pid(self.data / "postmaster.pid")
        process = find_process(pid, "postgres") if pid else None
        try:
            return process if process and Path(process.cwd()) == self.data.resolve() else None
        except psutil.Error:
            return None

    def _drop_stale_pid(self) -> None:
        """Remove a pid file whose pid is another program's by now: PostgreSQL would take that for itself."""
        if self._server() is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _stop_orphan(self) -> None:
        pid = read_pid(self._sockets / f".s.PGSQL.{PORT}.lock")
        process = find_process(pid, "postgres") if pid else None
        if process:
            process.send_signal(signal.SIGQUIT)
        if process is None or not wait_until(lambda: not process.is_running() or not self.ready(), 20):
            raise EmbeddedServiceError(f"PostgreSQL {pid} runs on data that was removed, and does not stop.")

    def _create_database(self) -> None:
        query = f"select 1 from pg_database where datname = '{self._database}'"  # noqa: S608 - our own constant
        psql = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c")
        if self._client(*psql, query).output.strip() == "1":
            return
        created = self._client(*psql, f'create database "{self._database}"')
        if created.status != 0:
            raise EmbeddedServiceError(f"PostgreSQL made no database: {created.output.strip()}")

    def _client(self, tool: str, *arguments: str) -> ToolResult:
        programs = binaries_for(self.account, self.home)
        return run_tool([programs / tool, "-h", self._sockets, "-U", self._user, *arguments], timeout=30)

    def _server_tool(self, tool: str, *arguments: str | Path) -> ToolResult:
        programs = binaries_for(self.account, self.home)
        return run_tool([programs / tool, *arguments], account=self.account, timeout=START_SECONDS + 30)

    def _control(self, *arguments: str | Path) -> ToolResult:
        return self._server_tool("pg_ctl", "-D", self.data, *arguments)
