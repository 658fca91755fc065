"""Files and jobs in the built-in admin; actions call the same services as the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from files import services
from files.models import (
    FileEvent,
    FileRecord,
    FileSegment,
    FileThumbnail,
    ImportedItem,
    ImportEntry,
    ImportRun,
    MultipartUpload,
    ProcessingJob,
    SavedView,
    Upload,
    UploadChunk,
    UploadPiece,
    Webhook,
    WebhookDelivery,
)
from files.webhooks import subscribing
from orchestra.common.errors import OrchestraError
from orchestra.common.read_only import ReadOnly


class FileEventInline(ReadOnly, admin.TabularInline[FileEvent, FileRecord]):
    """The timeline."""

    model = FileEvent
    fields = ("created_at", "status", "code", "message")
    readonly_fields = fields
    extra = 0


@admin.register(FileRecord)
class FileRecordAdmin(admin.ModelAdmin[FileRecord]):
    """Files: names and tags may be changed, the rest is the pipeline's."""

    list_display = ("name", "owner", "status", "kind", "size", "chunk_count", "error_code", "updated_at", "trashed_at")
    list_filter = ("status", "kind", "error_code", ("trashed_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("name", "sha256", "owner__username", "id")
    list_select_related = ("owner",)
    date_hierarchy = "created_at"
    inlines = (FileEventInline,)
    actions = ("retry", "cancel", "move_to_trash", "restore", "delete_completely")
    fields = (
        *("name", "tags", "owner", "status", "media_type", "kind", "size", "sha256", "language", "metadata"),
        *(
            "reader",
            "warnings",
            "segment_count",
            "character_count",
            "chunk_count",
            "error_code",
            "error_message",
            "error_hint",
        ),
        *("version", "generation", "origin", "created_at", "updated_at", "trashed_at"),
    )
    readonly_fields = fields[2:]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Files come through uploads."""
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., str], str, str] | None]:
        """Leave out Django's own deletion, which knows nothing of bytes and vectors."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[Any], list[Any]]:
        """Ask no permission for what hangs on a file: rows that cannot be deleted by themselves go with it."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected

    def delete_model(self, request: HttpRequest, obj: FileRecord) -> None:
        """Delete through the service: to the trash, and out of it for good."""
        if obj.trashed_at is None:
            services.delete(obj)
        else:
            services.delete_completely(obj)

    def save_model(self, request: HttpRequest, obj: FileRecord, form: object, change: bool) -> None:
        """Rename and tag through the service."""
        services.update(obj, name=obj.name, tags=obj.tags)

    @admin.action(description="Retry selected files", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[FileRecord]) -> None:
        """Process again."""
        self._each(request, queryset, services.retry, "queued again")

    @admin.action(description="Cancel processing of selected files", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[FileRecord]) -> None:
        """Stop processing."""
        self._each(request, queryset, services.cancel, "cancelled")

    @admin.action(description="Move selected files to the trash", permissions=["delete"])
    def move_to_trash(self, request: HttpRequest, queryset: QuerySet[FileRecord]) -> None:
        """Take out of every list and search, to be restored or deleted later."""
        self._each(request, queryset, services.delete, "moved to the trash")

    @admin.action(description="Restore selected files from the trash", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[FileRecord]) -> None:
        """Take out of the trash."""
        self._each(request, queryset, services.restore, "restored")

    @admin.action(description="Delete selected files completely", permissions=["delete"])
    def delete_completely(self, request: HttpRequest, queryset: QuerySet[FileRecord]) -> None:
        """Delete rows, passages, vectors and bytes."""
        self._each(request, queryset, services.delete_completely, "deleted")

    def _each(
        self, request: HttpRequest, queryset: QuerySet[FileRecord], act: Callable[[FileRecord], object], done: str
    ) -> None:
        count = 0
        for file in queryset:
            try:
                act(file)
                count += 1
            except OrchestraError as exc:
                messages.warning(request, f"{file.name}: {exc.message}")
        messages.success(request, f"{count} files {done}.")


@admin.register(ProcessingJob)
class ProcessingJobAdmin(ReadOnly, admin.ModelAdmin[ProcessingJob]):
    """The queue."""

    list_display = ("file", "owner", "state", "stage", "attempt", "failures", "worker", "heartbeat_at", "lease_until")
    list_filter = ("state", "stage")
    search_fields = ("file__name", "worker", "owner__username")
    list_select_related = ("file", "owner")
    actions = ("retry", "cancel")

    @admin.action(description="Retry the files of selected jobs")
    def retry(self, request: HttpRequest, queryset: QuerySet[ProcessingJob]) -> None:
        """Process again."""
        self._each(request, queryset, services.retry)

    @admin.action(description="Cancel selected jobs")
    def cancel(self, request: HttpRequest, queryset: QuerySet[ProcessingJob]) -> None:
        """Stop processing."""
        self._each(request, queryset, services.cancel)

    def _each(self, request: HttpRequest, queryset: QuerySet[ProcessingJob], act: Callable[[FileRecord], None]) -> None:
        for job in queryset.select_related("file"):
            try:
                act(job.file)
            except OrchestraError as exc:
                messages.warning(request, f"{job.file.name}: {exc.message}")


@admin.register(Upload)
class UploadAdmin(ReadOnly, admin.ModelAdmin[Upload]):
    """Uploads under way."""

    list_display = ("id", "file", "owner", "size", "received", "created_at", "expires_at", "completed_at")
    list_filter = ("completed_at",)
    search_fields = ("file__name", "owner__username")
    list_select_related = ("file", "owner")


@admin.register(FileThumbnail)
class FileThumbnailAdmin(ReadOnly, admin.ModelAdmin[FileThumbnail]):
    """Small pictures."""

    list_display = ("file", "media_type", "width", "height")
    search_fields = ("file__name",)
    list_select_related = ("file",)
    exclude = ("data",)


@admin.register(UploadChunk)
class UploadChunkAdmin(ReadOnly, admin.ModelAdmin[UploadChunk]):
    """Chunks that are durable."""

    list_display = ("upload_id", "start", "size", "sha256")
    search_fields = ("=upload__id",)


@admin.register(MultipartUpload)
class MultipartUploadAdmin(ReadOnly, admin.ModelAdmin[MultipartUpload]):
    """Uploads under way into a bucket."""

    list_display = ("upload_id", "multipart_id")
    search_fields = ("=upload__id",)


@admin.register(UploadPiece)
class UploadPieceAdmin(ReadOnly, admin.ModelAdmin[UploadPiece]):
    """Where their bytes are."""

    list_display = ("upload_id", "start", "size", "part", "mark")
    search_fields = ("=upload__id",)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnly, admin.ModelAdmin[ImportRun]):
    """Runs of imports."""

    list_display = ("integration", "state", "asked_at", "ended_at", "listed", "added", "changed", "deleted", "failed")
    list_filter = ("state", "error_code")
    search_fields = ("integration__name", "integration__owner__username")
    list_select_related = ("integration",)


@admin.register(ImportedItem)
class ImportedItemAdmin(ReadOnly, admin.ModelAdmin[ImportedItem]):
    """Documents of sources, with the files that have their content."""

    list_display = ("key", "integration", "file", "made", "error_code")
    list_filter = ("error_code",)
    search_fields = ("key", "file__name", "integration__name")
    list_select_related = ("integration", "file")


@admin.register(ImportEntry)
class ImportEntryAdmin(ReadOnly, admin.ModelAdmin[ImportEntry]):
    """What runs of imports did."""

    list_display = ("created_at", "action", "name", "code", "message")
    list_filter = ("action", "code")
    search_fields = ("name", "message")


@admin.register(FileSegment)
class FileSegmentAdmin(ReadOnly, admin.ModelAdmin[FileSegment]):
    """Extracted text."""

    list_display = ("file", "ordinal", "kind", "place")
    list_filter = ("kind",)
    search_fields = ("text", "file__name")
    list_select_related = ("file",)
    show_full_result_count = False


@admin.register(FileEvent)
class FileEventAdmin(ReadOnly, admin.ModelAdmin[FileEvent]):
    """What happened to files."""

    list_display = ("created_at", "file", "status", "code", "message")
    list_filter = ("code", "status", "created_at")
    search_fields = ("file__name", "message")
    list_select_related = ("file",)


@admin.register(Webhook)
class WebhookAdmin(ReadOnly, admin.ModelAdmin[Webhook]):
    """Webhooks: an administrator may switch them off and on. Secrets are shown nowhere."""

    list_display = ("url", "owner", "enabled", "disabled_reason", "failures", "failing_since", "created_at")
    list_filter = ("enabled", "disabled_reason")
    search_fields = ("url", "owner__username")
    list_select_related = ("owner",)
    fields = ("url", "owner", "events", "enabled", "disabled_reason", "failures", "failing_since", "quiet_until")
    readonly_fields = tuple(name for name in fields if name != "enabled")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Allow it to who may change webhooks."""
        return admin.ModelAdmin.has_change_permission(self, request)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        """Switch it as its owner would."""
        subscribing.change(obj, enabled=obj.enabled)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, admin.ModelAdmin[WebhookDelivery]):
    """What webhooks were told."""

    list_display = ("event", "webhook", "file_id", "state", "attempt", "response_status", "error_code", "occurred_at")
    list_filter = ("state", "event")
    search_fields = ("file_id", "event_id", "webhook__owner__username")
    list_select_related = ("webhook",)


@admin.register(SavedView)
class SavedViewAdmin(ReadOnly, admin.ModelAdmin[SavedView]):
    """Filters and sorts that users saved under a name."""

    list_display = ("name", "owner", "query", "created_at")
    search_fields = ("name", "owner__username")
    list_select_related = ("owner",)
