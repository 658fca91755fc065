"""Files on their way from upload to searchable text, and the history of that way.

Statuses are changed by `files.states` only; jobs by `files.jobs` only.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from orchestra.common.identifiers import new_id


class FileStatus(models.TextChoices):
    """Where a file stands. `partial` is searchable, with a list of what could not be read."""

    UPLOADING = "uploading"
    QUEUED = "queued"
    PROCESSING = "processing"
    READY = "ready"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FileRecord(models.Model):
    """One file of one owner. `version` grows with every visible change and never falls.

    One in the trash keeps its row, its status and its bytes: read files through `files.selectors.files_of`, which
    leaves it out.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="files")
    owner_id: UUID
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=127, blank=True, help_text="Found by content, not by name.")
    kind = models.CharField(max_length=20, blank=True)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True, help_text="Empty until every byte is here and verified.")
    storage = models.CharField(max_length=20, db_default="local", default="local", help_text="Which one has the bytes.")
    storage_key = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=12, choices=FileStatus, default=FileStatus.UPLOADING)
    version = models.PositiveIntegerField(default=1)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    warnings = models.JSONField(default=list, blank=True, help_text="What could not be read: code, message, place.")
    language = models.CharField(max_length=16, blank=True)
    has_thumbnail = models.BooleanField(default=False)
    reader = models.CharField(max_length=40, blank=True, help_text="The extractor that read the file.")
    generation = models.PositiveIntegerField(default=0, help_text="Which segments are current; 0 before any.")
    segment_count = models.PositiveIntegerField(default=0)
    character_count = models.PositiveBigIntegerField(default=0)
    chunk_count = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=50, blank=True)
    error_message = models.TextField(blank=True)
    error_hint = models.TextField(blank=True)
    trashed_at = models.DateTimeField(null=True, blank=True, help_text="Since when it is in the trash (`files.trash`).")
    origin = models.CharField(
        max_length=4000, blank=True, help_text="Address, at the source that it was imported from; for people."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "sha256"), condition=~models.Q(sha256=""), name="one_file_per_content_and_owner"
            ),
        )
        indexes = (
            models.Index(fields=("owner", "-created_at")),
            models.Index(fields=("owner", "updated_at")),
            models.Index(fields=("owner", "status")),
            GinIndex(fields=("tags",), name="file_tags"),
            models.Index(fields=("trashed_at",), condition=~models.Q(trashed_at=None), name="file_trash"),
        )

    def __str__(self) -> str:
        return self.name


class Upload(models.Model):
    """An upload under way. Its id is the file's id; `file` differs only when the content turned out to be known.

    Its bytes come chunk by chunk on a grid, in any order, or by offset, one after the other. `writer` is the fencing
    token of the latter: bytes that come for an older one are refused.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    file = models.ForeignKey(FileRecord, on_delete=models.CASCADE, related_name="uploads")
    file_id: UUID
    declared_sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField()
    chunk_size = models.PositiveIntegerField()
    by_offset = models.BooleanField(default=False, help_text="Filled from start to end, not chunk by chunk.")
    received = models.PositiveBigIntegerField(default=0, help_text="Durable bytes; filled by offset, also the offset.")
    writer = models.PositiveBigIntegerField(default=0, help_text="Grows with each request that appends, or stops one.")
    client_metadata = models.TextField(blank=True, help_text="What the client said about the file, as it wrote it.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("expires_at",)),)

    def __str__(self) -> str:
        return f"upload of {self.size} bytes"

    @property
    def total_chunks(self) -> int:
        """Number of chunks the file is cut into; 0 for an empty file."""
        return -(-self.size // self.chunk_size)


class UploadChunk(models.Model):
    """A durable run of an upload's bytes, never overlapping another. The row exists only once the bytes are on disk.

    On the grid of the upload's chunk size, or as long as what had come when it was stored.
    """

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="chunks")
    start = models.PositiveBigIntegerField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("upload", "start"), name="one_row_per_start"),)

    def __str__(self) -> str:
        return f"bytes from {self.start}"


class MultipartUpload(models.Model):
    """The multipart upload at an S3 server that an upload's bytes go into."""

    upload = models.OneToOneField(Upload, on_delete=models.CASCADE, primary_key=True, related_name="multipart")
    multipart_id = models.TextField(help_text="As the server named it.")

    def __str__(self) -> str:
        return self.multipart_id


