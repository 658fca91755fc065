"""Examples of every call in the OpenAPI document, made from the shapes that the serializers have.

What a field is called says what stands in it. This module knows the words of all applications, as `orchestra.urls`
does; nothing imports it: drf-spectacular is told of it by settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_ID = "01a203c3-31fe-74e0-8144-c9a3da285748"
_TIME = "2026-11-27T09:30:00Z"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_BY_NAME: dict[str, Any] = {
    "access": "eyJhbGciOiJIUzI1NiJ9.…",
    "address": f"/files/{_ID}?at=p3#found",
    "answer": {"text": "The pump was replaced in 2021."},
    "asked": "Which pump is the oldest?",
    "attempt": 1,
    "blocked_terms": ["Project Heron"],
    "brings": "documents",
    "changeable": True,
    "character_count": 48210,
    "checks": {"database": True, "migrations": True, "redis": True, "storage": True},
    "chunk_count": 12,
    "chunk_size": 8388608,
    "citations": [1],
    "code": "ready",
    "config": {"model": "gpt-5-mini"},
    "conversation": _ID,
    "counts": {"ready": 41, "processing": 1},
    "cursor": "WyIyMDI2LTExLTI3VDA5OjMwOjAwWiJd",
    "description": "Answers questions about our machines.",
    "details": {},
    "disabled_reason": "",
    "email": "alice@example.org",
    "enabled": True,
    "error": None,
    "error_code": "",
    "estimate": None,
    "events": ["ready", "failed"],
    "expires_in": 30,
    "explanation": None,
    "failing_since": None,
    "file_name": "pumps.pdf",
    "file_names": ["pumps.pdf", "valves.pdf"],
    "first_name": "Alice",
    "group_by": "file",
    "groups": ["Maintenance"],
    "highlights": [[4, 8]],
    "hint": "",
    "host": "api.example.org",
    "key": "orc_3q2-7wQ0…",
    "kind": "document",
    "kinds": ["document"],
    "language": "en",
    "last_name": "Miller",
    "limit": 10,
    "looked_for": "",
    "media_type": "application/pdf",
    "message": "",
    "metadata": {"title": "Pumps", "pages": 12},
    "milliseconds": 12.5,
    "mode": "basic",
    "model": "",
    "models": ["gpt-5-mini"],
    "modes": ["basic", "deep"],
    "name": "pumps.pdf",
    "next": None,
    "next_offset": None,
    "notes": [],
    "number": 1,
    "offset": 0,
    "ok": True,
    "ordinal": 0,
    "origin": "",
    "outbound": [],
    "owner": "alice",
    "page": 1,
    "page_size": 50,
    "password": "a long sentence that only I know",
    "place": {"page": 3, "headings": ["Maintenance"]},
    "preferences": {},
    "prefix": "orc_3q2-7w",
    "previous": None,
    "progress": None,
    "prompt": "You answer for the maintenance team, in short sentences.",
    "provider": "openai",
    "purpose": "answer",
    "query": "When was the pump replaced?",
    "question": "When was the pump replaced?",
    "quota": 10737418240,
    "reader": "pdf",
    "received": [[0, 8388608]],
    "received_bytes": 8388608,
    "refresh": "eyJhbGciOiJIUzI1NiJ9.…",
    "remedy": "",
    "response_status": 200,
    "retry_at": None,
    "revoked_at": None,
    "score": 0.81,
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "section": "",
    "segment_count": 40,
    "sha256": _SHA256,
    "size": 26933335,
    "status": "ready",
    "tag": "maintenance",
    "tags": ["maintenance"],
    "temperature": 0.2,
    "terms": {"pump": 2.31},
    "text": "The pump was replaced in 2021.",
    "thumbnail": None,
    "ticket": "Zm9vYmFy…",
    "timings": {"extract": 1.84, "total": 2.5},
    "title": "When was the pump replaced?",
    "tone": "neutral",
    "total_chunks": 4,
    "type_label": "PDF document",
    "unit": "pages",
    "url": "https://example.org/orchestra",
    "username": "alice",
    "values": {"key": "sk-…", "model": "gpt-5-mini"},
    "version": 7,
    "waiting_behind": None,
    "warnings": [],
    "works": True,
}
_BY_FORMAT: dict[str, Any] = {
    "uuid": _ID,
    "date-time": _TIME,
    "uri": f"https://example.org/api/files/{_ID}",
    "email": "alice@example.org",
}
_BY_TYPE: dict[str, Any] = {"string": "text", "integer": 1, "number": 0.5, "boolean": False, "null": None}

# Where a field's name says too little; a shape's own fields, the others as above.
_BY_SHAPE: dict[str, dict[str, Any]] = {
    "AbsenceQuestionRequest": {"filters": {"kinds": ["document"]}},
    "ApiKey": {"name": "Nightly import"},
    "ApiKeyRequest": {"name": "Nightly import", "expires_at": None},
    "Connection": {"name": "Our models", "state": "works", "has_credentials": True},
    "ConnectionChangeRequest": {"name": "Our models"},
    "Connections": {"providers": [{"name": "openai", "label": "OpenAI", "kind": "model", "brings": "", "fields": []}]},
    "CreatedApiKey": {"name": "Nightly import"},
    "NewConnectionRequest": {"name": "Our models", "installation": False},
    "Persona": {"name": "Maintenance", "mode": "deep", "model": "gpt-5-mini"},
    "PersonaContent": {"name": "Maintenance", "mode": "deep", "model": "gpt-5-mini"},
    "PersonaContentRequest": {"name": "Maintenance", "mode": "deep", "model": "gpt-5-mini"},
    "PersonaDocument": {"version": 1},
    "PersonaDocumentRequest": {"version": 1},
    "PersonaFieldsRequest": {"name": "Maintenance", "mode": "deep", "model": "gpt-5-mini", "groups": []},
    "PersonaPreviewRequest": {"name": "Maintenance", "mode": "deep", "model": "gpt-5-mini"},
    "Preview": {"prompt": "You answer for the maintenance team, in short sentences."},
    "SearchRequest": {"filters": {"kinds": ["document"]}, "conversation": "new", "persona": None},
    "Link": {"terms": ["pump"]},
    "Progress": {"stage": "files.pipeline.ExtractStage", "done": 3, "total": 12, "percent": 25},
    "Ready": {"status": "ok"},
    "Sentence": {"supported": True},
    "TokenObtainPairRequest": {"username": "alice", "password": "a long sentence that only I know"},
    "Upload": {"complete": False, "duplicate": False, "restored": False, "status": "uploading"},
    "VectorSearchRequest": {"filters": {"kinds": ["document"]}},
}
_SHAPE = "#/components/schemas/"
_BODIES = ("application/json", "multipart/form-data")


def add_examples(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Give each body in the document that has no example one. A hook of drf-spectacular."""
    example = _Examples(result.get("components", {}).get("schemas", {}))
    for content in _contents(result):
        for media_type, described in content.items():
            if "example" in described or "examples" in described:
                continue
            made = example.of(described["schema"]) if media_type in _BODIES else _plain(media_type)
            described["examples"] = {"example": {"value": made}}
    return result


