"""Calls that are made for nobody alone are counted too, in a row without a user."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("integrations", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="modelusage",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="model_usage",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="modelusage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user", None)),
                fields=("month", "model"),
                name="usage_of_installation_once_a_month",
            ),
        ),
    ]
