"""The index and the questions in the built-in admin: to look at, not to write."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from orchestra.common.read_only import ReadOnly
from search.models import (
    Conversation,
    EmbeddingSpace,
    EvaluationQuestion,
    EvaluationRun,
    IndexedFile,
    MirrorGeneration,
    SearchAudit,
    SearchQuery,
    Turn,
    VectorChunk,
)


@admin.register(VectorChunk)
class VectorChunkAdmin(ReadOnly, admin.ModelAdmin[VectorChunk]):
    """Passages."""

    list_display = ("file", "ordinal", "token_count", "place", "owner")
    list_filter = ("owner",)
    search_fields = ("text", "file__name")
    list_select_related = ("file", "owner")
    show_full_result_count = False


@admin.register(EmbeddingSpace)
class EmbeddingSpaceAdmin(ReadOnly, admin.ModelAdmin[EmbeddingSpace]):
    """Which model's vectors are searched, and which are being made."""

    list_display = ("id", "model_id", "dimensions", "state", "created_at", "retired_at")


@admin.register(MirrorGeneration)
class MirrorGenerationAdmin(ReadOnly, admin.ModelAdmin[MirrorGeneration]):
    """Copies of vectors in stores beside PostgreSQL."""

    list_display = ("id", "store", "space_id", "owner_id", "complete_to", "created_at", "written_at")
    list_filter = ("store",)


@admin.register(IndexedFile)
class IndexedFileAdmin(ReadOnly, admin.ModelAdmin[IndexedFile]):
    """What is indexed of each file."""

    list_display = ("file", "owner", "generation", "language", "chunk_count", "lexeme_count", "created_at")
    list_filter = ("configuration", "owner")
    search_fields = ("file__name",)
    list_select_related = ("file", "owner")


@admin.register(SearchQuery)
class SearchQueryAdmin(ReadOnly, admin.ModelAdmin[SearchQuery]):
    """Questions that were asked."""

    list_display = ("created_at", "user", "mode", "text", "timings")
    list_filter = ("mode", "created_at")
    search_fields = ("text", "user__username")
    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Allow deletion: a question is its user's data."""
        return bool(getattr(request.user, "is_superuser", False))


@admin.register(SearchAudit)
class SearchAuditAdmin(ReadOnly, admin.ModelAdmin[SearchAudit]):
    """Searches that needed a permission."""

    list_display = ("created_at", "user_id", "mode")
    list_filter = ("mode", "created_at")
    fields = ("created_at", "user_id", "mode")
    readonly_fields = ("created_at", "user_id", "mode")


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, admin.ModelAdmin[Conversation]):
    """Questions that belong together."""

    list_display = ("updated_at", "user", "title")
    list_filter = ("updated_at",)
    search_fields = ("title", "user__username")
    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Allow deletion: a conversation is its user's data."""
        return bool(getattr(request.user, "is_superuser", False))


@admin.register(Turn)
class TurnAdmin(ReadOnly, admin.ModelAdmin[Turn]):
    """Single questions of conversations."""

    list_display = ("created_at", "conversation", "number", "mode", "persona_id", "question")
    list_filter = ("mode", "created_at")
    search_fields = ("question", "conversation__user__username")
    list_select_related = ("conversation",)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Allow deletion: a question is its user's data."""
        return bool(getattr(request.user, "is_superuser", False))


@admin.register(EvaluationQuestion)
class EvaluationQuestionAdmin(ReadOnly, admin.ModelAdmin[EvaluationQuestion]):
    """Questions that search is measured with."""

    list_display = ("created_at", "author", "text")
    list_filter = ("author",)
    search_fields = ("text", "author__username")
    list_select_related = ("author",)


@admin.register(EvaluationRun)
class EvaluationRunAdmin(ReadOnly, admin.ModelAdmin[EvaluationRun]):
    """What was measured."""

    list_display = ("created_at", "author", "configurations")
    list_filter = ("author",)
    search_fields = ("author__username",)
    list_select_related = ("author",)
