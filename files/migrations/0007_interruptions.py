"""What the queue knows of faults that are not the file's, and of why a job waits."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("files", "0006_trash"),
    ]

    operations = [
        migrations.AddField(
            model_name="processingjob",
            name="interruptions",
            field=models.PositiveIntegerField(
                default=0, help_text="Attempts that ended by a fault which says nothing about the file."
            ),
        ),
        migrations.AddField(
            model_name="processingjob",
            name="excused",
            field=models.BooleanField(
                default=False, help_text="Its worker was lost over another job: not counted against it."
            ),
        ),
        migrations.AddField(
            model_name="processingjob",
            name="cause",
            field=models.CharField(
                blank=True, help_text="Code of why the attempt before this one ended.", max_length=50
            ),
        ),
        migrations.AddIndex(
            model_name="processingjob",
            index=models.Index(
                condition=models.Q(("state", "queued")),
                fields=["owner", "queued_at"],
                name="job_queue_of_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="processingjob",
            index=models.Index(
                condition=models.Q(("state", "done")),
                fields=["-finished_at"],
                name="job_done",
            ),
        ),
    ]
