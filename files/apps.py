"""The files application."""

from django.apps import AppConfig


class FilesConfig(AppConfig):
    """Uploads, the job pipeline, extraction, status."""

    name = "files"
    verbose_name = "Files"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register checks, invariants, the page of file types, sealed secrets, what follows the end of a file's row."""
        from django.db.models.signals import post_delete

        from files import file_types, health, metrics, verifying, verifying_bytes
        from files.models import FileRecord, Webhook
        from files.services import forget_bytes
        from integrations.services import SealedColumn, sealed_columns
        from orchestra.monitoring.reference import add_page

        # However the row goes, with its owner for instance, its bytes go too.
        post_delete.connect(forget_bytes, sender=FileRecord)
        sealed_columns.append(SealedColumn(Webhook, "secret"))
        health.register()
        metrics.register()
        verifying.register()
        verifying_bytes.register()
        add_page("file-types.md", file_types.reference_page)
