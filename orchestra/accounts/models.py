"""Who uses the product, and the keys with which their programs do."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

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
