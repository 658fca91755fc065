"""Personas: who answers, in which manner, by which model, from which files.

What a persona may hold is checked by `personas.rules` alone; rows are written by `personas.services`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from orchestra.common.identifiers import new_id
from personas import rules
from personas.prompting import DEFAULT_TONE, TONES

if TYPE_CHECKING:
    from datetime import datetime


class Persona(models.Model):
    """One way of being answered. Without an owner it belongs to the installation, and staff may change it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="personas", null=True, blank=True
    )
    owner_id: UUID | None
    name = models.CharField(max_length=rules.LONGEST_NAME)
    description = models.TextField(blank=True, max_length=rules.LONGEST_DESCRIPTION)
    prompt = models.TextField(
        blank=True, max_length=rules.LONGEST_PROMPT, help_text="What a model is told of its task and manner."
    )
    tone = models.CharField(max_length=20, default=DEFAULT_TONE, choices=[(tone, tone.capitalize()) for tone in TONES])
    mode = models.CharField(max_length=20, blank=True, help_text="The search mode that it begins with.")
    model = models.CharField(max_length=rules.LONGEST_MODEL, blank=True, help_text="Empty: the one that is configured.")
    temperature = models.FloatField(null=True, blank=True, help_text="0 to 2. Empty: as usual.")
    tags = ArrayField(
        models.CharField(max_length=rules.LONGEST_TAG),
        default=list,
        blank=True,
        help_text="Only files with one of these are searched.",
    )
    kinds = ArrayField(
        models.CharField(max_length=20), default=list, blank=True, help_text="Only files of these kinds are searched."
    )
    blocked_terms = ArrayField(
        models.CharField(max_length=rules.LONGEST_TERM),
        default=list,
        blank=True,
        help_text="Left out of what is shown.",
    )
    shared = models.BooleanField(default=False, help_text="Everybody may use it, and read what it says.")
    groups = models.ManyToManyField(Group, blank=True, related_name="+", help_text="Their members may use it.")
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_default=Now(), editable=False)
    updated_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name

    @property
    def version(self) -> str:
        """What the persona is called as it is now; a change makes another one."""
        return f"{self.updated_at:%Y%m%d%H%M%S%f}"


class DefaultPersona(models.Model):
    """The persona that a user's questions are asked with where none is named."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="default_persona"
    )
    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="+")
    persona_id: UUID

    def __str__(self) -> str:
        return f"default of {self.user_id}"
