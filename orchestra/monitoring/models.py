"""What processes say of themselves: signs of life, in the database so that every machine sees them."""

from __future__ import annotations

from django.db import models


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
