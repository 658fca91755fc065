"""What the personas API takes and gives. What a field may hold is checked by `personas.rules`."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from orchestra.common.strict import Serializer
from personas import rules
from personas.exchange import FORMAT, VERSION
from personas.prompting import TONES
from personas.selectors import PersonaView


class PersonaContentSerializer(Serializer[Any]):
    """What a persona says and does."""

    name = serializers.CharField(max_length=rules.LONGEST_NAME)
    description = serializers.CharField(required=False, allow_blank=True, max_length=rules.LONGEST_DESCRIPTION)
    prompt = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=rules.LONGEST_PROMPT,
        help_text="What a model is told of its task and manner.",
    )
    tone = serializers.ChoiceField(choices=list(TONES), required=False)
    mode = serializers.ChoiceField(
        choices=list(rules.modes()), required=False, allow_blank=True, help_text="Used where a search names none."
    )
    model = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=rules.LONGEST_MODEL,
        help_text="As its provider names it. Empty: the one that is configured.",
    )
    temperature = serializers.FloatField(
        required=False, allow_null=True, min_value=0, max_value=rules.HIGHEST_TEMPERATURE, help_text="null: as usual."
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=rules.LONGEST_TAG),
        required=False,
        max_length=rules.MOST_TAGS,
        help_text="Only files with one of these tags are searched. Empty: all files of the one who asks.",
    )
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=list(rules.KINDS)),
        required=False,
        max_length=len(rules.KINDS),
        help_text="Only files of one of these kinds are searched. Empty: files of every kind.",
    )
    blocked_terms = serializers.ListField(
        child=serializers.CharField(max_length=rules.LONGEST_TERM),
        required=False,
        max_length=rules.MOST_TERMS,
        help_text="Left out of what is shown and of what a model reads.",
    )


class PersonaFieldsSerializer(PersonaContentSerializer):
    """What may be set of a persona."""

    shared = serializers.BooleanField(required=False, help_text="Everybody may use it, and read what it says.")
    groups = serializers.ListField(
        child=serializers.CharField(max_length=rules.LONGEST_GROUP),
        required=False,
        max_length=rules.MOST_GROUPS,
        help_text="Names of groups of yours whose members may use it.",
    )


class PersonaSerializer(serializers.Serializer[PersonaView]):
    """A persona as the caller sees it."""

    id = serializers.UUIDField(source="persona.id")
    name = serializers.CharField(source="persona.name")
    description = serializers.CharField(source="persona.description")
    prompt = serializers.CharField(source="persona.prompt")
    tone = serializers.CharField(source="persona.tone")
    mode = serializers.CharField(source="persona.mode", help_text="Empty: the choice is left to the search.")
    model = serializers.CharField(source="persona.model")
    temperature = serializers.FloatField(source="persona.temperature", allow_null=True)
    tags = serializers.ListField(source="persona.tags", child=serializers.CharField())
    kinds = serializers.ListField(source="persona.kinds", child=serializers.CharField())
    blocked_terms = serializers.ListField(source="persona.blocked_terms", child=serializers.CharField())
    shared = serializers.BooleanField(source="persona.shared")
    groups = serializers.ListField(child=serializers.CharField(), help_text="Empty for who may not change it.")
    owner = serializers.CharField(help_text="A user's name; empty where it belongs to the installation.")
    changeable = serializers.BooleanField(help_text="Whether the caller may change and delete it.")
    is_default = serializers.BooleanField(help_text="Whether the caller's search page begins with it.")
    created_at = serializers.DateTimeField(source="persona.created_at")
    updated_at = serializers.DateTimeField(source="persona.updated_at")


class PersonaDocumentSerializer(Serializer[Any]):
    """An exported persona. An import refuses every field that is not named here."""

    format = serializers.ChoiceField(choices=[FORMAT])
    version = serializers.IntegerField(min_value=VERSION, max_value=VERSION)
    persona = PersonaContentSerializer()
