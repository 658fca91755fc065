"""Calls of the API that a program makes up from its description, and what is wrong with the answers.

Schemathesis makes the calls, valid and invalid ones, and looks at the answers with all its checks. They carry the key
of an ordinary user who has one thing of each kind: a call that takes an id gets one of theirs in half of the cases, so
that answers beside 404 are seen.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import schemathesis
from schemathesis import Case, CheckContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

# A form has no types: the invalid tag `true` arrives as the text "True", which is a tag. What else may be wrong with a
# small upload is sent by tests/files/test_api.py; all other checks look at these calls too.
_NOT_TOLD = {("POST /api/files/upload", "negative_data_rejection")}

PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls which server, with a key; `ids` are this user's, by the name that an address has for them."""

    server: str
    key: str
    ids: Mapping[str, Sequence[UUID]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer that is not what the description says: the call, the check and what it says."""

    call: str
    check: str
    said: str

    def __str__(self) -> str:
        return f"{self.call}: {self.check}: {self.said}"


@schemathesis.check
def well_formed_is_taken(ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """Valid data may be refused by a rule of the product's, with that rule's code; by its shape it may not."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 400:
        return None
    code = response.json()["error"]["code"]
    if code in ("invalid", "parse_error"):
        raise AssertionError(f"Valid data was refused as {code}: {response.text[:500]}")
    return None


def findings(caller: Caller, paths: str, *, examples: int, phases: Sequence[str]) -> list[Finding]:
    """Make calls of the addresses that match `paths`, and return what is wrong with the answers."""
    found: dict[tuple[str, str, str], Finding] = {}
    for event in from_schema(_description(caller, paths, examples, phases)).execute():
        for one in _of(event):
            if found.setdefault((one.call, one.check, one.said[:60]), one) is one:
                sys.stderr.write(f"{one}\n")  # at once: a thorough run takes long
    return list(found.values())


def _description(caller: Caller, paths: str, examples: int, phases: Sequence[str]) -> Any:
    settings: dict[str, Any] = {
        "cache": {"enabled": False},
        # Refusals by rules of the product are told from those by shape: `well_formed_is_taken` stands in for this one.
        "checks": {"enabled": True, "positive_data_acceptance": {"enabled": False}},
        # PostgreSQL keeps no NUL. It is refused in any text, which the shapes do not say of each; test_odd_queries.py
        # sends it.
        "generation": {"deterministic": True, "no-shrink": True, "allow-x00": False, "max-examples": examples},
        "headers": {"Authorization": f"Api-Key {caller.key}"},
        "phases": {name: {"enabled": name in phases} for name in PHASES},
        "warnings": False,
    }
    config = SchemathesisConfig.from_dict(settings)
    described: Any = schemathesis.openapi.from_url(f"{caller.server}/api/schema/?format=json", config=config)
    described = described.include(path_regex=paths)

    def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
        return {name: _known(caller.ids, name, value) for name, value in (path_parameters or {}).items()} or None

    described.hook(map_path_parameters)
    return described


def _known(ids: Mapping[str, Sequence[UUID]], name: str, value: Any) -> Any:
    """Return one of the user's ids in place of every second made-up one."""
    try:
        number = UUID(str(value)).int
    except ValueError:
        return value
    mine = ids.get(name, ())
    if not mine or number % 2:
        return value
    return str(mine[hashlib.sha256(str(value).encode()).digest()[0] % len(mine)])


def _of(event: events.EngineEvent) -> Iterator[Finding]:
    if isinstance(event, events.FatalError):
        raise event.exception
    if isinstance(event, events.NonFatalError):
        yield Finding(event.label, "error", repr(event.value))
    if isinstance(event, events.ScenarioFinished):
        for case_id, checks in event.recorder.checks.items():
            call = event.recorder.cases[case_id].value.operation.label
            for check in checks:
                if (info := check.failure_info) is not None and (call, check.name) not in _NOT_TOLD:
                    said = f"{info.failure.title}: {info.failure.message} | {info.code_sample}"
                    yield Finding(call, check.name, said)
