"""Connections to other services, and the usage of language models."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import orchestra.common.identifiers


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExternalIntegration",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=orchestra.common.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=100)),
                ("config", models.JSONField(blank=True, default=dict)),
                ("credentials", models.BinaryField(default=b"")),
                ("enabled", models.BooleanField(default=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("tested_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("error_code", models.CharField(blank=True, editable=False, max_length=60)),
                ("error_message", models.CharField(blank=True, editable=False, max_length=500)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="integrations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "indexes": [models.Index(fields=["owner", "provider"], name="integration_by_owner")],
            },
        ),
        migrations.CreateModel(
            name="ModelUsage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=orchestra.common.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("month", models.DateField(help_text="Its first day, by the database's clock.")),
                ("model", models.CharField(max_length=200)),
                (
                    "own",
                    models.BooleanField(
                        default=False, help_text="By a connection of the user's own: outside the budget."
                    ),
                ),
                ("calls", models.PositiveBigIntegerField(default=0)),
                ("input_tokens", models.PositiveBigIntegerField(default=0)),
                ("output_tokens", models.PositiveBigIntegerField(default=0)),
                (
                    "cost",
                    models.DecimalField(decimal_places=6, default=0, help_text="US dollars.", max_digits=14),
                ),
                ("held_tokens", models.PositiveBigIntegerField(default=0)),
                ("held_cost", models.DecimalField(decimal_places=6, default=0, max_digits=14)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="model_usage",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-month", "user", "model"),
                "constraints": [
                    models.UniqueConstraint(fields=("user", "month", "model", "own"), name="usage_once_a_month")
                ],
            },
        ),
    ]
