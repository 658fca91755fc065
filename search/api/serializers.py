"""What the search API takes and gives."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orchestra.common.strict import Serializer
from search.addresses import passage_address
from search.answering.answer import AnswerKind, Citation
from search.services import MAX_QUERY
from search.talking import NEW


class FiltersSerializer(Serializer[Any]):
    """Narrows a search; empty lists do not."""

    files = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=1000)
    kinds = serializers.ListField(child=serializers.CharField(max_length=20), required=False, max_length=20)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=20)
    added_from = serializers.DateTimeField(required=False, help_text="Files added at this time or later.")
    added_before = serializers.DateTimeField(required=False, help_text="Files added before this time.")


class VectorSearchSerializer(Serializer[Any]):
    """A question to the vectors alone."""

    query = serializers.CharField(max_length=MAX_QUERY)
    filters = FiltersSerializer(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=100, default=10)


@extend_schema_field({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "string", "enum": [NEW]}]})
class ConversationField(serializers.Field[UUID | str, Any, str, Any]):
    """The id of a conversation, or NEW."""

    def to_internal_value(self, data: Any) -> UUID | str:
        """Return what is named. Raises ValidationError."""
        if data == NEW:
            return NEW
        named: UUID = serializers.UUIDField().run_validation(str(data))
        return named

    def to_representation(self, value: UUID | str) -> str:
        """Return it as text."""
        return str(value)


class SearchSerializer(VectorSearchSerializer):
    """A question in a mode."""

    mode = serializers.ChoiceField(
        choices=list(settings.SEARCH_MODES), required=False, help_text="Without one: the persona's, or `basic`."
    )
    persona = serializers.UUIDField(
        required=False, allow_null=True, help_text="Narrows what is searched, and shapes the answer."
    )
    conversation = ConversationField(
        required=False,
        allow_null=True,
        help_text="One of the caller's, which this question continues, or `new`, to begin one. The question is "
        "understood by what came before, and kept with its answer; mode private keeps nothing.",
    )
    group_by = serializers.ChoiceField(
        choices=("passage", "file"),
        required=False,
        help_text="`file`: each hit is a file's best passage, with the next ones of that file in `more`. Left out: "
        "`file` in mode deep, else `passage`.",
    )
    explain = serializers.BooleanField(default=False, help_text="Say how the ranking came about.")


class AbsenceQuestionSerializer(Serializer[Any]):
    """A question, and the file that was expected to answer it."""

    query = serializers.CharField(max_length=MAX_QUERY)
    file = serializers.UUIDField()
    filters = FiltersSerializer(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=100, default=10)


class AbsenceSerializer(serializers.Serializer[Any]):
    """Why a file is not among the hits."""

    file_id = serializers.UUIDField()
    file_name = serializers.CharField()
    code = serializers.ChoiceField(
        choices=(
            *("present", "not_ready", "failed", "cancelled", "no_text", "not_indexed", "disabled"),
            *("filtered", "ruled_out", "outranked"),
        )
    )
    message = serializers.CharField()
    rank = serializers.IntegerField(
        allow_null=True, help_text="Its best passage's place; null where none was compared."
    )
    details = serializers.DictField()


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
    vector_part = serializers.FloatField(help_text="The vectors' share of the fused score.")
    keyword_part = serializers.FloatField(help_text="The words' share of the fused score.")
    fused_rank = serializers.IntegerField(help_text="Rank by the fused score, before a reranker.")
    rerank = serializers.FloatField(allow_null=True, help_text="The reranker's score; null where none was asked.")


class TwinSerializer(serializers.Serializer[Any]):
    """A passage with the same words as a hit's."""

    chunk_id = serializers.UUIDField()
    file_id = serializers.UUIDField()
    file_name = serializers.CharField()
    place = serializers.DictField()


class PassageSerializer(serializers.Serializer[Any]):
    """A passage that answers."""

    chunk_id = serializers.UUIDField()
    file = HitFileSerializer(source="*")
    ordinal = serializers.IntegerField()
    place = serializers.DictField(help_text="page, slide, sheet, cells, line, line_end, second, headings: those known.")
    snippet = SnippetSerializer()
    text = serializers.CharField()
    score = serializers.FloatField(help_text="0 to 1.")
    parts = ScorePartsSerializer()


class HitSerializer(PassageSerializer):
    """A hit: a passage, what has the same words, and what else of its file answers."""

    same = TwinSerializer(source="twins", many=True, help_text="Passages with the very same words, here or elsewhere.")
    more = PassageSerializer(many=True, help_text="Further passages of the file, with `group_by: file`.")


