from __future__ import annotations

from pathlib import Path

from files.extraction.document import SegmentKind
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.samples import write

MD = "text/markdown"
TEXT = """---
title: "Harbour rules"
tags:
  - boats
  - ropes
---
# Rules

Boats moor
at the quay.

Fees
----

| Length | Fee |
|---|--:|
| 5 m | 10 |

```python
# not a heading

print("tide")
```
## Berths ##
Last words."""


class TestMarkdownExtractor(ExtractorContract):
    media_type = MD
    ending = "md"
    sample = TEXT.encode()
    says = "Boats moor\nat the quay."

    def test_headings_give_path_and_lines(self, path: Path) -> None:
        found = segments(read(path, MD))
        assert [s.text for s in found if s.kind is SegmentKind.HEADING] == ["# Rules", "## Fees", "## Berths"]
        boats = next(s for s in found if "Boats" in s.text)
        assert (boats.place.line, boats.place.line_end, boats.place.headings) == (9, 10, ("Rules",))
        assert found[-1].place.headings == ("Rules", "Berths")

    def test_code_and_tables_are_blocks_of_their_own(self, path: Path) -> None:
        found = {s.kind: s for s in segments(read(path, MD))}
        assert found[SegmentKind.CODE].text.startswith("```python\n# not a heading\n\nprint")
        assert found[SegmentKind.TABLE].text.endswith("| 5 m | 10 |")

    def test_front_matter_is_metadata_and_not_text(self, path: Path) -> None:
        pieces = read(path, MD)
        assert facts(pieces)["title"] == "Harbour rules"
        assert facts(pieces)["keywords"] == "boats, ropes"
        assert "tags" not in text_of(pieces)


def test_a_rule_on_the_first_line_is_no_front_matter(tmp_path: Path) -> None:
    assert "All of this is text." in text_of(read(write(tmp_path / "r.md", "---\n\nAll of this is text.\n"), MD))


def test_a_fence_that_never_closes_ends_with_the_file(tmp_path: Path) -> None:
    assert "x = 1" in text_of(read(write(tmp_path / "f.md", "```\nx = 1\n" * 3), MD))


def test_a_file_of_one_endless_line_is_read(tmp_path: Path) -> None:
    assert text_of(read(write(tmp_path / "l.md", "word " * 100_000), MD)).split() == ["word"] * 100_000
