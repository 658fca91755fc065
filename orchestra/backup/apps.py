"""The backup application: commands, no tables."""

from django.apps import AppConfig


class BackupConfig(AppConfig):
    """`manage.py backup` and `manage.py restore`."""

    name = "orchestra.backup"
    verbose_name = "Backup"
