from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write

CSV = "text/csv"
ROWS = "Ship,Port,Tons\n" + "".join(f"Aurora {at},Hull,{1000 + at}\n" for at in range(120))


class TestCsvExtractor(ExtractorContract):
    media_type = CSV
    ending = "csv"
    sample = ROWS.encode()
    says = "| Aurora 77 | Hull | 1077 |"

    def test_every_chunk_repeats_the_header_and_tells_its_lines(self, path: Path) -> None:
        found = segments(read(path, CSV))
        assert len(found) > 2
        assert all(s.text.startswith("| Ship | Port | Tons |") for s in found)
        second = found[1]
        assert second.place.line is not None
        assert second.text.splitlines()[2] == f"| Aurora {second.place.line - 2} | Hull | {998 + second.place.line} |"

    def test_tells_the_table_facts(self, path: Path) -> None:
        found = facts(read(path, CSV))
        assert found["column_names"] == ["Ship", "Port", "Tons"]
        assert (found["delimiter"], found["row_count"], found["column_count"]) == (",", 121, 3)

    def test_too_many_cells_keep_what_was_read(self, path: Path) -> None:
        from files.extraction.limits import Limits

        pieces = read(path, CSV, Limits(cells=20))
        assert "Aurora 5" in text_of(pieces)
        assert warnings_of(pieces) == ["too_many_cells"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "\x1f"])
def test_the_delimiter_is_voted_on(tmp_path: Path, delimiter: str) -> None:
    rows = [["name", "note"], ["Widget, large", "a; b"], ["Gadget", "10:30, or so"], ["Third", "none"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    pieces = read(write(tmp_path / "d.csv", out.getvalue()), CSV)
    assert facts(pieces)["delimiter"] == delimiter
    assert "| Widget, large | a; b |" in text_of(pieces)


def test_a_declared_delimiter_is_believed_and_not_read_as_a_row(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "s.csv", "sep=;\na;b\n1;2\n"), CSV)
    assert text_of(pieces) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_columns_without_a_header_are_numbered(tmp_path: Path) -> None:
    assert text_of(read(write(tmp_path / "n.csv", "1,2\n3,4\n"), CSV)).startswith("| column 1 | column 2 |")


def test_cells_of_several_lines_stay_one_row(tmp_path: Path) -> None:
    assert "| x | one two |" in text_of(read(write(tmp_path / "m.csv", 'a,b\nx,"one\ntwo"\ny,z\n'), CSV))


def test_a_quote_that_never_closes_loses_nothing(tmp_path: Path) -> None:
    text = text_of(read(write(tmp_path / "q.csv", 'a,b\n1,"' + "x,\n" * 3000 + "last words"), CSV))
    assert "last words" in text


def test_a_field_beyond_reason_leaves_the_rest_as_text(tmp_path: Path) -> None:
    content = 'a,b\n1,2\n3,"' + "x,\n" * 500_000 + "last words"
    text = text_of(read(write(tmp_path / "q.csv", content), CSV))
    assert "| 1 | 2 |" in text
    assert "last words" in text
    assert len(text) < len(content) * 1.1


def test_rows_of_a_thousand_columns_get_no_numbered_names(tmp_path: Path) -> None:
    text = text_of(read(write(tmp_path / "w.csv", ",".join(["cell"] * 1000)), CSV))
    assert "column" not in text
    assert text.count("cell") == 1000


CELL = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Z"], exclude_characters="\ufeff\\|"), min_size=1, max_size=12
)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.lists(CELL, min_size=2, max_size=5), min_size=1, max_size=40))
def test_no_cell_is_ever_lost(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    with TemporaryDirectory() as folder:
        pieces = read(write(Path(folder) / "t.csv", "\ufeff" + out.getvalue()), CSV)
    text = text_of(pieces)
    assert all(cell in text for row in rows for cell in row)


def test_types_of_columns_and_a_sample_are_told(tmp_path: Path) -> None:
    rows = "id,price,when,seen,ok,note\n1,2.50,2024-01-02,10:30,true,a\n"
    rows += '2,"1,250.00",03.02.2024,11:45,no,7\n-3,4e5,,9:00,yes,\n'
    found = facts(read(write(tmp_path / "t.csv", rows), CSV))
    assert found["column_types"] == ["integer", "number", "date", "time", "boolean", "text"]
    assert found["sample"] == [
        ["1", "2.50", "2024-01-02", "10:30", "true", "a"],
        ["2", "1,250.00", "03.02.2024", "11:45", "no", "7"],
        ["-3", "4e5", "", "9:00", "yes", ""],
    ]
