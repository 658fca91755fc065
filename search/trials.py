"""A persona tried on a question, saved or not: nothing of it is remembered.

Before it: `personas`, which knows no search. After it: the editor's page and the API.
"""

from __future__ import annotations

from orchestra.accounts.models import User
from personas.models import Persona
from personas.selectors import facts_of
from search import services
from search.modes import modes
from search.modes.base import Writer
from search.retrieval import SearchResult

USUAL_MODE = "deep"
"""What a persona is tried in that chooses no mode, or one that writes no answer."""


def tried(user: User, persona: Persona, question: str) -> SearchResult:
    """Answer a question from the user's files as a persona would. Raises what a search raises."""
    facts = facts_of(persona)
    answers = bool(facts.mode) and modes[facts.mode].writer is not Writer.NONE
    return services.search(user, question, mode=facts.mode if answers else USUAL_MODE, persona=facts, remember=False)
