from __future__ import annotations

import json
from pathlib import Path

import pytest

from files.extraction.document import Segment
from files.extraction.limits import Limits
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write

JSON = "application/json"
LINES = "application/x-ndjson"
VALUE = {
    "title": "Fleet",
    "ships": [{"name": "Aurora", "tons": 1200.50, "ports": ["Hull", "Dover"], "old": True}],
    "next": None,
}


class TestJsonExtractor(ExtractorContract):
    media_type = JSON
    ending = "json"
    sample = json.dumps(VALUE, indent=1).encode()
    says = "ships[0].name: Aurora"

    def test_values_stand_behind_their_path(self, path: Path) -> None:
        text = text_of(read(path, JSON))
        assert "ships[0].ports: Hull, Dover" in text
        assert "ships[0].old: true" in text
        assert "next: null" in text

    def test_keys_and_title_are_metadata(self, path: Path) -> None:
        assert facts(read(path, JSON))["keys"] == ["title", "ships", "next"]
        assert facts(read(path, JSON))["title"] == "Fleet"


class TestJsonLines(ExtractorContract):
    media_type = LINES
    ending = "jsonl"
    sample = "".join(json.dumps({"id": at, "city": "Reykjavík"}) + "\n" for at in range(100)).encode()
    says = "id: 99\ncity: Reykjavík"

    def test_records_keep_their_lines(self, path: Path) -> None:
        found = [piece for piece in read(path, LINES) if isinstance(piece, Segment)]
        assert found[0].place.line == 1
        assert found[-1].place.line_end == 100
        assert facts(read(path, LINES))["record_count"] == 100


def test_numbers_stay_as_written(tmp_path: Path) -> None:
    text = text_of(read(write(tmp_path / "n.json", '{"a": 1.10, "b": ' + "9" * 5000 + ', "c": NaN}'), JSON))
    assert "a: 1.10" in text
    assert "9" * 5000 in text


@pytest.mark.parametrize("content", ["[" * 200_000 + "]" * 200_000, '{"a":' * 100_000 + "1" + "}" * 100_000])
def test_deep_nesting_is_read_as_text(tmp_path: Path, content: str) -> None:
    assert "malformed" in warnings_of(read(write(tmp_path / "d.json", content), JSON))


def test_broken_json_is_read_as_text_with_a_warning(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "b.json", '{"name": "John",\n "hobbies": ["reading"'), JSON)
    assert "reading" in text_of(pieces)
    assert warnings_of(pieces) == ["malformed"]


def test_a_lone_surrogate_and_a_nul_do_not_get_out(tmp_path: Path) -> None:
    text = text_of(read(write(tmp_path / "s.json", '{"lone": "\\ud800", "nul": "a\\u0000b", "ok": "fine"}'), JSON))
    assert "nul: ab" in text
    text.encode("utf-8")


def test_a_document_above_the_limit_is_read_as_text(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "l.json", json.dumps([{"name": "Aurora"}] * 50)), JSON, Limits(json_bytes=100))
    assert text_of(pieces).count("Aurora") == 50


def test_json_lines_under_a_json_name_are_read_line_by_line(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "x.json", '{"a": 1}\n{"a": 2}\n'), JSON)
    assert "a: 2" in text_of(pieces)
    assert not warnings_of(pieces)
    assert len(segments(pieces)) == 1


def test_a_large_document_is_read_as_values_with_their_lines(tmp_path: Path) -> None:
    records = ",\n".join(json.dumps({"name": f"Aurora {at}", "ports": ["Hull"]}) for at in range(500))
    content = f'{{"title": "Fleet", "ships": [\n{records}\n]}}'
    pieces = read(write(tmp_path / "l.json", content), JSON, Limits(json_bytes=1000))
    assert "ships[499].name: Aurora 499" in text_of(pieces)
    assert facts(pieces)["keys"] == ["title", "ships"]
    assert facts(pieces)["title"] == "Fleet"
    assert segments(pieces)[-1].place.line_end == 501
    assert not warnings_of(pieces)


def test_a_large_document_that_breaks_off_is_read_to_its_end(tmp_path: Path) -> None:
    content = json.dumps([{"name": f"Aurora {at}"} for at in range(500)])[:-1] + ", oops last words"
    pieces = read(write(tmp_path / "b.json", content), JSON, Limits(json_bytes=1000))
    assert "name: Aurora 499" in text_of(pieces)
    assert "oops last words" in text_of(pieces)
    assert warnings_of(pieces) == ["malformed"]


def test_a_line_of_json_lines_may_be_long(tmp_path: Path) -> None:
    content = json.dumps({"id": 1, "body": "long words " * 20_000}) + "\n" + json.dumps({"id": 2}) + "\n"
    pieces = read(write(tmp_path / "l.jsonl", content), LINES)
    assert "body: long words" in text_of(pieces)
    assert facts(pieces)["record_count"] == 2
    assert not warnings_of(pieces)
