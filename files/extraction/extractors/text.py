"""Plain text, logs, source code and the small text formats that have no reader of their own yet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from files.extraction.base import Extractor, Source
from files.extraction.document import Metadata, Piece, Place, Segment, SegmentKind
from files.extraction.encoding import Line, detect_encoding, read_lines
from files.extraction.formats.data.log_lines import LogFacts
from files.extraction.limits import Limits
from files.extraction.media_types import kind_of, label_of

SEGMENT_CHARS = 2_000

_ESCAPES = re.compile("\x1b(?:\\[[0-?]{0,40}[ -/]{0,10}[@-~]|\\][^\x07\x1b]{0,400}(?:\x07|\x1b\\\\)|[@-Z\\\\^_=>])")


class TextExtractor(Extractor):
    """Yields paragraphs, several to a segment, each with its lines. Memory does not grow with the file."""

    def extract(self, source: Source, _limits: Limits, /) -> Iterator[Piece]:
        """Yield the text in segments of about SEGMENT_CHARS, cut at an empty line where there is one."""
        encoding = detect_encoding(source.path)
        is_code = kind_of(source.media_type) == "code"
        facts: dict[str, object] = {"encoding": encoding}
        if is_code:
            facts["language"] = label_of(source.media_type).removesuffix(" source")
        yield Metadata(facts)
        lines = 0
        kind = SegmentKind.CODE if is_code else SegmentKind.PARAGRAPH
        log = LogFacts() if source.media_type == "text/x-log" else None
        read = read_lines(source.path, encoding)
        for block in _blocks(log.watching(read) if log else read):
            lines = block[-1].number
            text = "".join(_with_end(line) for line in block).rstrip()
            if text.strip():
                yield Segment(text, kind, Place(line=block[0].number, line_end=lines))
        yield Metadata({"line_count": lines, **(log.facts() if log else {})})


def _blocks(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Group lines into runs of about SEGMENT_CHARS that end at an empty line, or at any line when none comes."""
    block: list[Line] = []
    size = 0
    for line in lines:
        clean = Line(line.number, _ESCAPES.sub("", line.text) if "\x1b" in line.text else line.text, line.whole)
        empty = not clean.text.strip()
        if block and (size > 2 * SEGMENT_CHARS or (empty and size > SEGMENT_CHARS // 2)):
            yield block
            block, size = [], 0
        if block or not empty:
            block.append(clean)
            size += len(clean.text) + 1
    if block:
        yield block


def _with_end(line: Line) -> str:
    return line.text + "\n" if line.whole else line.text
