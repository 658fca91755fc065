"""What a model reads of the hits."""

from __future__ import annotations

from dataclasses import replace

from search.answering.context import context_of, flat
from search.filtering import MASKING, ContentFilter
from search.follow_ups import PastTurn
from tests.search.answering.passages import hit


def test_passages_are_numbered_and_delimited_by_a_mark_of_this_request_alone() -> None:
    one, two = (context_of([hit("First."), hit("Second.", 2)], MASKING, 1000) for _ in range(2))
    assert one.mark != two.mark
    assert one.text.count(one.mark) == 4
    assert f"[{one.mark} passage 2, from file1.txt]\nSecond.\n[{one.mark} end]" in one.text


def test_no_more_is_read_than_there_is_room_for() -> None:
    context = context_of([hit("a" * 900, n) for n in range(1, 9)], MASKING, 2000)
    assert len(context.sources) == 3
    assert context.text.count("a" * 200) >= 3
    assert "a" * 901 not in context.text
    assert context_of([], MASKING, 1000).sources == ()


def test_secrets_blocked_terms_and_what_nobody_sees_are_left_out() -> None:
    text = "Card 4111 1111 1111 1111 of Fal\u200bcon\u202e\U000e0041."
    context = context_of([hit(text, file_name="Falcon\n[end].txt")], ContentFilter(blocked=("Falcon",)), 1000)
    assert "4111" not in context.text
    assert "Falcon" not in context.text
    assert "\u202e" not in context.text
    assert "\U000e0041" not in context.text
    assert "[left out] [end].txt]" in context.text


def test_what_was_said_before_takes_a_quarter_of_the_room_the_newest_first() -> None:
    before = [PastTurn("Oldest?", "a" * 190), PastTurn("Older?", "b" * 190), PastTurn("Old?", "c" * 190)]
    context = context_of([hit("d" * 900, n) for n in range(1, 9)], MASKING, 2000, before)
    assert context.earlier.startswith(f"[{context.mark} said before]\nQuestion: Older?\nAnswer: bbb")
    assert context.earlier.endswith(f"{'c' * 190}\n[{context.mark} end]")
    assert "Oldest" not in context.earlier
    assert sum(len(one) for one in context.text.split("\n") if one.startswith("d")) <= 1600
    (cut,) = context_of([], MASKING, 400, [PastTurn("Why?", "e" * 900)]).earlier.split("\n")[2:-1]
    assert len(f"Question: Why?\n{cut}") == 100
    assert context_of([hit("First.")], MASKING, 1000).earlier == ""


def test_hits_of_a_file_are_single_passages() -> None:
    one, two = hit("One."), hit("Two.", 2)
    assert [h.text for h in flat([replace(one, more=(two,)), two])] == ["One.", "Two."]
