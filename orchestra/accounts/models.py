"""Who uses the product, the keys with which their programs do, and what they sign in with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser, Group
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from orchestra.common.identifiers import new_id


class User(AbstractUser):
    """A person. `storage_quota` is in bytes; null means the installation's default, 0 means no limit.

    Whatever is given out to somebody (a session, a token, a ticket, a socket) names the `epoch` that it was given in
    and ends when that goes up: by `services.end_credentials`, by a new password, and, in the database, by `is_active`
    going out. The database then revokes the API keys too, and lets an epoch never go down.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    preferences = models.JSONField(default=dict, blank=True)
    storage_quota = models.PositiveBigIntegerField(null=True, blank=True)
    epoch = models.PositiveIntegerField(default=0, editable=False)

    class Meta(AbstractUser.Meta):
        db_table = "accounts_user"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; with a new password what was given out under the old one ends."""
        # Django sets `_password` where a password was chosen, and not where only its hash is made anew at a sign-in.
        if getattr(self, "_password", None) is None or self._state.adding:
            super().save(*args, **kwargs)
            return
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "epoch"}
        self.epoch = models.F("epoch") + 1  # read back below
        super().save(*args, **kwargs)
        self.refresh_from_db(fields=["epoch"])

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what a session must hold: it changes with the password and with the epoch."""
        value = f"{self.password} {self.epoch}"
        return salted_hmac("orchestra.accounts.session", value, secret=secret, algorithm="sha256").hexdigest()

    @property
    def effective_quota(self) -> int:
        """Bytes this user may store; 0 means no limit."""
        return self.storage_quota if self.storage_quota is not None else settings.DEFAULT_QUOTA


class SignInBucket(models.Model):
    """How many passwords were tried lately for an account or from an address; `orchestra.accounts.sign_in` fills it.

    `known`: the account was signed in from that address.
    """

    key = models.CharField(max_length=64, primary_key=True, editable=False)
    level = models.FloatField()
    known = models.BooleanField(default=False)
    updated_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key[:12]


class AuditAction(models.TextChoices):
    """What is written down of what people do."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # an action's name
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    TWO_FACTOR_ON = "two_factor_on"
    TWO_FACTOR_OFF = "two_factor_off"
    TWO_FACTOR_RESET = "two_factor_reset"
    RECOVERY_CODE_USED = "recovery_code_used"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    SESSION_ENDED = "session_ended"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    INVITED = "invited"
    INVITATION_WITHDRAWN = "invitation_withdrawn"
    INVITATION_ACCEPTED = "invitation_accepted"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    STAFF_MADE = "staff_made"
    STAFF_UNMADE = "staff_unmade"
    QUOTA_CHANGED = "quota_changed"
    GROUP_CREATED = "group_created"
    GROUP_RENAMED = "group_renamed"
    GROUP_DELETED = "group_deleted"
    GROUP_JOINED = "group_joined"
    GROUP_LEFT = "group_left"
    CHANGED_IN_ADMIN = "changed_in_admin"
    FILE_TRASHED = "file_trashed"
    FILE_RESTORED = "file_restored"
    FILE_DELETED = "file_deleted"
    CONNECTED = "connected"
    CONNECTION_CHANGED = "connection_changed"
    DISCONNECTED = "disconnected"


class AuditEvent(models.Model):
    """Who did what, when and from where: no text of anybody's, and no secret.

    The database refuses to change or delete a row. Ids are not references: what they name may be gone.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(db_default=Now(), editable=False)
    actor_id = models.UUIDField(null=True, help_text="The user; none where nobody was signed in.")
    action = models.CharField(max_length=30, choices=AuditAction)
    subject = models.CharField(max_length=200, blank=True, help_text="Kind and id of what it was done to.")
    address = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=64, blank=True, help_text="The log has the rest under it.")

    class Meta:
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=("actor_id", "-at"), name="audit_by_actor"),
            models.Index(fields=("-at",), name="audit_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class ApiKey(models.Model):
    """A program's key. Only its digest is stored; the key itself is shown once, when it is made."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_active(self) -> bool:
        """Whether the key opens anything now."""
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not expired


class SecondFactor(models.Model):
    """A user's key for codes by time; `orchestra.accounts.second_factor` writes it.

    `secret` is what `orchestra.common.sealing` made of it. Before `confirmed_at` it is a draft and asks nobody for a
    code. `last_step`: the thirty seconds of the last code that was accepted; that one and older ones are worth nothing.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_factor")
    secret = models.BinaryField(editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_step = models.BigIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"


class RecoveryCode(models.Model):
    """Stands in for a code once, when the device that makes them is lost. Only its digest is stored."""

    id = models.BigAutoField(primary_key=True)
    factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("factor", "digest"), name="recovery_code_once"),)

    def __str__(self) -> str:
        return f"recovery code of {self.factor_id}"


class BrowserSession(models.Model):
    """Where and with what a user is signed in: beside Django's session, and gone with it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="browser")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="browser_sessions")
    device = models.CharField(max_length=60)
    address = models.CharField(max_length=45, blank=True)
    began_at = models.DateTimeField(db_default=Now(), editable=False)
    seen_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-seen_at", "-id")

    def __str__(self) -> str:
        return f"{self.device} of {self.user_id}"


class Invitation(models.Model):
    """A link by which one person makes an account. Only the digest of its code is stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="invitations")
    note = models.CharField(max_length=100, help_text="Whom it is for, in the words of who invites.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    storage_quota = models.PositiveBigIntegerField(null=True, blank=True)
    groups = models.ManyToManyField(Group, blank=True, related_name="invitations")
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(editable=False)
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="accepted_invitations")
    accepted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-made_at", "-id")

    def __str__(self) -> str:
        return f"invitation {self.pk}"