def _contents(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        for operation in item.values():
            yield operation.get("requestBody", {}).get("content", {})
            for answer in operation["responses"].values():
                yield answer.get("content", {})


def _plain(media_type: str) -> Any:
    if media_type == "text/event-stream":
        return {"event": "step", "data": '{"number": 1, "asked": "Which pump is the oldest?", "found": 4}'}
    return "# Pumps\n\nThe pump was replaced in 2021." if media_type.startswith("text/") else "(bytes)"


class _Examples:
    """Makes a value of a shape. `shapes` are the document's components."""

    def __init__(self, shapes: dict[str, Any]) -> None:
        self._shapes = shapes
        self._by_type: dict[str, Callable[[dict[str, Any], str], Any]] = {"object": self._object, "array": self._array}

    def of(self, schema: dict[str, Any], name: str = "") -> Any:
        """Return a value that the schema allows, for a field of this name."""
        if _BY_NAME.get(name, _MISSING) is None and _may_be_null(schema):
            return None
        if "$ref" in schema:
            return self._named(schema["$ref"].removeprefix(_SHAPE), name)
        if choices := schema.get("allOf") or schema.get("oneOf") or schema.get("anyOf"):
            return self.of(choices[0], name)
        if "enum" in schema:
            known = _BY_NAME.get(name)
            return known if known in schema["enum"] else schema["enum"][0]
        kinds = schema.get("type", "object")
        kind = kinds if isinstance(kinds, str) else kinds[0]
        is_made = "properties" in schema or "$ref" in schema.get("items", {}) or name not in _BY_NAME
        if kind in self._by_type and is_made:
            return self._by_type[kind](schema, name)
        return self._value(schema, kind, name)

    def _named(self, shape: str, name: str) -> Any:
        made = self.of(self._shapes[shape], name)
        own = _BY_SHAPE.get(shape, {})
        return made | own if isinstance(made, dict) else made

    def _value(self, schema: dict[str, Any], kind: str, name: str) -> Any:
        if "format" in schema and schema["format"] in _BY_FORMAT and name not in ("url", "next", "previous"):
            return _BY_FORMAT[schema["format"]]
        known = _BY_NAME.get(name, _MISSING)
        return known if _fits(known, schema) else _BY_TYPE.get(kind, {})

    def _object(self, schema: dict[str, Any], name: str) -> dict[str, Any]:
        if "properties" in schema:
            fields = schema["properties"].items()
            return {field: self.of(described, field) for field, described in fields}
        return {}

    def _array(self, schema: dict[str, Any], name: str) -> list[Any]:
        items = schema.get("items", {})
        made = self.of(items, name.removesuffix("s")) if items else {}
        return [made] * schema.get("minItems", 1)


_MISSING = object()
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def _may_be_null(schema: dict[str, Any]) -> bool:
    choices = schema.get("oneOf") or schema.get("anyOf") or ()
    return "null" in schema.get("type", ()) or any(one.get("type") == "null" for one in choices)


def _fits(value: object, schema: dict[str, Any]) -> bool:
    kinds = schema.get("type", "object")
    return any(isinstance(value, _TYPES[kind]) for kind in ([kinds] if isinstance(kinds, str) else kinds))
