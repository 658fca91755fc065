"""Serve the ASGI application on a socket that the supervisor opened: `python -m orchestra.embedded.web DESCRIPTOR`.

uvicorn's own `--fd` takes every descriptor for a unix socket, which loses TCP's settings; here it is opened as what it
is.
"""

from __future__ import annotations

import gc
import socket
import sys

APPLICATION = "orchestra.asgi:application"
LARGEST_SOCKET_MESSAGE = 65536  # bytes; our messages are short, and a client must not fill the memory
SECONDS_FOR_OPEN_REQUESTS = 5


def main() -> None:
    """Run uvicorn until it is told to stop."""
    import uvicorn

    from orchestra.settings.env import environment

    config = uvicorn.Config(
        APPLICATION,
        lifespan="on",
        ws_max_size=LARGEST_SOCKET_MESSAGE,
        ws_per_message_deflate=False,  # its windows take 300 KB of each socket, for messages of some hundred bytes
        access_log=False,
        log_config=None,  # Django's logging settings format uvicorn's lines too
        forwarded_allow_ips=list(environment().trusted_proxies),
        timeout_graceful_shutdown=SECONDS_FOR_OPEN_REQUESTS,
    )
    config.load()
    _spare_the_collector()
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


def _spare_the_collector() -> None:
    """Keep the garbage collector from what was loaded, and let it look less often: a millisecond of each search."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


if __name__ == "__main__":
    main()
