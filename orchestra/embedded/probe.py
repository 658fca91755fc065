"""Ask the web whether it lives without ever waiting for it, because the asking loop has programs to look after."""

from __future__ import annotations

import http.client
import select

HEALTH_PATH = "/api/health/live"


class WebProbe:
    """One request that lies in the listening socket's queue until the web is up and answers it."""

    def __init__(self, host: str, port: int, name: str = "") -> None:
        """Ask at `host` and `port`, for a web of that `name`, or of the host's."""
        self._address = (host, port)
        self._name = name or host
        self._connection: http.client.HTTPConnection | None = None

    def answered(self) -> bool:
        """Say whether the web has answered by now.

        A refusal, as of a host that is not in ALLOWED_HOSTS, is a sign of life too. A web that died with the request
        in hand is asked again.
        """
        try:
            connection = self._connection or self._ask()
            if not select.select([connection.sock], [], [], 0)[0]:
                return False
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            status = http.client.INTERNAL_SERVER_ERROR
        self.close()
        return status < http.client.INTERNAL_SERVER_ERROR

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _ask(self) -> http.client.HTTPConnection:
        self._connection = http.client.HTTPConnection(*self._address, timeout=5)
        self._connection.request("GET", HEALTH_PATH, headers={"User-Agent": "orchestra-run", "Host": self._name})
        return self._connection
