"""Redis and what travels through it: Celery's messages, the cache, the sockets' groups. All of them are hints.

The truth about jobs is in PostgreSQL: losing Redis loses nothing (`files.jobs`).
"""

from __future__ import annotations

from datetime import timedelta

from kombu import Queue

from orchestra.embedded.paths import PULSES
from orchestra.embedded.valkey import EmbeddedValkey
from orchestra.settings.base import STATE_DIR
from orchestra.settings.env import environment
from orchestra.settings.security import SECRET_KEY

EMBEDDED_VALKEY = None if environment().redis_url else EmbeddedValkey(STATE_DIR)
REDIS_URL = EMBEDDED_VALKEY.url() if EMBEDDED_VALKEY else environment().redis_url

_HOURS = 3600

# Celery spells a socket in its own way.
CELERY_BROKER_URL = (
    EMBEDDED_VALKEY.broker_url()
    if EMBEDDED_VALKEY
    else REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
)
CELERY_TASK_ACKS_LATE = True
# Safe because attempts are counted in PostgreSQL before the work starts: a poison file cannot loop.
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = environment().worker_concurrency
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1_500_000  # KiB, looked at between tasks
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_WORKER_SEND_TASK_EVENTS = False
# Recovery is the lease in PostgreSQL; Redis must not hand a long job out twice meanwhile.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 6 * _HOURS,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 30,
    "retry_on_timeout": True,
    "global_keyprefix": "celery:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2}
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "files"
CELERY_TASK_QUEUES = (Queue("files"), Queue("system"))
# A queue of each worker's own, for the canary that it sends to itself.
CELERY_WORKER_DIRECT = True
CELERY_BEAT_SCHEDULER = "orchestra.monitoring.beat:WatchedScheduler"
# Files whose times are the signs of life of this machine's worker and beat.
PULSE_DIR = STATE_DIR / PULSES
CELERY_TASK_ROUTES = {
    "orchestra.*": {"queue": "system"},
    "files.tasks.sweep": {"queue": "system"},
    "files.tasks.complete_uploads": {"queue": "system"},
    "files.tasks.purge_trash": {"queue": "system"},
    "files.tasks.send_webhook": {"queue": "system"},
    "files.tasks.sweep_webhooks": {"queue": "system"},
    "files.tasks.forget_deliveries": {"queue": "system"},
    "files.tasks.start_imports": {"queue": "system"},
    "files.tasks.import_source": {"queue": "system"},
    "search.tasks.*": {"queue": "system"},
}
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "files.tasks.sweep", "schedule": 15.0, "options": {"expires": 15}},
    "maintain-index": {"task": "search.tasks.maintain_index", "schedule": 60.0, "options": {"expires": 60}},
    "complete-uploads": {"task": "files.tasks.complete_uploads", "schedule": 30.0, "options": {"expires": 30}},
    "purge-trash": {"task": "files.tasks.purge_trash", "schedule": 3600.0, "options": {"expires": 3600}},
    "sweep-webhooks": {"task": "files.tasks.sweep_webhooks", "schedule": 15.0, "options": {"expires": 15}},
    "forget-deliveries": {"task": "files.tasks.forget_deliveries", "schedule": 3600.0, "options": {"expires": 3600}},
    "start-imports": {"task": "files.tasks.start_imports", "schedule": 60.0, "options": {"expires": 60}},
    "forget-sign-ins": {
        "task": "orchestra.accounts.tasks.forget_sign_ins",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "forget-idempotent-answers": {
        "task": "orchestra.accounts.tasks.forget_idempotent_answers",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "sample": {"task": "orchestra.monitoring.tasks.sample", "schedule": 60.0, "options": {"expires": 60}},
    "expire-uploads": {"task": "files.tasks.expire_uploads", "schedule": 600.0, "options": {"expires": 600}},
}
HISTORY_MINUTES_KEPT = timedelta(hours=environment().history_minute_hours)
HISTORY_HOURS_KEPT = timedelta(days=environment().history_hour_days)
if environment().vector_store_type != "pgvector":
    CELERY_BEAT_SCHEDULE["sync-mirrors"] = {
        "task": "search.tasks.sync_mirrors",
        "schedule": 60.0,
        "options": {"expires": 60},
    }

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "TIMEOUT": 300,
        # A server whose machine is gone, or whose packets are swallowed, must not hold a request or a socket for ever.
        "OPTIONS": {"socket_timeout": 5, "socket_connect_timeout": 5, "health_check_interval": 30},
    }
}

CHANNEL_LAYERS = {
    "default": {
        # PubSub, because the other layer drops messages once a process holds a hundred sockets.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "orchestra", "symmetric_encryption_keys": [SECRET_KEY]},
    }
}
