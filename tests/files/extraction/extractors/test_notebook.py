from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from files.extraction.detection import detect
from files.extraction.document import SegmentKind
from files.extraction.errors import MalformedFile
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write

IPYNB = "application/x-ipynb+json"
PNG = "iVBORw0KGgo" * 40


def notebook(*cells: dict[str, Any], **metadata: Any) -> str:
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": outputs, "execution_count": 1}


def markdown(source: str) -> dict[str, Any]:
    attached = {"tide.png": {"image/png": PNG}}
    return {"cell_type": "markdown", "source": source, "metadata": {}, "attachments": attached}


SAMPLE = notebook(
    markdown("# Tides\n\nHow high\nthe water is.\n\n## Data"),
    code(
        "import numpy as np\nfrom os import path\nprint(1)",
        {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
        {"output_type": "display_data", "data": {"image/png": PNG, "text/plain": ["<Figure size 1x1>"]}},
    ),
    code(
        "frame",
        {
            "output_type": "execute_result",
            "data": {"text/html": "<style>p{}</style><table><tr><td>a &amp; b</td><td>2</td></tr></table>"},
        },
    ),
    code(
        "1/0", {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[0;31mZero\x1b[0m", "line 1"]}
    ),
    {"cell_type": "raw", "source": "as is"},
    kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
    authors=[{"name": "A. Writer"}],
)


class TestNotebook(ExtractorContract):
    media_type = IPYNB
    ending = "ipynb"
    sample = SAMPLE.encode()
    says = "How high\nthe water is."

    def test_each_cell_is_placed_under_its_headings(self, path: Path) -> None:
        found = [(s.place.cell, s.place.headings, s.kind, s.text) for s in segments(read(path, IPYNB))]
        data = ("Tides", "Data")
        assert found == [
            (1, (), SegmentKind.HEADING, "# Tides"),
            (1, ("Tides",), SegmentKind.PARAGRAPH, "How high\nthe water is."),
            (1, ("Tides",), SegmentKind.HEADING, "## Data"),
            (2, data, SegmentKind.CODE, "import numpy as np\nfrom os import path\nprint(1)"),
            (2, data, SegmentKind.CODE, "one\ntwo"),
            (2, data, SegmentKind.CODE, "<Figure size 1x1>"),
            (3, data, SegmentKind.CODE, "frame"),
            (3, data, SegmentKind.CODE, "a & b | 2"),
            (4, data, SegmentKind.CODE, "1/0"),
            (4, data, SegmentKind.CODE, "Zero\nline 1"),
            (5, data, SegmentKind.PARAGRAPH, "as is"),
        ]

    def test_says_what_runs_it(self, path: Path) -> None:
        assert facts(read(path, IPYNB)) == {
            "title": "Tides",
            "author": "A. Writer",
            "language": "python",
            "kernel": "Python 3",
            "cell_count": 5,
            "code_cell_count": 3,
            "imports": ["numpy", "os"],
            "format_version": "4",
        }

    def test_is_known_without_its_name(self, path: Path) -> None:
        assert detect(path, "upload").media_type == IPYNB
        assert detect(path, "upload.json").media_type == IPYNB


def test_format_3_is_read(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Old"]},
        {
            "cell_type": "code",
            "language": "python",
            "input": ["x = 1"],
            "outputs": [
                {"output_type": "pyout", "text": ["1"]},
                {"output_type": "pyerr", "ename": "E", "evalue": "bad", "traceback": []},
                {"output_type": "display_data", "png": PNG},
            ],
        },
    ]
    path = write(
        tmp_path / "a.ipynb", json.dumps({"nbformat": 3, "metadata": {"name": "N"}, "worksheets": [{"cells": cells}]})
    )
    pieces = read(path, IPYNB)
    assert [segment.text for segment in segments(pieces)] == ["## Old", "x = 1", "1", "E: bad"]
    assert facts(pieces)["language"] == "python"


def test_a_long_output_is_shortened_and_says_so(tmp_path: Path) -> None:
    long = code("go()", {"output_type": "stream", "text": "word " * 100_000})
    pieces = read(write(tmp_path / "a.ipynb", notebook(long)), IPYNB)
    assert warnings_of(pieces) == ["output_shortened"]
    assert 90_000 < len(text_of(pieces)) < 110_000


@pytest.mark.parametrize("content", ["{}", "[]", '{"cells": 3}', '{"cells": [', "[" * 100_000, "words"])
def test_what_is_no_notebook_is_malformed(tmp_path: Path, content: str) -> None:
    with pytest.raises(MalformedFile):
        read(write(tmp_path / "a.ipynb", content), IPYNB)


def test_odd_cells_are_passed_over(tmp_path: Path) -> None:
    odd: list[Any] = [
        3,
        None,
        {"cell_type": 1, "source": {"a": 1}},
        {"cell_type": "code", "source": [None, "ok"], "outputs": "x"},
    ]
    odd.append({"cell_type": "code", "source": "", "outputs": [1, {"data": 3, "metadata": {"a": {"alt": "A tide"}}}]})
    pieces = read(write(tmp_path / "a.ipynb", json.dumps({"cells": odd, "metadata": 3})), IPYNB)
    assert text_of(pieces) == "ok\nA tide"
