"""What the files API takes and gives. The status socket sends the same shape as `FileSerializer`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from files.listing import LARGEST, NEWEST, SORTS, Wanted, matching
from files.models import FileEvent, FileRecord, FileSegment, FileStatus
from files.names import MAX_NAME, MAX_TAGS
from files.selectors import FileStatusView
from files.status_text import Situation, status_text, type_label
from files.trash import purged_after
from files.uploads import UploadState
from orchestra.common.strict import Serializer


class FileErrorSerializer(serializers.Serializer[Any]):
    """Why a file failed."""

    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a running job is."""

    stage = serializers.CharField()
    done = serializers.IntegerField()
    total = serializers.IntegerField(help_text="0: not known.")
    unit = serializers.CharField()
    percent = serializers.IntegerField(allow_null=True)
    heartbeat_age = serializers.FloatField(allow_null=True, help_text="Seconds since the worker was last heard of.")


class SituationSerializer(serializers.Serializer[Any]):
    """What is going on, more exactly than by the status."""

    code = serializers.ChoiceField(choices=[str(situation) for situation in Situation])
    message = serializers.CharField(help_text="A sentence for people; may be empty.")


class FileSerializer(serializers.Serializer[FileStatusView]):
    """A file and where it stands."""

    id = serializers.UUIDField(source="file.id")
    name = serializers.CharField(source="file.name")
    media_type = serializers.CharField(source="file.media_type")
    kind = serializers.CharField(source="file.kind")
    type_label = serializers.SerializerMethodField(help_text="What a person calls the media type.")
    size = serializers.IntegerField(source="file.size")
    sha256 = serializers.CharField(source="file.sha256")
    status = serializers.ChoiceField(source="file.status", choices=FileStatus.choices)
    version = serializers.IntegerField(source="file.version", help_text="Grows with every change.")
    tags = serializers.ListField(source="file.tags", child=serializers.CharField())
    language = serializers.CharField(source="file.language")
    reader = serializers.CharField(source="file.reader", help_text="The extractor that read it.")
    thumbnail = serializers.SerializerMethodField(help_text="Address of a small picture; null where there is none.")
    segment_count = serializers.IntegerField(source="file.segment_count")
    character_count = serializers.IntegerField(source="file.character_count")
    chunk_count = serializers.IntegerField(source="file.chunk_count")
    warnings = serializers.ListField(source="file.warnings", child=serializers.DictField())
    situation = serializers.SerializerMethodField()
    waiting_behind = serializers.IntegerField(allow_null=True, help_text="Files that are taken before this one.")
    estimate = serializers.IntegerField(
        allow_null=True, help_text="About how many seconds until it is ready; null where too little was measured."
    )
    retry_at = serializers.DateTimeField(allow_null=True)
    attempt = serializers.IntegerField()
    progress = ProgressSerializer(allow_null=True)
    error = serializers.SerializerMethodField()
    origin = serializers.CharField(
        source="file.origin", help_text="Address at the source that it was imported from; empty where it was uploaded."
    )
    created_at = serializers.DateTimeField(source="file.created_at")
    updated_at = serializers.DateTimeField(source="file.updated_at")

    @extend_schema_field(SituationSerializer)
    def get_situation(self, view: FileStatusView) -> dict[str, str]:
        """Return what is going on, as a code and in words."""
        text = status_text(view)
        return {"code": str(text.situation), "message": text.detail}

    def get_type_label(self, view: FileStatusView) -> str:
        """Return the media type's name for people; empty until the content was looked at."""
        return type_label(view.file.media_type)

    def get_thumbnail(self, view: FileStatusView) -> str | None:
        """Return the picture's address, which changes with the file's generation."""
        if not view.file.has_thumbnail:
            return None
        return f"{reverse('api-file-thumbnail', args=[view.file.pk])}?generation={view.file.generation}"

    @extend_schema_field(FileErrorSerializer(allow_null=True))
    def get_error(self, view: FileStatusView) -> dict[str, str] | None:
        """Return the reason of a failed file, None otherwise."""
        file = view.file
        if not file.error_code:
            return None
        return {"code": file.error_code, "message": file.error_message, "hint": file.error_hint}


def files_as_json(views: Iterable[FileStatusView]) -> list[dict[str, Any]]:
    """Return files as the API and the socket show them."""
    rows: Any = list(views)  # DRF's types know no list for many=True
    return list(FileSerializer(rows, many=True).data)


_UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


@extend_schema_field({"type": "string", "pattern": f"^({_UUID}(,{_UUID})*)?$"})
class _CommaSeparatedIds(serializers.CharField):
    """UUIDs in one query parameter."""

    def to_internal_value(self, data: str) -> Any:
        try:
            return [str(UUID(part)) for part in super().to_internal_value(data).split(",") if part]
        except ValueError as exc:
            raise serializers.ValidationError("Write ids as UUIDs, separated by commas.") from exc


MAX_SEGMENTS = 500


