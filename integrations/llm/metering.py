"""A language model whose calls are counted for a user, and end where the user's budget does."""

from __future__ import annotations

from collections.abc import Generator
from uuid import UUID

from integrations import usage
from integrations.base import Verdict
from integrations.llm.answers import estimated_tokens
from integrations.llm.base import LanguageModel, Prompt, Usage

_BYTES_PER_TOKEN = 4


class MeteredModel(LanguageModel):
    """Hands everything on to `model`. `own`: by a connection of the user's own, which no budget limits."""

    name = "metered"

    def __init__(self, model: LanguageModel, user_id: UUID, *, own: bool) -> None:
        """Take the model, and for whom it is asked."""
        self._model = model
        self._user_id = user_id
        self._own = own

    @property
    def local(self) -> bool:
        """Whether the model itself is."""
        return self._model.local

    @property
    def model(self) -> str:
        """The model's name, or the kind of its server where that decides."""
        return str(getattr(self._model, "model", "")) or self._model.name

    def stream(self, prompt: Prompt) -> Generator[str, None, Usage]:
        """Yield the answer. Raises ModelQuotaSpent before the model is asked where the budget is used up."""
        held = usage.hold(self._user_id, prompt.model or self.model, prompt, own=self._own)
        took = Usage(0, 0, self.model)  # a call that is refused costs nothing
        written = 0
        writing = self._model.stream(prompt)
        try:
            while True:
                piece = next(writing)
                written += len(piece.encode())
                took = Usage(estimated_tokens(prompt), written // _BYTES_PER_TOKEN + 1, self.model, cut=True)
                yield piece
        except StopIteration as ended:
            whole: Usage = ended.value
            took = whole
            return whole
        finally:
            writing.close()
            usage.settle(held, took)

    def test(self) -> Verdict:
        """Make the smallest call, uncounted."""
        return self._model.test()
