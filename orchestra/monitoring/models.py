"""What processes say of themselves, in the database so that every machine sees it: signs of life, counts, samples."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from orchestra.common.identifiers import new_id


class ProcessRole(models.TextChoices):
    """What a process does."""

    WORKER = "worker"
    BEAT = "beat"


class ProcessPulse(models.Model):
    """The last sign of life of a worker or of beat. Times are the database's clock."""

    name = models.CharField(max_length=120, primary_key=True, help_text="Celery's name of the node.")
    role = models.CharField(max_length=10, choices=ProcessRole)
    pid = models.PositiveBigIntegerField()
    slots = models.PositiveIntegerField(default=0, help_text="Files that it processes at a time.")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    milliseconds = models.FloatField(null=True, blank=True, help_text="A canary's way through the broker.")

    class Meta:
        ordering = ("name",)
        indexes = (models.Index(fields=("role", "seen_at"), name="pulse_by_role"),)

    def __str__(self) -> str:
        return self.name


class MetricSeries(models.Model):
    """What all processes have counted of one figure with certain labels: one count, or those of a histogram."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=80)
    labels = ArrayField(models.CharField(max_length=80))
    counts = ArrayField(models.FloatField())
    since = models.DateTimeField()

    class Meta:
        ordering = ("name", "labels")
        verbose_name_plural = "metric series"
        constraints = (models.UniqueConstraint(fields=("name", "labels"), name="metric_series_once"),)

    def __str__(self) -> str:
        return " ".join((self.name, *self.labels))


class ProcessReading(models.Model):
    """What a process says of itself, every few seconds; old ones are deleted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    process = models.CharField(max_length=120)
    name = models.CharField(max_length=80)
    labels = ArrayField(models.CharField(max_length=80))
    value = models.FloatField()
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("process", "name", "labels")
        indexes = (models.Index(fields=("process",), name="reading_by_process"),)

    def __str__(self) -> str:
        return f"{self.name} of {self.process}"


class Resolution(models.TextChoices):
    """How long the time is that a sample stands for."""

    MINUTE = "minute"
    HOUR = "hour"


class SystemMetric(models.Model):
    """How the system was, for the charts: a row a minute, and later one an hour (`orchestra.monitoring.history`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    resolution = models.CharField(max_length=6, choices=Resolution)
    at = models.DateTimeField(help_text="The end of the minute or hour; the database's clock.")
    figures = models.JSONField(default=dict, help_text="By figure; null where nothing can be said.")
    totals = models.JSONField(default=dict, help_text="All that was counted until then: the next sample's start.")

    class Meta:
        ordering = ("-at",)
        constraints = (models.UniqueConstraint(fields=("resolution", "at"), name="system_metric_once"),)

    def __str__(self) -> str:
        return f"{self.resolution} until {self.at:%Y-%m-%d %H:%M}"


class CheckFinding(models.Model):
    """What a check found when it was last run from the status page: the page is right again after a reload."""

    name = models.CharField(max_length=40, primary_key=True)
    ok = models.BooleanField()
    message = models.TextField()
    remedy = models.TextField(blank=True)
    milliseconds = models.FloatField()
    ran_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
