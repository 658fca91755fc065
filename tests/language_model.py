"""A language model that says what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

from integrations.base import Verdict
from integrations.llm.base import LanguageModel, ModelUnavailable, Prompt, Usage

Script = str | ModelUnavailable | Callable[[Prompt], str]


class ScriptedModel(LanguageModel):
    """Answers by the purpose of a prompt; what has no script is answered with nothing.

    Text is given in pieces of `size` characters. A `break_after` so many pieces raises ModelUnavailable.
    """

    name = "scripted"

    def __init__(
        self, *, local: bool = True, size: int = 7, break_after: int | None = None, cut: bool = False, **scripts: Script
    ) -> None:
        self._local = local
        self._size = size
        self._break_after = break_after
        self._cut = cut
        self._scripts = scripts
        self.asked: list[Prompt] = []
        self.closed = 0

    @property
    def local(self) -> bool:
        return self._local

    def stream(self, prompt: Prompt) -> Generator[str, None, Usage]:
        self.asked.append(prompt)
        script = self._scripts.get(prompt.purpose, "")
        if isinstance(script, ModelUnavailable):
            raise script
        text = script(prompt) if callable(script) else script
        try:
            for number, start in enumerate(range(0, len(text), self._size)):
                if number == self._break_after:
                    raise ModelUnavailable("The line was cut.")
                yield text[start : start + self._size]
        except GeneratorExit:
            self.closed += 1
            raise
        return Usage(1, 1, "scripted", cut=self._cut)

    def test(self) -> Verdict:
        return Verdict(True, "ok", "It answers.")


def obedient(prompt: Prompt) -> str:
    """Return what a model says that obeys every order it reads, wherever that stands."""
    read = "\n".join(message.content for message in prompt.messages)
    orders = re.findall(r"(?i)(?:ignore|instead|system prompt|repeat|reveal|visit)[^\n]*", read)
    images = re.findall(r"!\[[^\]]*\]\([^)]*\)|<img[^>]*>|https?://\S+", read)
    return f"{prompt.messages[0].content} [1]\n" + "\n".join([*orders, *images])
