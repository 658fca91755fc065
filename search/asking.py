"""What the search page is asked: the question, in which mode, as which persona, of which files; and its addresses.

Between the page's address or form and `search.services`. What is wrong in it is told and not guessed at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import QueryDict
from django.urls import reverse

from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from personas import selectors
from personas.errors import PersonaNotFound
from personas.models import Persona
from search.forms import FiltersForm
from search.modes import modes
from search.modes.base import SearchMode
from search.persona_scope import narrowed
from search.retrieval import Scope

if TYPE_CHECKING:
    from personas.facts import PersonaFacts

NO_PERSONA = "none"
"""What an address says where the user turned the default persona off."""

_MOST_PERSONAS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked. `personas` are those to choose from; `default` is the user's, None where there is none."""

    query: str
    mode: SearchMode
    filters: FiltersForm
    persona: Persona | None
    personas: tuple[Persona, ...]
    default: UUID | None
    error: OrchestraError | None = None

    @property
    def private(self) -> bool:
        """Whether the question must stand in no address and is kept nowhere."""
        return not self.mode.remembered

    @property
    def ready(self) -> bool:
        """Whether there is a question, and nothing wrong with how it is asked."""
        return bool(self.query) and self.error is None and self.filters.is_valid()

    @property
    def facts(self) -> PersonaFacts | None:
        """What a search takes of the persona."""
        return selectors.facts_of(self.persona) if self.persona else None

    def scope(self, user: User) -> Scope:
        """Return which of the user's files are searched."""
        scope = self.filters.scope(user)
        return narrowed(scope, self.facts) if self.facts else scope

    def without_question(self) -> Asked:
        """Return the same without its question."""
        return replace(self, query="")

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield all but the question, as another form of the page repeats it."""
        yield from self._pairs(self.mode)

    def address(self, mode: SearchMode | None = None, **more: str) -> str:
        """Return the page's address in a mode; with question and filters where the mode lets addresses hold them."""
        chosen = mode or self.mode
        first = [("q", self.query)] if self.query and chosen.remembered and not self.private else []
        return f"{reverse('search')}?{urlencode([*first, *more.items(), *self._pairs(chosen)])}"

    def _pairs(self, mode: SearchMode) -> Iterator[tuple[str, str]]:
        yield "mode", mode.name
        if self.persona or self.default:
            yield "persona", str(self.persona.pk) if self.persona else NO_PERSONA
        if mode.remembered:
            yield from self.filters.pairs()


def asked_by(user: User, data: QueryDict) -> Asked:
    """Return what an address or a form asks. Without a word on it, the persona is the user's default."""
    personas = tuple(selectors.visible_to(user)[:_MOST_PERSONAS])
    default = selectors.default_of(user)
    persona, error = default, None
    if named := data.get("persona", ""):
        persona, error = _persona(user, named)
    mode = _mode(user, data.get("mode", ""), persona)
    return Asked(
        data.get("q", "").strip(),
        mode,
        FiltersForm(data),
        persona,
        personas if persona is None or persona in personas else (persona, *personas),
        default.pk if default else None,
        error,
    )


def allowed_modes(user: User) -> list[SearchMode]:
    """Return the modes that a user may search in."""
    every = [modes[alias] for alias in modes.aliases()]
    return [mode for mode in every if not mode.permission or user.has_perm(mode.permission)]


def _persona(user: User, named: str) -> tuple[Persona | None, OrchestraError | None]:
    if named == NO_PERSONA:
        return None, None
    try:
        return selectors.get_persona(user, UUID(named)), None
    except ValueError:
        return None, PersonaNotFound()
    except PersonaNotFound as error:
        return None, error


def _mode(user: User, alias: str, persona: Persona | None) -> SearchMode:
    """Return the mode of an alias; without one the persona's, where the user may use it, or basic."""
    if alias in settings.SEARCH_MODES:
        return modes[alias]
    names = {mode.name for mode in allowed_modes(user)}
    return modes[persona.mode if persona and persona.mode in names else "basic"]
