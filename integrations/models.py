"""Connections to other services with their credentials, and what each user's calls of models took."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from orchestra.common.identifiers import new_id


class ExternalIntegration(models.Model):
    """A connection to a service: a user's own or, without an owner, of the whole installation.

    `credentials` is what `orchestra.common.sealing` made of the secrets; nothing but `integrations.services` opens it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.CharField(max_length=40)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="integrations"
    )
    name = models.CharField(max_length=100)
    config = models.JSONField(default=dict, blank=True)
    credentials = models.BinaryField(default=b"", editable=False)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    error_code = models.CharField(max_length=60, blank=True, editable=False)
    error_message = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("owner", "provider"), name="integration_by_owner"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.provider})"


class ModelUsage(models.Model):
    """What a user's calls of one model took in one month, and what is held for calls that are under way.

    Without a user: the installation's own, such as the embedding of passages. `held_*` are estimates, at most as large
    as allowed; a process that dies in a call leaves its share held until the month ends.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="model_usage"
    )
    month = models.DateField(help_text="Its first day, by the database's clock.")
    model = models.CharField(max_length=200)
    own = models.BooleanField(default=False, help_text="By a connection of the user's own: outside the budget.")
    calls = models.PositiveBigIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=6, default=0, help_text="US dollars.")
    held_tokens = models.PositiveBigIntegerField(default=0)
    held_cost = models.DecimalField(max_digits=14, decimal_places=6, default=0)

    class Meta:
        ordering = ("-month", "user", "model")
        constraints = (
            models.UniqueConstraint(fields=("user", "month", "model", "own"), name="usage_once_a_month"),
            models.UniqueConstraint(
                fields=("month", "model"), condition=models.Q(user=None), name="usage_of_installation_once_a_month"
            ),
        )

    def __str__(self) -> str:
        return f"{self.model} {self.month:%Y-%m}"
