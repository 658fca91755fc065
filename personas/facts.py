"""What the search layer takes of a persona: values alone, read once per question.

Before it: `personas.selectors.facts_for`. After it: `search.persona_scope`, which narrows, and the modes, which ask a
model.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PersonaFacts:
    """A persona as a search uses it.

    `system` is the system text for a model, with the product's own rules around it; `unguarded` is the same without
    them, for the mode that lifts them. `mode` and `model` are empty and `temperature` is None where the persona leaves
    the choice to others. Of `tags` a file must have one, of `kinds` it must be one; empty ones do not narrow.
    """

    id: UUID
    name: str
    system: str
    unguarded: str
    tone: str
    mode: str
    model: str
    temperature: float | None
    tags: tuple[str, ...]
    kinds: tuple[str, ...]
    blocked_terms: tuple[str, ...]
