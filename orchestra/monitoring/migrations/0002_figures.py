"""What processes have counted, what they say of themselves, samples for the charts."""


import django.contrib.postgres.fields
import orchestra.common.identifiers
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='MetricSeries',
            fields=[
                ('id', models.UUIDField(default=orchestra.common.identifiers.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('labels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), size=None)),
                ('counts', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), size=None)),
                ('since', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'metric series',
                'ordering': ('name', 'labels'),
                'constraints': [models.UniqueConstraint(fields=('name', 'labels'), name='metric_series_once')],
            },
        ),
        migrations.CreateModel(
            name='ProcessReading',
            fields=[
                ('id', models.UUIDField(default=orchestra.common.identifiers.new_id, editable=False, primary_key=True, serialize=False)),
                ('process', models.CharField(max_length=120)),
                ('name', models.CharField(max_length=80)),
                ('labels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), size=None)),
                ('value', models.FloatField()),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'ordering': ('process', 'name', 'labels'),
                'indexes': [models.Index(fields=['process'], name='reading_by_process')],
            },
        ),
        migrations.CreateModel(
            name='SystemMetric',
            fields=[
                ('id', models.UUIDField(default=orchestra.common.identifiers.new_id, editable=False, primary_key=True, serialize=False)),
                ('resolution', models.CharField(choices=[('minute', 'Minute'), ('hour', 'Hour')], max_length=6)),
                ('at', models.DateTimeField(help_text="The end of the minute or hour; the database's clock.")),
                ('figures', models.JSONField(default=dict, help_text='By figure; null where nothing can be said.')),
                ('totals', models.JSONField(default=dict, help_text="All that was counted until then: the next sample's start.")),
            ],
            options={
                'ordering': ('-at',),
                'constraints': [models.UniqueConstraint(fields=('resolution', 'at'), name='system_metric_once')],
            },
        ),
        migrations.CreateModel(
            name="CheckFinding",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("ok", models.BooleanField()),
                ("message", models.TextField()),
                ("remedy", models.TextField(blank=True)),
                ("milliseconds", models.FloatField()),
                ("ran_at", models.DateTimeField()),
            ],
            options={"ordering": ("name",)},
        ),
    ]
