"""What a provider is: a service that a user connects to, with the fields that such a connection has.

`integrations.registry` lists the providers; the module that speaks to one defines it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a provider gives."""

    MODEL = "model"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a connection; all values are text.

    A `secret` is stored encrypted and never shown. One that `leads` says where the secrets are sent: when it changes,
    they must be entered again. `check` raises ValueError with a sentence for whoever filled it in.
    """

    name: str
    label: str
    secret: bool = False
    required: bool = False
    leads: bool = False
    default: str = ""
    help: str = ""
    choices: tuple[str, ...] = ()
    check: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a trial call found: whether the service can be used, and in words what is wrong and what to do."""

    works: bool
    code: str
    message: str
    hint: str = ""
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """A service. `build` makes, of the values of all fields by name, what speaks to it; it opens no connection.

    `brings` says in a sentence what a connection is good for. A `personal` one has no connections of the
    installation's: what it brings belongs to somebody.
    """

    name: str
    label: str
    kind: Kind
    fields: tuple[Field, ...]
    build: Callable[[Mapping[str, str]], Any]
    brings: str = ""
    personal: bool = False

    def secrets(self) -> frozenset[str]:
        """Return the names of the fields that are stored encrypted."""
        return frozenset(field.name for field in self.fields if field.secret)
