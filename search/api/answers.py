"""A search's result as the API gives it, put together by hand: serializers take longer than searching a small index.

`search.api.serializers` describes the same shape for the documents; a test compares the two.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from search.retrieval import Hit, SearchResult, Twin


def answer_of(result: SearchResult) -> dict[str, Any]:
    """Return the result as JSON can hold it."""
    return {
        "query": result.query,
        "mode": result.mode,
        "hits": [_hit(hit) for hit in result.hits],
        "timings": result.timings,
        "notes": list(result.notes),
        "explanation": asdict(result.explanation) if result.explanation else None,
    }


def _hit(hit: Hit) -> dict[str, Any]:
    return {**_passage(hit), "same": [_twin(twin) for twin in hit.twins], "more": [_passage(one) for one in hit.more]}


def _passage(hit: Hit) -> dict[str, Any]:
    parts = hit.parts
    return {
        "chunk_id": str(hit.chunk_id),
        "file": {"id": str(hit.file_id), "name": hit.file_name, "media_type": hit.media_type, "kind": hit.kind},
        "ordinal": hit.ordinal,
        "place": hit.place,
        "snippet": {"text": hit.snippet.text, "highlights": [list(span) for span in hit.snippet.spans]},
        "text": hit.text,
        "score": hit.score,
        "parts": {
            "vector": parts.vector,
            "keyword": parts.keyword,
            "vector_rank": parts.vector_rank,
            "keyword_rank": parts.keyword_rank,
            "vector_part": parts.vector_part,
            "keyword_part": parts.keyword_part,
            "fused_rank": parts.fused_rank,
            "rerank": parts.rerank,
        },
    }


def _twin(twin: Twin) -> dict[str, Any]:
    return {
        "chunk_id": str(twin.chunk_id),
        "file_id": str(twin.file_id),
        "file_name": twin.file_name,
        "place": twin.place,
    }