class UploadPiece(models.Model):
    """Where an S3 server has a run of an upload's bytes: in a part (`mark` is its tag) or in an object (its key)."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="pieces")
    start = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()
    part = models.PositiveSmallIntegerField(null=True, blank=True)
    mark = models.CharField(max_length=255)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("upload", "start"), name="one_piece_per_start"),)
        indexes = (models.Index(fields=("mark",), condition=models.Q(part=None), name="staged_piece"),)

    def __str__(self) -> str:
        return f"bytes from {self.start}"


class FileSegment(models.Model):
    """A run of extracted text with its place. Only the segments of the file's `generation` count."""

    file = models.ForeignKey(FileRecord, on_delete=models.CASCADE, related_name="segments")
    generation = models.PositiveIntegerField()
    ordinal = models.PositiveIntegerField()
    kind = models.CharField(max_length=12)
    text = models.TextField()
    place = models.JSONField(default=dict)

    class Meta:
        ordering = ("ordinal",)
        constraints = (
            models.UniqueConstraint(fields=("file", "generation", "ordinal"), name="one_segment_per_ordinal"),
        )

    def __str__(self) -> str:
        return f"segment {self.ordinal}"


class FileThumbnail(models.Model):
    """A small picture of a file, replaced with its text."""

    file = models.OneToOneField(FileRecord, on_delete=models.CASCADE, primary_key=True, related_name="thumbnail")
    file_id: UUID
    data = models.BinaryField()
    media_type = models.CharField(max_length=20)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"thumbnail, {self.width} x {self.height}"


class ImportState(models.TextChoices):
    """Where a run of an import stands. `cut`: its time was up, and the next one goes on."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CUT = "cut"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class ImportRun(models.Model):
    """One run of a connection's import. While it runs it belongs to whoever extends its lease; see `import_runs`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.ForeignKey(
        "integrations.ExternalIntegration", on_delete=models.CASCADE, related_name="import_runs"
    )
    integration_id: UUID
    state = models.CharField(max_length=12, choices=ImportState, default=ImportState.WAITING)
    asked_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    listed = models.PositiveIntegerField(default=0, help_text="Documents of the source that were looked at.")
    unchanged = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0, help_text="Whose content the owner had already.")
    deleted = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0, help_text="Read from the source.")
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    error_hint = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-asked_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("integration",), condition=models.Q(state__in=("waiting", "running")), name="one_open_import"
            ),
        )
        indexes = (models.Index(fields=("integration", "-asked_at"), name="import_of_connection"),)

    def __str__(self) -> str:
        return f"{self.state} import"


class ImportedItem(models.Model):
    """A document of a source, as it was imported last, and the file that has its content.

    `version` is the source's word for its content; empty: to be tried again. `made`: the file came by this import, and
    goes with the document; another one was the owner's before. `parent` is the key of the document it is a part of.
    A `file` of None was deleted for good by its owner, or never came: `error_code` says which.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.ForeignKey(
        "integrations.ExternalIntegration", on_delete=models.CASCADE, related_name="imported_items"
    )
    key = models.CharField(max_length=1100)
    parent = models.CharField(max_length=1100, blank=True)
    version = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=4000, blank=True)
    file = models.ForeignKey(
        FileRecord, null=True, blank=True, on_delete=models.SET_NULL, related_name="imported_items"
    )
    file_id: UUID | None
    made = models.BooleanField(default=False)
    seen = models.ForeignKey(ImportRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("key",)
        constraints = (models.UniqueConstraint(fields=("integration", "key"), name="one_item_per_key_and_connection"),)

    def __str__(self) -> str:
        return self.key


class ImportAction(models.TextChoices):
    """What a run did with a document."""

    ADDED = "added"
    CHANGED = "changed"
    DUPLICATE = "duplicate"
    DELETED = "deleted"
    FAILED = "failed"


class ImportEntry(models.Model):
    """One line of a run's log."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="entries")
    action = models.CharField(max_length=10, choices=ImportAction)
    name = models.CharField(max_length=255)
    origin = models.CharField(max_length=4000, blank=True)
    file = models.ForeignKey(FileRecord, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    file_id: UUID | None
    code = models.CharField(max_length=60, blank=True)
    message = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.action} {self.name}"


