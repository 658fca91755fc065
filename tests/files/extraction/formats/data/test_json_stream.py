from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.extraction.errors import MalformedFile
from files.extraction.formats.data.json_stream import Found, JsonStream


def found(text: str, limit: int = 64) -> list[Found]:
    return list(JsonStream(io.StringIO(text), limit).values())


def rebuilt(pieces: list[Found]) -> Any:
    """Put the value together again from its parts."""
    root: Any = None
    for piece in pieces:
        if not piece.path:
            return piece.value
        root = ([] if isinstance(piece.path[0], int) else {}) if root is None else root
        at = root
        for step, following in zip(piece.path, [*piece.path[1:], None], strict=True):
            empty: Any = piece.value if following is None else [] if isinstance(following, int) else {}
            if isinstance(at, list) and step == len(at):
                at.append(empty)
            elif isinstance(at, dict):
                at.setdefault(step, empty)
            at = at[step]
    return root


def test_a_long_list_comes_record_by_record_with_its_lines() -> None:
    records = [{"id": str(at), "text": "words " * 5} for at in range(50)]
    pieces = found("[\n" + ",\n".join(map(json.dumps, records)) + "\n]")
    assert [piece.value for piece in pieces] == records
    assert pieces[7].path == (7,)
    assert (pieces[7].line, pieces[7].line_end) == (9, 9)


def test_a_long_container_inside_is_entered_too() -> None:
    value = {"type": "Collection", "features": [{"at": str(at)} for at in range(40)], "end": {"a": "b"}}
    pieces = found(json.dumps(value))
    assert pieces[1].path == ("features", 0)
    assert pieces[-1].path == ("end",)
    assert rebuilt(pieces) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=8),
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(st.text(max_size=6), inner, min_size=1),
    max_leaves=25,
)


@settings(deadline=None)  # the machine may be busy
@given(JSON, st.sampled_from([None, 1]))
def test_no_value_is_ever_lost(value: Any, indent: int | None) -> None:
    assert rebuilt(found(json.dumps(value, indent=indent, ensure_ascii=False))) == value


@pytest.mark.parametrize("text", ["[1, 2", '{"a": tru', "[" * 5000, '{"a" 1}', "", '["unclosed'])
def test_what_is_broken_is_told(text: str) -> None:
    with pytest.raises(MalformedFile):
        found(text)


def test_the_rest_of_a_broken_document_can_be_had() -> None:
    stream = JsonStream(io.StringIO('["' + "x" * 80 + '", "fine", broken here, "last"]'), 64)
    values = []
    with pytest.raises(MalformedFile):
        values += [piece.value for piece in stream.values()]
    assert "broken here" in "".join(stream.rest())
