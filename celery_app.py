"""Celery's application: `celery -A celery_app worker`."""

import os

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestra.settings")


@setup_logging.connect(weak=False)
def _leave_logging_alone(**_: object) -> None:
    """Keep Celery from replacing what settings.LOGGING set up."""


app = Celery("orchestra")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.steps["consumer"].add("orchestra.monitoring.canary:CanaryStep")
app.autodiscover_tasks()
