"""Who uses the product, and the keys with which their programs do."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from rest_framework.utils.encoders import JSONEncoder

from orchestra.common.identifiers import new_id


class User(AbstractUser):
    """A person. `storage_quota` is in bytes; null means the installation's default, 0 means no limit."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    preferences = models.JSONField(default=dict, blank=True)
    storage_quota = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta(AbstractUser.Meta):
        db_table = "accounts_user"

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


class IdempotentAnswer(models.Model):
    """The answer to a request with an Idempotency-Key, for a day; `orchestra.accounts.idempotency` has the rules.

    `key` and `request` are digests. `made` is the id of what the request made; `body` is null where it held a secret.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    address = models.CharField(max_length=200)
    key = models.CharField(max_length=64)
    request = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    made = models.UUIDField()
    body = models.JSONField(null=True, encoder=JSONEncoder)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "address", "key"), name="one_answer_per_key"),)

    def __str__(self) -> str:
        return f"{self.status} of {self.address}"


class AuditAction(models.TextChoices):
    """What is written down of what people do."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # an action's name
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
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