class ExplanationSerializer(serializers.Serializer[Any]):
    """How the ranking came about."""

    weight = serializers.FloatField(help_text="Share of meaning against words.")
    depth = serializers.IntegerField(help_text="Candidates that each side brings.")
    passages = serializers.IntegerField(help_text="All passages of the owner.")
    candidates = serializers.IntegerField(help_text="Passages that were fused.")
    method = serializers.CharField(help_text="How vectors were compared.")
    reranker = serializers.CharField(help_text="Empty where there is none.")
    terms = serializers.DictField(child=serializers.FloatField(), help_text="What each word of the question weighs.")


class SentenceSerializer(serializers.Serializer[Any]):
    """One sentence of an answer, plain text."""

    text = serializers.CharField()
    citations = serializers.ListField(
        child=serializers.IntegerField(), help_text="Numbers of the passages that support it."
    )
    supported = serializers.BooleanField(help_text="False: no passage that it cites supports it.")
    section = serializers.CharField(help_text="The heading that it stands under; empty for none.")


class CitationSerializer(serializers.Serializer[Any]):
    """A passage that sentences rest on."""

    number = serializers.IntegerField()
    chunk_id = serializers.UUIDField()
    file_id = serializers.UUIDField()
    file_name = serializers.CharField()
    place = serializers.DictField()
    address = serializers.SerializerMethodField(help_text="The file's page at this place.")

    def get_address(self, one: Citation) -> str:
        """Return where the passage is shown."""
        return passage_address(one.file_id, one.place)


class AnswerSerializer(serializers.Serializer[Any]):
    """An answer in sentences, each checked against the passages that it cites."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in AnswerKind])
    sentences = SentenceSerializer(many=True)
    citations = CitationSerializer(many=True)
    model = serializers.CharField(help_text="Who wrote it; empty where its sentences are those of the passages.")
    cut = serializers.BooleanField(help_text="Whether it ended before the model was through.")


class StepSerializer(serializers.Serializer[Any]):
    """What a mode asked on its way."""

    number = serializers.IntegerField()
    asked = serializers.CharField()
    found = serializers.IntegerField(help_text="Passages that no step before had found.")


class LinkSerializer(serializers.Serializer[Any]):
    """Two files that share rare words, each of which answers a part of the question that the other one does not."""

    files = serializers.ListField(child=serializers.UUIDField(), min_length=2, max_length=2)
    file_names = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)
    terms = serializers.ListField(child=serializers.CharField())
    passages = serializers.ListField(child=serializers.UUIDField(), min_length=2, max_length=2)


class OutboundSerializer(serializers.Serializer[Any]):
    """A request to another machine that was made, or refused, for this search."""

    host = serializers.CharField()
    purpose = serializers.CharField()
    sent = serializers.IntegerField(help_text="Bytes.")
    received = serializers.IntegerField(help_text="Bytes.")
    milliseconds = serializers.FloatField()
    refused = serializers.BooleanField()


class SearchResultSerializer(serializers.Serializer[Any]):
    """Hits, best first."""

    query = serializers.CharField()
    mode = serializers.CharField()
    hits = HitSerializer(many=True)
    timings = serializers.DictField(child=serializers.FloatField(), help_text="Milliseconds per step.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="What could not be done, in sentences.")
    explanation = ExplanationSerializer(allow_null=True)
    answer = AnswerSerializer(allow_null=True)
    steps = StepSerializer(many=True)
    links = LinkSerializer(many=True, help_text="Mode creative.")
    outbound = OutboundSerializer(many=True, help_text="What left the machine for this search; empty: nothing.")
    looked_for = serializers.CharField(
        help_text="The question with words of the one before that it leans on; empty where it was asked as it is."
    )
    conversation = serializers.UUIDField(
        allow_null=True, help_text="Where question and answer are kept; null: nowhere. Always null in mode private."
    )


class ComparisonQuestionSerializer(VectorSearchSerializer):
    """A question to several modes. It is not kept in the history."""

    modes = serializers.ListField(
        child=serializers.ChoiceField(choices=list(settings.SEARCH_MODES)), min_length=2, max_length=6
    )


class OverlapSerializer(serializers.Serializer[Any]):
    """How much two modes found alike."""

    modes = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)
    passages = serializers.FloatField(help_text="Passages that both have, of all that either has, 0 to 1.")
    files = serializers.FloatField(help_text="The same of files.")


class ComparisonSerializer(serializers.Serializer[Any]):
    """One question through several modes."""

    query = serializers.CharField()
    results = SearchResultSerializer(many=True)
    overlaps = OverlapSerializer(many=True)
