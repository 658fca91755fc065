"""What a persona leaves of a scope: never more than was asked for.

Before it: the filters of a question, and `personas.selectors.facts_for`. After it: retrieval, which knows no personas.
"""

from __future__ import annotations

from dataclasses import replace

from personas.facts import PersonaFacts
from search.retrieval import Scope


def narrowed(scope: Scope, facts: PersonaFacts) -> Scope:
    """Return the part of `scope` that the persona searches: files in both, and no others.

    Of the persona's tags a file must have one, beside all tags that were asked for. Kinds that were asked for stay if
    they are among the persona's; where none is, nothing is searched. Raises ValueError for a scope that a persona has
    narrowed already: two lists of tags, of each of which one is needed, are more than a scope can say.
    """
    if scope.any_tags:
        raise ValueError("a scope is narrowed by one persona")
    kinds = tuple(kind for kind in scope.kinds if kind in facts.kinds) if scope.kinds and facts.kinds else ()
    nothing = scope.nothing or bool(scope.kinds and facts.kinds and not kinds)
    return replace(scope, kinds=kinds or scope.kinds or facts.kinds, any_tags=facts.tags, nothing=nothing)
