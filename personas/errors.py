"""What can go wrong with personas."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError


class PersonaNotFound(OrchestraError):
    """The persona does not exist, or the caller may not see it; the two are not told apart."""

    code = "persona_not_found"
    status = 404
    default_message = "There is no such persona."
    default_hint = "Check the id; it may have been deleted, or is no longer shared with you."


class PersonaNotYours(OrchestraError):
    """The caller sees the persona, and may not change it."""

    code = "persona_not_yours"
    status = 403
    default_message = "This persona is shared with you; its owner alone may change it."
    default_hint = "Clone it: the copy is yours."


class InvalidPersona(OrchestraError):
    """Some fields are not valid; `details` has the sentences of each."""

    code = "persona_invalid"
    status = 400
    default_message = "Some fields of the persona are not valid."
    default_hint = "Correct the fields named in details."

    @property
    def by_field(self) -> dict[str, list[str]]:
        """What is wrong with each field, in sentences."""
        return {name: list(said) for name, said in self.details.items() if isinstance(said, list)}


class TooManyPersonas(OrchestraError):
    """The caller has as many personas as one may have."""

    code = "personas_too_many"
    status = 409
    default_message = "You have as many personas as one user may have."
    default_hint = "Delete one that you no longer need."


class InvalidPersonaFile(OrchestraError):
    """What is to be imported is no exported persona."""

    code = "persona_file_invalid"
    status = 400
    default_message = "This is no exported persona."
    default_hint = "Choose a file that was made by Export."


class PersonaFileTooLarge(InvalidPersonaFile):
    """What is to be imported is larger than any exported persona."""

    code = "persona_file_too_large"
    status = 413
    default_message = "This is larger than any exported persona."
