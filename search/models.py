"""What is searched: passages, their vectors, their words; and what was asked.

Everything of a file is replaced in one transaction (`search.indexing.writing`): a file is found with all its passages
or with none. Vectors lie in narrow rows of their own, because scanning them beside the text costs four times as much.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from pgvector.django import HalfVectorField

from files.models import FileRecord
from orchestra.common.identifiers import new_id

NUMBERS = "search_indexedfile_number_seq"


class IndexedFile(models.Model):
    """What the index holds of a file; the sums over an owner's rows are the statistics of that owner's keywords."""

    file = models.OneToOneField(FileRecord, on_delete=models.CASCADE, primary_key=True, related_name="index")
    # No constraint: the index of a file in the trash lies on a shelf, which is no user's (`search.indexing.shelving`).
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    number = models.BigIntegerField(
        unique=True, db_default=models.Func(models.Value(NUMBERS), function="nextval"), help_text="Short for its id."
    )
    generation = models.PositiveIntegerField(help_text="The job's attempt that wrote it.")
    language = models.CharField(max_length=16, blank=True, help_text="ISO 639-1; empty where it is not known.")
    configuration = models.CharField(max_length=130, help_text="The text search configuration that stemmed its words.")
    analysis = models.PositiveSmallIntegerField(default=0, help_text="Which version of our analysis made its tokens.")
    chunk_count = models.PositiveIntegerField()
    disabled_count = models.PositiveIntegerField(
        db_default=0, default=0, help_text="Passages that its owner took out of the search."
    )
    lexeme_count = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("owner", "number"), name="document_by_owner_number"),)

    def __str__(self) -> str:
        return f"{self.chunk_count} passages"


class VectorChunk(models.Model):
    """A passage: the unit that is found."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    file = models.ForeignKey(FileRecord, on_delete=models.CASCADE, related_name="chunks")
    file_id: UUID
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    generation = models.PositiveIntegerField()
    ordinal = models.PositiveIntegerField()
    text = models.TextField()
    place = models.JSONField(default=dict)
    token_count = models.PositiveIntegerField()
    disabled = models.BooleanField(
        db_default=False, default=False, help_text="No search finds it (`search.indexing.disabled`)."
    )

    class Meta:
        ordering = ("file", "ordinal")
        constraints = (models.UniqueConstraint(fields=("file", "ordinal"), name="one_chunk_per_ordinal"),)

    def __str__(self) -> str:
        return f"passage {self.ordinal}"


class EmbeddingSpace(models.Model):
    """The vectors that one model made of all passages: vectors of two models cannot be compared.

    One space is searched. While another one is filled, after a change of the model, it holds a part of the passages; it
    takes the other's place when it holds all of them (`search.indexing.refilling`).
    """

    class State(models.TextChoices):
        FILLING = "filling"
        ACTIVE = "active"
        RETIRED = "retired"

    id = models.SmallAutoField(primary_key=True)
    model_id = models.CharField(max_length=100)
    dimensions = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("state",), condition=models.Q(state__in=("active", "filling")), name="one_space_per_live_state"
            ),
        )

    def __str__(self) -> str:
        return f"{self.model_id}, {self.state}"


