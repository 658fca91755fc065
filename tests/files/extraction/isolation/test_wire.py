from __future__ import annotations

import json

import pytest

from files.extraction.document import Coverage, Metadata, Place, Segment, SegmentKind
from files.extraction.document import Warning as PieceWarning
from files.extraction.errors import EncryptedFile
from files.extraction.isolation.wire import (
    HEADER,
    EndOfPieces,
    InvalidFrameError,
    decode_piece,
    encode_end,
    encode_error,
    encode_piece,
)

PIECES = [
    Segment("text", SegmentKind.TABLE, Place(page=3, cells="A1:B2", sheet="S", headings=("a", "b"))),
    Segment("text", place=Place(line=1, line_end=2, second=1.5)),
    Metadata({"title": "Ü", "pages": 3, "names": ["a", None], "nested": {"x": True}}),
    PieceWarning("needs_ocr", "No text.", Place(page=1)),
    Coverage("pages", 1, 2),
]


@pytest.mark.parametrize("piece", PIECES)
def test_decoding_is_the_inverse_of_encoding(piece: Segment) -> None:
    frame = encode_piece(piece)
    assert HEADER.unpack_from(frame)[0] == len(frame) - HEADER.size
    assert decode_piece(frame[HEADER.size :]) == piece


def test_errors_and_the_end_cross_too() -> None:
    error = decode_piece(encode_error(EncryptedFile())[HEADER.size :])
    assert isinstance(error, EncryptedFile)
    assert error.message == EncryptedFile.default_message
    assert isinstance(decode_piece(encode_end()[HEADER.size :]), EndOfPieces)


@pytest.mark.parametrize(
    "values",
    [
        {},
        [],
        "segment",
        {"k": "segment", "kind": "paragraph", "text": "", "at": {}},
        {"k": "segment", "kind": "unknown", "text": "x", "at": {}},
        {"k": "segment", "kind": "paragraph", "text": "a\x00", "at": {}},
        {"k": "segment", "kind": "paragraph", "text": "\ud800", "at": {}},
        {"k": "segment", "kind": "paragraph", "text": 5, "at": {}},
        {"k": "segment", "kind": "paragraph", "text": "x", "at": {"page": "1"}},
        {"k": "segment", "kind": "paragraph", "text": "x", "at": {"__class__": 1}},
        {"k": "metadata", "values": {"a": ["\x00"]}},
        {"k": "coverage", "unit": "pages", "done": float("inf"), "total": 1},
        {"k": "call", "what": "os.system"},
    ],
)
def test_what_no_honest_reader_sends_is_refused(values: object) -> None:
    with pytest.raises(InvalidFrameError):
        decode_piece(json.dumps(values).encode())


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_cannot_be_stored_are_refused(constant: bytes) -> None:
    with pytest.raises(InvalidFrameError):
        decode_piece(b'{"k": "metadata", "values": {"duration": ' + constant + b"}}")


def test_bytes_that_are_no_json_are_refused() -> None:
    with pytest.raises(InvalidFrameError):
        decode_piece(b"\xff" * 10)
