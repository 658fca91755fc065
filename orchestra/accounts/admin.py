"""Accounts in the built-in admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from orchestra.accounts import second_factor, services, sign_in
from orchestra.accounts.models import (
    ApiKey,
    AuditEvent,
    BrowserSession,
    Invitation,
    RecoveryCode,
    SecondFactor,
    SignInBucket,
    User,
)
from orchestra.accounts.selectors import other_administrators
from orchestra.common.read_only import ReadOnly


def _to_the_sign_in_page(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Send who wants into the admin to the one page that asks for passwords, and for the second factor."""
    return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME, reverse("admin:index")), reverse("sign-in"))


admin.site.login = _to_the_sign_in_page  # type: ignore[method-assign]  # the way that AdminSite offers is a site of one's own


class UserForm(UserChangeForm[User]):
    """A user, of whom the last administrator stays one."""

    def clean(self) -> dict[str, Any] | None:
        """Refuse what would leave nobody who may do everything."""
        cleaned = super().clean()
        values = cleaned or {}
        stays = values.get("is_superuser", True) and values.get("is_active", True)
        if not stays and not other_administrators([self.instance]):
            raise ValidationError("This is the last administrator: make another one first.")
        return cleaned


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """Users, with quota and preferences."""

    list_display = ("username", "email", "is_active", "is_staff", "storage_quota", "last_login")
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), ("Orchestra", {"fields": ("storage_quota", "preferences")}))

    form = UserForm
    actions = ("let_in_again", "reset_second_factor")

    @admin.action(description="Let in again after too many tries to sign in")
    def let_in_again(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Forget the tries for the selected accounts."""
        for user in queryset:
            sign_in.let_in_again(user.username)
        messages.success(request, f"{len(queryset)} accounts may try again.")

    @admin.action(description="Take the second factor away, of who lost the device")
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Reset through the same service as the page."""
        messages.success(request, f"{sum(map(second_factor.reset, queryset))} second factors were taken away.")

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[Any, int], set[Any], list[Any]]:
        """Ask no permission for what hangs on a user: rows that cannot be deleted by themselves go with it."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        if not other_administrators(objs):
            protected = [*protected, "the last administrator"]
        return deleted, counts, set(), protected


@admin.register(SignInBucket)
class SignInBucketAdmin(ReadOnly, admin.ModelAdmin[SignInBucket]):
    """Tries to sign in, by digests of names and addresses."""

    list_display = ("key", "level", "known", "updated_at")
    list_filter = ("known",)


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


@admin.register(SecondFactor)
class SecondFactorAdmin(ReadOnly, admin.ModelAdmin[SecondFactor]):
    """Who has a second factor; keys are shown nowhere."""

    list_display = ("user", "confirmed_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    exclude = ("secret",)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(ReadOnly, admin.ModelAdmin[RecoveryCode]):
    """Which recovery codes were used."""

    list_display = ("factor", "used_at")
    list_select_related = ("factor",)
    exclude = ("digest",)


@admin.register(BrowserSession)
class BrowserSessionAdmin(ReadOnly, admin.ModelAdmin[BrowserSession]):
    """Where people are signed in; the session's key is shown nowhere."""

    list_display = ("user", "device", "address", "began_at", "seen_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "address")
    exclude = ("session",)


@admin.register(Invitation)
class InvitationAdmin(ReadOnly, admin.ModelAdmin[Invitation]):
    """Who was invited; made and withdrawn on the page of people."""

    list_display = ("note", "invited_by", "made_at", "expires_at", "accepted_by")
    list_select_related = ("invited_by", "accepted_by")
    exclude = ("digest",)