class ChunkEmbedding(models.Model):
    """A passage's vector in a space, unit length, so that the inner product is the cosine.

    Narrow rows in partitions, by space and by the owner's hash (`search.partitions`). A passage is named by its
    document's number and its ordinal, as in the postings, so that both sides of a search meet without a look at the
    passages. The database keeps no foreign keys here: what writes and removes passages writes and removes these.
    """

    pk = models.CompositePrimaryKey("space", "owner", "document", "ordinal")
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    document = models.ForeignKey(
        IndexedFile,
        to_field="number",
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    ordinal = models.PositiveIntegerField()
    embedding = HalfVectorField()

    def __str__(self) -> str:
        return f"vector of passage {self.ordinal}"


class KeywordPosting(models.Model):
    """Where a word stands in a file: one row per word and block of 1,024 passages; ranking never reads the text.

    Each of `postings` packs a passage's ordinal in the block (10 bits), how often it has the word (6 bits, so at most
    63 times) and the passage's length in words (15 bits). The key exists here and not in the database: the one writer
    writes each row once, and an index over all of it would be as large as the rows.
    """

    pk = models.CompositePrimaryKey("owner", "lexeme", "document", "block")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    document = models.ForeignKey(
        IndexedFile, to_field="number", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    block = models.SmallIntegerField()
    lexeme = models.TextField(db_collation="C")
    postings = ArrayField(models.IntegerField())

    class Meta:
        indexes = (models.Index(fields=("owner", "lexeme"), name="posting_by_owner_lexeme"),)

    def __str__(self) -> str:
        return self.lexeme


class MirrorGeneration(models.Model):
    """A copy of an owner's vectors of one space in a store beside PostgreSQL (`search.vector_stores.mirror`).

    Its id is never used again, so that a copy which does not belong to this database, after a restore for instance,
    is one that this database knows nothing of.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    store = models.CharField(max_length=20)
    space_id = models.SmallIntegerField()
    owner_id = models.UUIDField()
    complete_to = models.BigIntegerField(
        default=0, help_text="It holds every document of the owner up to this number, and none of these is to come."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    written_at = models.DateTimeField(db_default=Now(), help_text="When it was last written from nothing.")

    class Meta:
        indexes = (models.Index(fields=("owner_id", "store", "space_id"), name="mirror_by_owner"),)

    def __str__(self) -> str:
        return f"{self.store} {self.id}"


class MirroredDocument(models.Model):
    """That a generation holds a document, by `IndexedFile.number`, with all its passages.

    It stays when the document is deleted, until the store has dropped it: no foreign keys.
    """

    pk = models.CompositePrimaryKey("generation_id", "document")
    generation_id = models.UUIDField()
    document = models.BigIntegerField()
    passages = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"document {self.document}"


class SearchQuery(models.Model):
    """A search that was made, for its user's history and for measuring."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="searches")
    mode = models.CharField(max_length=20)
    text = models.TextField()
    filters = models.JSONField(default=dict, blank=True)
    result_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    timings = models.JSONField(default=dict, blank=True, help_text="Milliseconds per step.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at",)
        verbose_name_plural = "search queries"
        indexes = (models.Index(fields=("user", "-created_at")),)

    def __str__(self) -> str:
        return self.text[:60]


class SearchAudit(models.Model):
    """That a user searched in a mode which needs a permission, and when: not what for.

    A row is written before the search and stays as it is, also after its user is gone: the database refuses to change
    or delete it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    mode = models.CharField(max_length=20)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-created_at",)
        permissions = (("search_uncensored", "Can search without the content filter"),)

    def __str__(self) -> str:
        return f"{self.mode}, {self.created_at:%Y-%m-%d %H:%M}"


class Conversation(models.Model):
    """Questions of a user's that belong together, in their order. Private mode keeps none."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=120, help_text="How its first question begins.")
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_default=Now(), editable=False)
    updated_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-updated_at", "-id")
        indexes = (models.Index(fields=("user", "-updated_at"), name="conversation_by_user"),)

    def __str__(self) -> str:
        return self.title


class Turn(models.Model):
    """A question in a conversation, and what was answered."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    number = models.PositiveIntegerField(help_text="From 1.")
    mode = models.CharField(max_length=20)
    persona_id = models.UUIDField(null=True, blank=True, help_text="By which it was answered; it may be gone by now.")
    question = models.TextField()
    answer = models.JSONField(default=dict, blank=True, help_text="`text` is what a later question is understood by.")
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("conversation", "number"), name="one_turn_per_number"),)

    def __str__(self) -> str:
        return self.question[:60]


class EvaluationQuestion(models.Model):
    """A question of its author's own, with those of the author's files that should answer it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="evaluation_questions")
    text = models.TextField()
    files = models.ManyToManyField(FileRecord, related_name="+", help_text="Those that should answer it.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return self.text[:60]


class EvaluationRun(models.Model):
    """What was measured of one or two configurations on its author's questions; files and passages by id alone."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="evaluation_runs")
    configurations = models.JSONField(default=list, help_text="Mode, weight and depth of each.")
    results = models.JSONField(default=dict, help_text="Measures, comparison, and the answers to each question.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"run of {self.created_at:%Y-%m-%d %H:%M}"
