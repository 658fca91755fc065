"""structlog for our own events and for the libraries'; one line per event, with request, user, file and job ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from orchestra.common.scrubbing import Scrubber
from orchestra.settings.env import environment
from orchestra.settings.integrations import CREDENTIALS_KEYS
from orchestra.settings.secrets import secrets_of
from orchestra.settings.security import JWT_SIGNING_KEY, SECRET_KEY

_env = environment()


def _drop_noise(logger: Any, method: str, event: EventDict) -> EventDict:
    """Keep one line per request without its query, and none for the probes that come every second."""
    name, request = event.get("event"), str(event.get("request", ""))
    if name == "request_started" or (name == "request_finished" and " /api/health" in request):
        raise structlog.DropEvent
    if "?" in request:
        event["request"] = request.partition("?")[0]  # what people ask is not the log's business
    return event


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def formatter(log_format: str, secrets: Iterable[str]) -> dict[str, Any]:
    """Return what makes a line of an event, in JSON or for people; none has a secret, whatever an exception says."""
    scrubber = Scrubber(secrets)
    render: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *render,
            lambda _, __, line: scrubber.scrubbed(line),
        ],
        "foreign_pre_chain": _SHARED,
    }


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": formatter(_env.log_format, (*secrets_of(_env), SECRET_KEY, JWT_SIGNING_KEY, *CREDENTIALS_KEYS))
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": _env.log_level},
    "loggers": {
        # One line per request comes from django_structlog; these would repeat it, or log every poll.
        "django.server": {"level": "WARNING"},
        "django.request": {"level": "CRITICAL"},
        "uvicorn.error": {"level": "WARNING"},  # it writes socket addresses, and with them tickets
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "django_structlog.celery": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "mcp": {"level": "ERROR"},  # its warnings tell what clients sent
        "faiss.loader": {"level": "WARNING"},  # which build of itself it takes
        "pdfminer": {"level": "ERROR"},
    },
}

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        _drop_noise,
        *_SHARED[1:],
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)

DJANGO_STRUCTLOG_CELERY_ENABLED = True