class SegmentPageSerializer(Serializer[Any]):
    """Which segments of a file's text."""

    offset = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0, help_text="First segment.")
    limit = serializers.IntegerField(min_value=1, default=100, help_text=f"Segments; {MAX_SEGMENTS} at most.")


class FileFilterSerializer(Serializer[Any]):
    """Which of the caller's files to list, and in which order."""

    status = serializers.MultipleChoiceField(
        choices=FileStatus.choices, required=False, allow_empty=False, help_text="One or more statuses."
    )
    kind = serializers.CharField(required=False, allow_blank=True)
    tag = serializers.CharField(required=False, allow_blank=True)
    language = serializers.CharField(required=False, allow_blank=True, help_text="A code, as the file has it.")
    name = serializers.CharField(required=False, allow_blank=True, help_text="Part of the name.")
    uploaded_from = serializers.DateField(required=False, help_text="On this day of UTC or later.")
    uploaded_to = serializers.DateField(required=False, help_text="On this day of UTC or earlier.")
    size_min = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST, help_text="In bytes.")
    size_max = serializers.IntegerField(required=False, min_value=0, max_value=LARGEST, help_text="In bytes.")
    id = _CommaSeparatedIds(required=False, allow_blank=True, source="ids", help_text="Ids, separated by commas.")
    sort = serializers.ChoiceField(choices=list(SORTS), required=False, default=NEWEST)

    def narrow(self, files: QuerySet[FileRecord]) -> QuerySet[FileRecord]:
        """Return the files that a valid query asks for, in its order."""
        said = dict(self.validated_data)
        order = SORTS[said.pop("sort", NEWEST)]
        said = {name: tuple(value) if isinstance(value, set | list) else value for name, value in said.items()}
        return order.sorted(matching(files, Wanted(**said)))


class EventSerializer(serializers.ModelSerializer[FileEvent]):
    """One entry of a file's timeline."""

    class Meta:
        model = FileEvent
        fields = ("version", "status", "code", "message", "details", "created_at")


class UploadSerializer(serializers.Serializer[UploadState]):
    """An upload as it stands."""

    id = serializers.UUIDField(source="file.id", help_text="The file's id; of a duplicate, the existing file's.")
    upload_id = serializers.UUIDField(source="upload.id")
    name = serializers.CharField(source="file.name")
    size = serializers.IntegerField(source="upload.size")
    chunk_size = serializers.IntegerField(source="upload.chunk_size")
    total_chunks = serializers.IntegerField(source="upload.total_chunks")
    received = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="Half-open byte ranges that are durable.",
    )
    received_bytes = serializers.IntegerField()
    complete = serializers.BooleanField()
    duplicate = serializers.BooleanField(help_text="The caller had this content already.")
    restored = serializers.BooleanField(help_text="It was in the trash, and came back by this call.")
    status = serializers.CharField(source="file.status")
    expires_at = serializers.DateTimeField(source="upload.expires_at", allow_null=True)


class TrashedFileSerializer(FileSerializer):
    """A file in the trash."""

    trashed_at = serializers.DateTimeField(source="file.trashed_at")
    deleted_after = serializers.SerializerMethodField(help_text="From then on it is deleted for good.")

    def get_deleted_after(self, view: FileStatusView) -> datetime | None:
        """Return when the file's time in the trash is up."""
        return purged_after(view.file)


class EmptiedSerializer(serializers.Serializer[Any]):
    """What emptying the trash did."""

    deleted = serializers.IntegerField(help_text="Files that were deleted completely.")


class FileStatusSerializer(FileSerializer):
    """A file with its timeline, and its upload while bytes are missing."""

    timings = serializers.DictField(child=serializers.FloatField(), help_text="Seconds per stage.")
    timeline = EventSerializer(many=True)
    upload = UploadSerializer(allow_null=True)


class InitiateSerializer(Serializer[Any]):
    """What a client declares before it sends bytes."""

    name = serializers.CharField(max_length=4096)
    size = serializers.IntegerField(min_value=0)
    sha256 = serializers.RegexField(r"^[0-9a-fA-F]{64}$", required=False, allow_blank=True, default="")
    chunk_size = serializers.IntegerField(min_value=0, required=False, default=0, help_text="0: the server's choice.")
    tags = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=MAX_TAGS)


class SmallUploadSerializer(Serializer[Any]):
    """A file in one request."""

    file = serializers.FileField(allow_empty_file=True, max_length=4096)
    tags = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=MAX_TAGS)


class FileUpdateSerializer(Serializer[Any]):
    """What may be changed of a file."""

    name = serializers.CharField(max_length=MAX_NAME, required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=MAX_TAGS)


class SegmentSerializer(serializers.ModelSerializer[FileSegment]):
    """A run of text with its place."""

    class Meta:
        model = FileSegment
        fields = ("ordinal", "kind", "text", "place")


class ContentSerializer(serializers.Serializer[Any]):
    """A file's metadata and a page of its segments."""

    id = serializers.UUIDField()
    metadata = serializers.DictField()
    segment_count = serializers.IntegerField()
    next_offset = serializers.IntegerField(allow_null=True)
    segments = SegmentSerializer(many=True)
