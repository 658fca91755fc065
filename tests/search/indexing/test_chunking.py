from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.extraction.document import Place, Segment, SegmentKind
from search.indexing.chunking import Chunk, ChunkOptions, ChunkOptionsError, chunk_segments, chunk_stream


class WordTokenizer:
    """One token per started four characters of a word or sign: additive over white space, as WordPiece is."""

    def count_tokens(self, text: str) -> int:
        return sum(-(-len(word) // 4) for word in re.findall(r"\w+|[^\w\s]", text))


class GreedyTokenizer:
    """Counts more for a text than for its words: chunking may not rely on sums."""

    def count_tokens(self, text: str) -> int:
        words = len(text.split())
        return words + max(0, words - 1) // 3


SMALL = ChunkOptions(size=120, overlap=30, max_tokens=40)


def chunks_of(*segments: Segment, options: ChunkOptions = SMALL) -> list[Chunk]:
    return list(chunk_segments(segments, options, WordTokenizer()))


def sentences(count: int, start: int = 0) -> str:
    return " ".join(f"Sentence number {n} says something." for n in range(start, start + count))


def test_a_short_text_is_one_chunk_with_its_place() -> None:
    place = Place(page=3, line=7, headings=("Intro",))
    (chunk,) = chunks_of(Segment("A short text.", place=place))
    assert chunk == Chunk(0, "A short text.", Place(page=3, line=7, line_end=7, headings=("Intro",)), 4 + 1)


def test_no_segments_give_no_chunks() -> None:
    assert chunks_of() == []


def test_a_cut_falls_between_paragraphs_where_one_ends_in_the_second_half() -> None:
    first, second = sentences(2), sentences(3, start=5)
    chunks = chunks_of(Segment(first), Segment(second))
    assert chunks[0].text == first
    assert chunks[1].text.endswith("says something.")


def test_a_cut_falls_between_sentences_inside_a_paragraph() -> None:
    for chunk in chunks_of(Segment(sentences(12)), options=ChunkOptions(size=120, overlap=0, max_tokens=40)):
        assert chunk.text.startswith("Sentence")
        assert chunk.text.endswith(".")


def test_an_initial_does_not_end_a_sentence() -> None:
    text = "The first long sentence about nothing ends just here. Then writes J. Smith of many other things to all us."
    chunks = chunks_of(Segment(text), options=ChunkOptions(size=72, overlap=0, max_tokens=99))
    assert [chunk.text[:4] for chunk in chunks] == ["The ", "Then"]


def test_the_overlap_starts_at_a_sentence_and_repeats_the_end_of_the_chunk_before() -> None:
    chunks = chunks_of(Segment(sentences(12)), options=ChunkOptions(size=200, overlap=50, max_tokens=99))
    for before, after in pairwise(chunks):
        opening = re.match(r"Sentence number \d+ says something\.", after.text)
        assert opening
        assert before.text.endswith(opening.group())


def test_the_overlap_starts_at_a_word_where_no_sentence_starts_within_it() -> None:
    words = " ".join(f"word{n}" for n in range(100))
    chunks = chunks_of(Segment(words), options=ChunkOptions(size=100, overlap=20, max_tokens=99))
    for before, after in pairwise(chunks):
        opening = after.text.split()[0]
        assert opening in before.text.split()
        assert len(before.text) - before.text.index(opening) <= 20


def test_a_word_longer_than_a_chunk_is_cut_inside_and_kept_whole_over_the_chunks() -> None:
    chunks = chunks_of(Segment("x" * 1000))
    assert "".join(chunk.text for chunk in chunks) == "x" * 1000
    assert all(chunk.token_count <= 40 for chunk in chunks)


def test_chinese_is_cut_by_character_and_at_its_full_stops() -> None:
    text = "搜索引擎把文件分成段落。" * 40
    chunks = chunks_of(Segment(text), options=ChunkOptions(size=100, overlap=0, max_tokens=254))
    assert "".join(chunk.text for chunk in chunks) == text
    assert all(chunk.text.endswith("。") for chunk in chunks)


@pytest.mark.parametrize("other", [Place(page=2), Place(slide=1), Place(sheet="B"), Place(page=1, headings=("Other",))])
def test_a_chunk_does_not_cross_a_page_slide_sheet_or_heading(other: Place) -> None:
    chunks = chunks_of(Segment("One.", place=Place(page=1)), Segment("Two.", place=other))
    assert [chunk.text for chunk in chunks] == ["One.", "Two."]


def test_a_heading_joins_the_text_below_it_and_takes_its_place() -> None:
    chunks = chunks_of(
        Segment("Before.", place=Place(line=1)),
        Segment("# Title", SegmentKind.HEADING, Place(line=3)),
        Segment("## Part", SegmentKind.HEADING, Place(line=5, headings=("Title",))),
        Segment("Below.", place=Place(line=7, headings=("Title", "Part"))),
    )
    assert [chunk.text for chunk in chunks] == ["Before.", "# Title\n\n## Part\n\nBelow."]
    assert chunks[1].place == Place(line=3, line_end=7, headings=("Title", "Part"))


def test_a_heading_without_text_of_its_own_stays_alone() -> None:
    chunks = chunks_of(
        Segment("One", SegmentKind.HEADING, Place(headings=("One",))),
        Segment("Two", SegmentKind.HEADING, Place(headings=("Two",))),
        Segment("Text.", place=Place(headings=("Two",))),
        Segment("Last", SegmentKind.HEADING, Place(headings=("Last",))),
    )
    assert [chunk.text for chunk in chunks] == ["One", "Two\n\nText.", "Last"]


def test_a_heading_at_the_foot_of_a_page_joins_the_text_on_the_next_one() -> None:
    heading = Segment("Title", SegmentKind.HEADING, Place(page=1, line=50))
    (chunk,) = chunks_of(heading, Segment("Text.", place=Place(page=2, line=1)))
    assert (chunk.text, chunk.place) == ("Title\n\nText.", Place(page=2, line=1, line_end=1))


def test_a_slide_title_does_not_join_the_next_slide() -> None:
    title = Segment("Agenda", SegmentKind.HEADING, Place(slide=1))
    assert len(chunks_of(title, Segment("Text.", place=Place(slide=2)))) == 2


def test_a_table_is_cut_at_rows_and_repeats_its_head() -> None:
    head, rule = "| name | value |", "|---|---|"
    rows = [f"| item {n} | {n * n} |" for n in range(30)]
    table = Segment("\n".join([head, rule, *rows]), SegmentKind.TABLE, Place(sheet="S", cells="A1:B31"))
    chunks = chunks_of(table)
    assert len(chunks) > 3
    assert all(chunk.text.startswith(head + "\n") for chunk in chunks)
    assert [line for chunk in chunks for line in chunk.text.split("\n")[1:]] == [rule, *rows]


def test_a_table_head_that_would_fill_the_chunk_is_not_repeated() -> None:
    head = "| " + " | ".join(f"column{n}" for n in range(12)) + " |"
    chunks = chunks_of(Segment(head + "\n" + "\n".join(f"| row {n} |" for n in range(40)), SegmentKind.TABLE))
    assert sum("column3" in chunk.text for chunk in chunks) == 1


def test_cells_of_a_table_in_several_segments_are_joined() -> None:
    (chunk,) = chunks_of(
        Segment("a\n1", SegmentKind.TABLE, Place(sheet="S", cells="A1:B2")),
        Segment("a\n2", SegmentKind.TABLE, Place(sheet="S", cells="A3:B9")),
    )
    assert chunk.place.cells == "A1:B9"


def test_code_keeps_its_lines_and_indentation() -> None:
    code = "def f():\n    return {\n        1:  2,\n    }"
    (chunk,) = chunks_of(Segment(code, SegmentKind.CODE))
    assert chunk.text == code


def test_each_chunk_knows_its_own_lines() -> None:
    text = "\n".join(f"Line {n} of the text." for n in range(10, 40))
    chunks = chunks_of(Segment(text, place=Place(line=10, line_end=39)))
    for chunk in chunks:
        numbers = [int(n) for n in re.findall(r"Line (\d+)", chunk.text)]
        assert chunk.place.line in (numbers[0], numbers[0] - 1)  # the overlap may start within a line
        assert chunk.place.line_end in (numbers[-1], numbers[-1] + 1)
    assert (chunks[0].place.line, chunks[-1].place.line_end) == (10, 39)


def test_lines_of_a_reflowed_segment_are_its_whole_range() -> None:
    (chunk,) = chunks_of(Segment("One line now.", place=Place(line=4, line_end=9)))
    assert (chunk.place.line, chunk.place.line_end) == (4, 9)


def test_blanks_without_end_do_not_fill_chunks() -> None:
    (chunk,) = chunks_of(Segment("a" + " " * 100_000 + "b" + "\n" * 100_000 + "c", SegmentKind.CODE))
    assert len(chunk.text) < 60


@pytest.mark.parametrize("size", [{"size": 4}, {"max_tokens": 1}, {"overlap": 600}, {"overlap": -1}])
def test_options_that_contradict_each_other_are_refused(size: dict[str, int]) -> None:
    with pytest.raises(ChunkOptionsError):
        ChunkOptions(**size)


def test_pauses_in_a_document_change_no_chunk_and_come_out_again() -> None:
    heading = Segment("Tides", SegmentKind.HEADING, Place(page=1))
    body = [Segment(sentences(9), place=Place(page=page, headings=("Tides",))) for page in (1, 1, 2)]
    segments = [heading, *body]
    paused = [given for segment in segments for given in (None, segment, None)]

    stream = list(chunk_stream(paused, SMALL, WordTokenizer()))

    assert [chunk for chunk in stream if chunk is not None] == chunks_of(*segments)
    assert stream.count(None) == paused.count(None)
    assert stream.index(None) == 0
    assert any(chunk is not None for chunk in stream[: stream.index(None, len(stream) - 2)])


def test_memory_does_not_grow_with_the_document() -> None:
    def peak(paragraphs: int) -> int:
        segments = (Segment(sentences(20, start=n)) for n in range(paragraphs))
        tracemalloc.start()
        for _ in chunk_segments(segments, ChunkOptions(), WordTokenizer()):
            pass
        result = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return result

    peak(20)
    assert peak(400) < peak(100) * 1.5 + 200_000


WORDS = st.text(alphabet="ab.é Ω!\n\t-|中文。ก#1?", min_size=1, max_size=300)
PLACES = st.builds(
    Place,
    page=st.sampled_from([None, 1, 2]),
    sheet=st.sampled_from([None, "S"]),
    line=st.sampled_from([None, 1, 9]),
    headings=st.sampled_from([(), ("A",), ("A", "B")]),
)
SEGMENTS = st.lists(st.builds(Segment, WORDS | st.just("w" * 333), st.sampled_from(SegmentKind), PLACES), max_size=8)
OPTIONS = st.builds(
    lambda size, share, tokens: ChunkOptions(size, int(size * share), tokens),
    st.integers(16, 200),
    st.floats(0, 0.5),
    st.integers(8, 60),
)


def is_kept(segments: list[Segment], chunks: list[Chunk]) -> bool:
    """Tell whether the segments' characters, white space aside, are a subsequence of the chunks'."""
    wanted = "".join("".join(segment.text.split()) for segment in segments)
    found: Iterator[str] = iter("".join(chunk.text for chunk in chunks))
    return all(any(char == other for other in found) for char in wanted)


@settings(max_examples=300, deadline=None)
@given(SEGMENTS, OPTIONS, st.sampled_from([WordTokenizer(), GreedyTokenizer()]))
def test_every_word_is_kept_and_every_limit_held(
    segments: list[Segment], options: ChunkOptions, tokenizer: WordTokenizer | GreedyTokenizer
) -> None:
    chunks = list(chunk_segments(segments, options, tokenizer))
    assert is_kept(segments, chunks)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        assert 0 < len(chunk.text) <= options.size
        assert chunk.token_count == tokenizer.count_tokens(chunk.text) <= options.max_tokens
    assert chunks == list(chunk_segments(segments, options, tokenizer))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet="abcdefgh.", min_size=1, max_size=12), min_size=1, max_size=200), OPTIONS)
def test_words_that_fit_are_never_cut_inside(words: list[str], options: ChunkOptions) -> None:
    chunks = list(chunk_segments([Segment(" ".join(words))], options, GreedyTokenizer()))
    assert {word for chunk in chunks for word in chunk.text.split()} == set(words)
