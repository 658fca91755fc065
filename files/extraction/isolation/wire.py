"""Pieces as bytes: what crosses from the reading process to the worker, one length-prefixed JSON frame per piece.

The worker does not trust what it reads here: the process that wrote it may have been taken over by the file.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from files.extraction.base import ExtractionError
from files.extraction.document import (
    THUMBNAIL_BYTES,
    THUMBNAIL_TYPES,
    Coverage,
    Metadata,
    Piece,
    Place,
    Segment,
    SegmentKind,
    Thumbnail,
)
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import error_from_code

HEADER = struct.Struct("!I")
MAX_FRAME = 16 << 20

_PLACE_TYPES: dict[str, type | tuple[type, ...]] = {
    "page": int,
    "slide": int,
    "sheet": str,
    "cells": str,
    "cell": int,
    "row": int,
    "row_end": int,
    "line": int,
    "line_end": int,
    "second": (int, float),
}


class InvalidFrameError(ValueError):
    """Bytes that no honest reader sends."""


class EndOfPieces:
    """The last frame of a reading that came to its end."""


def encode_piece(piece: Piece) -> bytes:
    """Return the frame of `piece`, length included."""
    if isinstance(piece, Segment):
        return _frame({"k": "segment", "kind": piece.kind, "text": piece.text, "at": _place_values(piece.place)})
    if isinstance(piece, Metadata):
        return _frame({"k": "metadata", "values": piece.values})
    if isinstance(piece, PieceWarning):
        return _frame({"k": "warning", "code": piece.code, "text": piece.message, "at": _place_values(piece.place)})
    if isinstance(piece, Thumbnail):
        picture = base64.b64encode(piece.data).decode()
        size = {"width": piece.width, "height": piece.height}
        return _frame({"k": "thumbnail", "data": picture, "type": piece.media_type, **size})
    if not isinstance(piece, Coverage):
        raise TypeError(f"a {type(piece).__name__} does not leave the reading process")
    return _frame({"k": "coverage", "unit": piece.unit, "done": piece.done, "total": piece.total})


def encode_error(error: ExtractionError) -> bytes:
    """Return the frame that ends a failed reading."""
    return _frame({"k": "error", "code": error.code, "text": error.message, "hint": error.hint})


def encode_end() -> bytes:
    """Return the frame that ends a complete reading."""
    return _frame({"k": "end"})


def decode_piece(payload: bytes) -> Piece | ExtractionError | EndOfPieces:
    """Return what one frame's payload (without its length) says. Raises InvalidFrameError."""
    try:
        return _decode(_from_json(payload.decode()))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
        raise InvalidFrameError(f"not a piece: {payload[:80]!r}") from exc


def _decode(values: dict[str, Any]) -> Piece | ExtractionError | EndOfPieces:
    if decoder := _DECODERS.get(values["k"]):
        return decoder(values)
    raise InvalidFrameError("an unknown kind")


def _segment(values: dict[str, Any]) -> Segment:
    text = _text(values["text"])
    if not text.strip():
        raise InvalidFrameError("an empty segment")
    return Segment(text, SegmentKind(values["kind"]), _place(values["at"]))


def _thumbnail(values: dict[str, Any]) -> Thumbnail:
    data = base64.b64decode(values["data"], validate=True)
    if values["type"] not in THUMBNAIL_TYPES or not 0 < len(data) <= THUMBNAIL_BYTES:
        raise InvalidFrameError("a picture that is no thumbnail")
    return Thumbnail(data, values["type"], int(values["width"]), int(values["height"]))


def _frame(values: dict[str, object]) -> bytes:
    payload = _to_json(values).encode("utf-8", "replace")
    return HEADER.pack(len(payload)) + payload


def _place_values(place: Place) -> dict[str, object]:
    return {name: value for name in _PLACE_FIELDS if (value := getattr(place, name)) not in (None, ())}


def _place(values: dict[str, Any]) -> Place:
    if not values:
        return _NOWHERE
    headings = tuple(_text(heading) for heading in values.pop("headings", ()))
    part = tuple(_text(name) for name in values.pop("part", ()))
    for key, value in values.items():
        if not isinstance(value, _PLACE_TYPES[key]):
            raise InvalidFrameError(f"{key} of a place is a {type(value).__name__}")
    return Place(**values, headings=headings, part=part)


def _text(value: object) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise InvalidFrameError("text that is not text")
    value.encode("utf-8")  # a lone surrogate written as an escape raises here
    return value


def _fact(value: object) -> object:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_fact(item) for item in value]
    if isinstance(value, dict):
        return {_text(key): _fact(item) for key, item in value.items()}
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number that can be stored")


# Made once: there is a frame for each paragraph.
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_from_json = json.JSONDecoder(parse_constant=_refuse).decode
_PLACE_FIELDS = tuple(f.name for f in fields(Place))
_NOWHERE = Place()
_DECODERS: dict[str, Callable[[dict[str, Any]], Piece | ExtractionError | EndOfPieces]] = {
    "segment": _segment,
    "metadata": lambda values: Metadata({_text(key): _fact(value) for key, value in values["values"].items()}),
    "warning": lambda values: PieceWarning(_text(values["code"]), _text(values["text"]), _place(values["at"])),
    "coverage": lambda values: Coverage(_text(values["unit"]), int(values["done"]), int(values["total"])),
    "thumbnail": _thumbnail,
    "error": lambda values: error_from_code(_text(values["code"]), _text(values["text"]), _text(values["hint"])),
    "end": lambda _values: EndOfPieces(),
}