class JobState(models.TextChoices):
    """What the queue knows of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class ProcessingJob(models.Model):
    """The truth about a file's processing. Redis only carries hints that there is something to do.

    `attempt` grows with every start and is the fencing token: a write for an older attempt is refused. `failures`
    counts the attempts that used up the budget, `interruptions` those that ended by no fault of the file. Times are the
    database's clock.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    file = models.OneToOneField(FileRecord, on_delete=models.CASCADE, related_name="job")
    file_id: UUID
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jobs")
    owner_id: UUID
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    stage = models.CharField(max_length=20, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    interruptions = models.PositiveIntegerField(
        default=0, help_text="Attempts that ended by a fault which says nothing about the file."
    )
    excused = models.BooleanField(
        default=False, help_text="Its worker was lost over another job: not counted against it."
    )
    cause = models.CharField(max_length=50, blank=True, help_text="Code of why the attempt before this one ended.")
    long_text = models.BooleanField(default=False, help_text="Seen to be long: no short job to be done in between.")
    queued_at = models.DateTimeField(db_default=Now())
    available_at = models.DateTimeField(db_default=Now(), help_text="Not to be started earlier.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    progress_done = models.PositiveBigIntegerField(default=0)
    progress_total = models.PositiveBigIntegerField(default=0, help_text="0: not known.")
    progress_unit = models.CharField(max_length=20, blank=True)
    timings = models.JSONField(default=dict, help_text="Seconds per stage of the last attempt.")
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ("queued_at",)
        indexes = (
            models.Index(fields=("queued_at",), condition=models.Q(state="queued"), name="job_queue"),
            models.Index(fields=("owner", "queued_at"), condition=models.Q(state="queued"), name="job_queue_of_owner"),
            models.Index(fields=("-finished_at",), condition=models.Q(state="done"), name="job_done"),
            models.Index(fields=("owner",), condition=models.Q(state="running"), name="job_running_by_owner"),
            models.Index(fields=("lease_until",), condition=models.Q(state="running"), name="job_leases"),
        )

    def __str__(self) -> str:
        return f"{self.state} job, attempt {self.attempt}"


class FileEvent(models.Model):
    """Append-only history of a file, for its timeline."""

    file = models.ForeignKey(FileRecord, on_delete=models.CASCADE, related_name="events")
    version = models.PositiveIntegerField()
    status = models.CharField(max_length=12, choices=FileStatus)
    code = models.CharField(max_length=50)
    message = models.TextField()
    details = models.JSONField(default=dict, blank=True)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.code


class WebhookEvent(models.TextChoices):
    """What a webhook can be told. `ping` is sent only when its owner asks for it."""

    READY = "ready"
    PARTIAL = "partial"
    FAILED = "failed"
    DELETED = "deleted"
    PING = "ping"


class Webhook(models.Model):
    """An address of its owner's that is told what becomes of the owner's files. Times are the database's clock.

    `secret` is what `orchestra.common.sealing` made of it. `failures` counts attempts that failed since the last one
    that did not; `quiet_until` is in the future while somebody sends to it, and after a failure.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    owner_id: UUID
    url = models.CharField(max_length=2000)
    secret = models.BinaryField(editable=False)
    events = ArrayField(models.CharField(max_length=12, choices=WebhookEvent))
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=50, blank=True, help_text="Why the product switched it off.")
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    quiet_until = models.DateTimeField(null=True, blank=True, help_text="Nothing new is sent earlier.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    """Where a message to a webhook stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookDelivery(models.Model):
    """A message to one webhook: written with the change that it tells (`files.webhooks.outbox`), and kept as a log.

    `event_id` is the same for all webhooks that are told of one change. The file may be gone: no foreign key.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    webhook_id: UUID
    event_id = models.UUIDField(default=new_id)
    event = models.CharField(max_length=12, choices=WebhookEvent)
    file_id = models.UUIDField(null=True, blank=True)
    version = models.PositiveIntegerField(null=True, blank=True, help_text="The file's, when it happened.")
    state = models.CharField(max_length=10, choices=DeliveryState, db_default=DeliveryState.WAITING)
    attempt = models.PositiveSmallIntegerField(db_default=0, help_text="How often it was sent.")
    next_at = models.DateTimeField(null=True, blank=True, db_default=Now(), help_text="When it is due.")
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    error_code = models.CharField(max_length=50, blank=True, db_default="")
    occurred_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "webhook deliveries"
        constraints = (models.UniqueConstraint(fields=("webhook", "event_id"), name="one_message_per_event"),)
        indexes = (
            models.Index(fields=("next_at",), condition=models.Q(state="waiting"), name="delivery_due"),
            models.Index(fields=("occurred_at",), name="delivery_age"),
        )

    def __str__(self) -> str:
        return f"{self.event}, attempt {self.attempt}"
