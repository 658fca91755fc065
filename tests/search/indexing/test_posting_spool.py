from __future__ import annotations

import pytest

from search.indexing.keyword_rows import BLOCK, KeywordRows
from search.indexing.posting_spool import PostingSpool
from search.stemming import stems

pytestmark = pytest.mark.django_db

PASSAGES = [(n, f"The harbours of town {n % 7}\tand \\pilot{n % 5} \u00e9t\u00e9 {n}") for n in range(BLOCK + 40)]


def lines(spool: PostingSpool, start: str = "") -> list[str]:
    return "".join(spool.parts(start)).splitlines(keepends=True)


def spooled(*batches: list[tuple[int, str]]) -> tuple[list[str], int]:
    with PostingSpool("english") as spool:
        for batch in batches:
            spool.add(batch)
        spool.finish()
        return lines(spool), spool.length


def test_it_holds_the_rows_of_the_passages_in_the_order_of_the_index() -> None:
    rows = KeywordRows("english", stems)
    expected = sorted((row.block, row.lexeme, tuple(row.postings)) for row in rows.rows(PASSAGES))

    written, length = spooled(PASSAGES)

    found = []
    for line in written:
        block, lexeme, postings = line.rstrip("\n").split("\t")
        found.append((int(block), lexeme.replace("\\\\", "\\"), tuple(map(int, postings.strip("{}").split(",")))))
    assert found == expected
    assert length == rows.length


def test_batches_do_not_change_the_rows() -> None:
    pieces = [PASSAGES[start : start + 32] for start in range(0, len(PASSAGES), 32)]
    assert spooled(*pieces) == spooled(PASSAGES)


def test_the_rows_of_a_block_are_made_when_the_next_one_begins() -> None:
    with PostingSpool("english") as spool:
        spool.add(PASSAGES[:BLOCK])
        assert spool.length == 0
        spool.add(PASSAGES[BLOCK : BLOCK + 1])
        assert spool.length > BLOCK


def test_each_row_begins_as_it_is_told() -> None:
    with PostingSpool("english") as spool:
        spool.add(PASSAGES[:3])
        spool.finish()
        assert all(line.startswith("7\t8\t0\t") for line in lines(spool, "7\t8\t"))
        assert lines(spool), "it can be read again"


def test_no_passages_are_no_rows() -> None:
    assert spooled([]) == ([], 0)
