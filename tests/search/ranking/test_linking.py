"""Files that belong together although neither says all."""

from __future__ import annotations

from search.ranking.linking import links
from tests.search.answering.passages import hit

OIL = hit("Fish oil lowers the viscosity of blood.", 1, file=1)
DISEASE = hit("In Raynaud's disease the viscosity is raised.", 2, file=2)
OTHER = hit("Tea is green.", 3, file=3)
TERMS = ["oil", "disease"]


def test_a_rare_word_links_files_that_answer_different_parts() -> None:
    (link,) = links([OIL, DISEASE, OTHER], TERMS, {"viscosity": 3.0, "blood": 3.0})
    assert link.terms == ("viscosity",)
    assert link.files == (OIL.file_id, DISEASE.file_id)
    assert link.passages == (OIL.chunk_id, DISEASE.chunk_id)


def test_no_link_without_a_rare_word_or_with_the_same_answer() -> None:
    assert links([OIL, DISEASE], TERMS, {"viscosity": 0.5, "blood": 3.0}) == ()
    assert links([OIL, DISEASE], ["oil"], {"viscosity": 3.0}) == ()
    assert links([], TERMS, {}) == ()
