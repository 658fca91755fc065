"""Signs of life of workers and of beat."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ProcessPulse",
            fields=[
                (
                    "name",
                    models.CharField(
                        help_text="Celery's name of the node.", max_length=120, primary_key=True, serialize=False
                    ),
                ),
                ("role", models.CharField(choices=[("worker", "Worker"), ("beat", "Beat")], max_length=10)),
                ("pid", models.PositiveBigIntegerField()),
                (
                    "slots",
                    models.PositiveIntegerField(default=0, help_text="Files that it processes at a time."),
                ),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                (
                    "milliseconds",
                    models.FloatField(blank=True, help_text="A canary's way through the broker.", null=True),
                ),
            ],
            options={
                "ordering": ("name",),
                "indexes": [models.Index(fields=["role", "seen_at"], name="pulse_by_role")],
            },
        ),
    ]
