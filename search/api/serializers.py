"""What the search API takes and gives."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from search.services import MAX_QUERY


class FiltersSerializer(serializers.Serializer[Any]):
    """Narrows a search; empty lists do not."""

    files = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=1000)
    kinds = serializers.ListField(child=serializers.CharField(max_length=20), required=False, max_length=20)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=20)


class VectorSearchSerializer(serializers.Serializer[Any]):
    """A question to the vectors alone."""

    query = serializers.CharField(max_length=MAX_QUERY)
    filters = FiltersSerializer(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=100, default=10)


class SearchSerializer(VectorSearchSerializer):
    """A question in a mode."""

    mode = serializers.ChoiceField(choices=list(settings.SEARCH_MODES), default="basic")


class HitFileSerializer(serializers.Serializer[Any]):
    """The file of a hit."""

    id = serializers.UUIDField(source="file_id")
    name = serializers.CharField(source="file_name")
    media_type = serializers.CharField()
    kind = serializers.CharField()


class SnippetSerializer(serializers.Serializer[Any]):
    """The part of a passage that answers; `highlights` are half-open character ranges of `text`."""

    text = serializers.CharField()
    highlights = serializers.ListField(
        source="spans", child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2)
    )


class ScorePartsSerializer(serializers.Serializer[Any]):
    """How the score came about."""

    vector = serializers.FloatField(help_text="Cosine.")
    keyword = serializers.FloatField(help_text="BM25.")
    vector_rank = serializers.IntegerField()
    keyword_rank = serializers.IntegerField(allow_null=True)


class HitSerializer(serializers.Serializer[Any]):
    """A passage that answers."""

    chunk_id = serializers.UUIDField()
    file = HitFileSerializer(source="*")
    ordinal = serializers.IntegerField()
    place = serializers.DictField(help_text="page, slide, sheet, cells, line, line_end, second, headings: those known.")
    snippet = SnippetSerializer()
    text = serializers.CharField()
    score = serializers.FloatField(help_text="0 to 1.")
    parts = ScorePartsSerializer()


class SearchResultSerializer(serializers.Serializer[Any]):
    """Hits, best first."""

    query = serializers.CharField()
    mode = serializers.CharField()
    hits = HitSerializer(many=True)
    timings = serializers.DictField(child=serializers.FloatField(), help_text="Milliseconds per step.")
