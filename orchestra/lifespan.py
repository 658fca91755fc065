"""What the web process does once it has started.

It loads the embedding model in the background, so that nobody's first question waits for it. Start-up itself stays
light, and a model that does not load is told by doctor and by searches. The history of searches is written by a thread
of its own, and what is left of it at the end; so are the figures for Prometheus.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import structlog

from orchestra.common.errors import OrchestraError
from orchestra.monitoring.metrics.keeping import keeper

logger = structlog.get_logger(__name__)


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer the server's start and stop."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
            await asyncio.to_thread(_history().start)
            await asyncio.to_thread(keeper.start, "web")
            await send({"type": "lifespan.startup.complete"})
        else:
            await asyncio.to_thread(_history().stop)
            await asyncio.to_thread(keeper.stop)
            await send({"type": "lifespan.shutdown.complete"})
            return


def _history() -> Any:
    from search.history import later

    return later


def _warm_up() -> None:
    from search.embedders import embedders

    try:
        embedders["default"].embed_query("warm up")
    except (OrchestraError, ImportError, OSError) as exc:
        logger.warning("embedding model not loaded", error=str(exc))
