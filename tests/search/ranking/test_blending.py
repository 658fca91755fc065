"""Orders of several questions to one."""

from __future__ import annotations

from search.ranking.blending import blend, widened
from search.ranking.fusion import Candidate, Fused, fuse


def order(*scores: tuple[int, float]) -> list[Fused[int]]:
    return fuse([Candidate(key, score, score) for key, score in scores])


FIRST = order((1, 0.9), (2, 0.5), (3, 0.1))
OTHER = order((3, 0.9), (4, 0.8), (2, 0.1))


def test_a_question_alone_keeps_its_order() -> None:
    assert [one.id for one in blend(FIRST, [])] == [1, 2, 3]


def test_every_passage_of_every_order_is_there_once_and_what_others_say_counts_less() -> None:
    found = blend(FIRST, [OTHER])
    assert [one.id for one in found] == [1, 2, 3, 4]
    assert [one.rank for one in found] == [1, 2, 3, 4]
    assert blend(FIRST, [OTHER], share=0.9)[0].id == 3


def test_the_head_is_kept_and_a_group_comes_no_more_than_twice_before_others() -> None:
    first = order(*((key, 1 - key / 100) for key in range(10)))
    found = widened(first, [order((20, 0.9), (30, 0.1))], 3, lambda key: key // 10, most_of_a_group=4)
    assert [one.id for one in found][:3] == [0, 1, 2]
    assert {one.id for one in found[3:6]} == {3, 20, 30}
    assert len(found) == 12
