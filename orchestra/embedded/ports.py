"""Choose the port that the web listens on, and say who has it when it is taken."""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass

import psutil

from orchestra.common.errors import OrchestraError

TRIES = 50
WEB_MODULE = "orchestra.embedded.web"


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens already, kept open across restarts of the web."""

    socket: socket.socket
    wanted: int
    holder: str

    @property
    def port(self) -> int:
        """The port that it got."""
        return int(self.socket.getsockname()[1])


def listen(host: str, wanted: int, tries: int = TRIES) -> Listener:
    """Listen on the first free port of `tries` from `wanted` on.

    The socket is made here and handed to the web process: between choosing a port and using it nobody can take it, and
    while the web restarts callers wait instead of being refused.
    """
    for port in range(wanted, min(wanted + tries, 65536)):
        bound = _try_port(host, port)
        if bound:
            return Listener(bound, wanted, "" if port == wanted else port_holder(wanted))
    which = f"The ports from {wanted} on are all taken" if tries > 1 else f"The port {wanted} is taken"
    who = port_holder(wanted) if tries == 1 else ""
    raise OrchestraError(
        f"{which} by {who}." if who else f"{which}.", hint="Set PORT to a free one in .env or in the environment."
    )


def port_holder(port: int) -> str:
    """Describe the program that listens on a port; empty when that may not be known."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return _describe(psutil.Process(connection.pid))
    return ""


def _describe(process: psutil.Process) -> str:
    words = process.cmdline()
    what = f"Orchestra in {process.cwd()}" if WEB_MODULE in words else " ".join(words[:4]) or process.name()
    return f"{what} (process {process.pid})"


def _try_port(host: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    attempt = socket.socket(family, socket.SOCK_STREAM)
    attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        attempt.bind((host, port))
        attempt.listen(1024)
    except OSError as error:
        attempt.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise OrchestraError(
            f"Cannot listen on {host}: {error.strerror}.", hint="Set HOST to an own address."
        ) from error
    return attempt
