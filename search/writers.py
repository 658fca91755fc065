"""Which language model writes for whom: the one that a mode may use, where one is configured."""

from __future__ import annotations

from collections.abc import Generator

from integrations import services
from integrations.base import Verdict
from integrations.llm.base import LanguageModel, ModelUnavailable, Prompt, Usage
from orchestra.accounts.models import User
from search.modes.base import Writer

_ALIASES = {Writer.USUAL: "default", Writer.UNCENSORED: "uncensored"}


def writer_for(user: User, writer: Writer) -> LanguageModel | None:
    """Return the model that writes in a mode for a user; None where the mode has none or none is configured."""
    if writer is Writer.NONE:
        return None
    try:
        if writer is Writer.LOCAL:
            return services.local_model(user)
        return services.language_model(user, alias=_ALIASES[writer])
    except ModelUnavailable as error:
        return _Unreadable(error)


class _Unreadable(LanguageModel):
    """A model whose connection is configured and cannot be used: the answer says so, and no other model is asked."""

    name = ""
    local = True

    def __init__(self, error: ModelUnavailable) -> None:
        self._error = error

    def stream(self, prompt: Prompt) -> Generator[str, None, Usage]:
        """Raise what is wrong."""
        raise self._error

    def test(self) -> Verdict:
        """Say what is wrong."""
        return Verdict(False, self._error.code, self._error.message, self._error.hint)
