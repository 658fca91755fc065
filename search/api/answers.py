"""A search's result as the API gives it, put together by hand: serializers take longer than searching a small index.

`search.api.serializers` describes the same shape for the documents; a test compares the two.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from search.addresses import passage_address
from search.answering.answer import Answer, Citation, Link, Sentence, Step
from search.comparing import Compared
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
        "answer": answer(result.answer) if result.answer else None,
        "steps": [step(one) for one in result.steps],
        "links": [_link(one) for one in result.links],
        "outbound": [asdict(entry) for entry in result.outbound],
        "looked_for": result.looked_for,
        "conversation": str(result.conversation) if result.conversation else None,
    }


def comparison_of(compared: Compared) -> dict[str, Any]:
    """Return a comparison as JSON can hold it."""
    return {
        "query": compared.query,
        "results": [answer_of(result) for result in compared.results],
        "overlaps": [
            {"modes": list(one.modes), "passages": one.passages, "files": one.files} for one in compared.overlaps
        ],
    }


def answer(found: Answer) -> dict[str, Any]:
    """Return an answer as JSON can hold it."""
    return {
        "kind": found.kind.value,
        "sentences": [sentence(one) for one in found.sentences],
        "citations": [citation(one) for one in found.citations],
        "model": found.model,
        "cut": found.cut,
    }


def sentence(one: Sentence) -> dict[str, Any]:
    """Return a sentence as JSON can hold it."""
    return {
        "text": one.text,
        "citations": list(one.citations),
        "supported": one.supported,
        "section": one.section,
    }


def citation(one: Citation) -> dict[str, Any]:
    """Return a citation as JSON can hold it."""
    return {
        "number": one.number,
        "chunk_id": str(one.chunk_id),
        "file_id": str(one.file_id),
        "file_name": one.file_name,
        "place": one.place,
        "address": passage_address(one.file_id, one.place),
    }


def step(one: Step) -> dict[str, Any]:
    """Return a step as JSON can hold it."""
    return {"number": one.number, "asked": one.asked, "found": one.found}


def _link(one: Link) -> dict[str, Any]:
    return {
        "files": [str(file_id) for file_id in one.files],
        "file_names": list(one.file_names),
        "terms": list(one.terms),
        "passages": [str(chunk_id) for chunk_id in one.passages],
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
