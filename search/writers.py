"""Which language model writes for whom: the one that a mode may use, where one is configured."""

from __future__ import annotations

from integrations import services
from integrations.llm.base import LanguageModel
from orchestra.accounts.models import User
from search.modes.base import Writer

_ALIASES = {Writer.USUAL: "default", Writer.UNCENSORED: "uncensored"}


def writer_for(user: User, writer: Writer) -> LanguageModel | None:
    """Return the model that writes in a mode for a user; None where the mode has none or none is configured."""
    if writer is Writer.NONE:
        return None
    if writer is Writer.LOCAL:
        return services.local_model()
    return services.language_model(user, alias=_ALIASES[writer])
