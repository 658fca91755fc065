"""Personas as JSON documents: out of one installation, into another. Pure; what comes in is hostile."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from personas import rules
from personas.errors import InvalidPersonaFile, PersonaFileTooLarge
from personas.models import Persona

FORMAT = "orchestra.persona"
VERSION = 1
MOST_BYTES = 512 * 1024
"""Larger than any persona: all texts and lists at their longest, each character escaped, take 370 kB."""

_KEYS = {"format", "version", "persona"}


def document_of(persona: Persona) -> dict[str, Any]:
    """Return a persona as a document: what it says and does, not whose it is and with whom it is shared."""
    fields = {name: getattr(persona, name) for name in rules.PORTABLE}
    return {"format": FORMAT, "version": VERSION, "persona": fields}


def parsed(body: bytes) -> object:
    """Return the JSON in an uploaded file. Raises InvalidPersonaFile, PersonaFileTooLarge."""
    if len(body) > MOST_BYTES:
        raise PersonaFileTooLarge
    try:
        document: object = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as exc:
        raise InvalidPersonaFile("The file is not valid JSON.") from exc
    return document


def fields_of(document: object) -> dict[str, object]:
    """Return the fields in a document, unchecked, each of a known name. Raises InvalidPersonaFile."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidPersonaFile
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        raise InvalidPersonaFile(
            "The persona was exported in a version of the format that this server does not know.",
            hint=f"This server reads version {VERSION}.",
        )
    fields = document.get("persona")
    if document.keys() != _KEYS or not isinstance(fields, dict):
        raise InvalidPersonaFile(f"The document must have the fields {', '.join(sorted(_KEYS))}, and no others.")
    if unknown := sorted(str(name)[:40] for name in fields if name not in rules.PORTABLE):
        raise InvalidPersonaFile("The persona has fields that this server does not know.", unknown=unknown[:10])
    if "name" not in fields:
        raise InvalidPersonaFile("The persona has no name.")
    return fields


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
