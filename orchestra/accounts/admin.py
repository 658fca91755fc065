"""Accounts in the built-in admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from orchestra.accounts import services, sign_in
from orchestra.accounts.forms import AdminSignInForm
from orchestra.accounts.models import ApiKey, AuditEvent, IdempotentAnswer, SignInBucket, User
from orchestra.common.read_only import ReadOnly

admin.site.login_form = AdminSignInForm


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """Users, with quota and preferences."""

    list_display = ("username", "email", "is_active", "is_staff", "storage_quota", "last_login")
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), ("Orchestra", {"fields": ("storage_quota", "preferences")}))

    actions = ("let_in_again",)

    @admin.action(description="Let in again after too many tries to sign in")
    def let_in_again(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Forget the tries for the selected accounts."""
        for user in queryset:
            sign_in.let_in_again(user.username)
        messages.success(request, f"{len(queryset)} accounts may try again.")

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[Any], list[Any]]:
        """Ask no permission for what hangs on a user: rows that cannot be deleted by themselves go with it."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected


@admin.register(SignInBucket)
class SignInBucketAdmin(ReadOnly, admin.ModelAdmin[SignInBucket]):
    """Tries to sign in, by digests of names and addresses."""

    list_display = ("key", "level", "known", "updated_at")
    list_filter = ("known",)


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(ReadOnly, admin.ModelAdmin[IdempotentAnswer]):
    """Requests that may be sent again, without what was answered."""

    list_display = ("address", "user", "status", "made", "created_at")
    exclude = ("body",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, admin.ModelAdmin[AuditEvent]):
    """Who did what; `manage.py export_audit` writes it to a file."""

    list_display = ("at", "actor_id", "action", "subject", "address")
    list_filter = ("action", "at")
    search_fields = ("subject", "address", "request_id", "=actor_id")
    show_full_result_count = False


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin[ApiKey]):
    """API keys: seen and revoked here, made by their users."""

    list_display = ("name", "prefix", "user", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("revoked_at", "created_at")
    search_fields = ("name", "prefix", "user__username")
    autocomplete_fields = ("user",)
    readonly_fields = ("user", "prefix", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid adding: the key's text could be shown to nobody."""
        return False

    @admin.action(description="Revoke selected keys")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Revoke through the same service as the API."""
        for key in queryset:
            services.revoke_api_key(key)
        messages.success(request, f"{len(queryset)} keys revoked.")
