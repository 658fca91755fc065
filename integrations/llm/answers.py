"""A model's answer, read piece by piece; what a server sends is hostile until it was looked at here."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.llm.base import Prompt, Usage
from integrations.llm.refusals import error_inside, strange

_BYTES_PER_TOKEN = 4
_MOST_SIGNS_PER_TOKEN = 16
_MOST_TOKENS = 1_000_000_000
_MOST_DOLLARS = 1_000_000


class AnswerReader:
    """Reads chunks (or a whole answer), and sums up what it took.

    `written` is the number of signs so far, `ended` whether the model said that it is done.
    """

    def __init__(self, prompt: Prompt, model: str) -> None:
        """Begin an answer to this prompt by this model."""
        self.written = 0
        self.ended = False
        self.cut = False
        self._room = prompt.most_tokens * _MOST_SIGNS_PER_TOKEN + 1_000
        self._estimate = estimated_tokens(prompt)
        self._bytes = 0
        self._usage: dict[str, Any] = {}
        self._model = model

    @property
    def full(self) -> bool:
        """Whether more was written than the prompt's tokens can be: the server does not keep to them."""
        return self.written > self._room

    def piece(self, data: str, part: str = "delta") -> str:
        """Return the text in a chunk's JSON, maybe "". Raises ModelUnavailable or what is below it."""
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError) as exc:
            raise strange() from exc
        if not isinstance(chunk, dict):
            raise strange()
        if chunk.get("error"):
            raise error_inside(chunk["error"])
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices[:1]):
            raise strange()
        return self._text(choices[0], part) if choices else ""

    def whole(self, data: str) -> str:
        """Return the text of an answer that was not streamed."""
        return self.piece(data, "message")

    def usage(self) -> Usage:
        """Return what the answer took, estimated where the server does not say it."""
        read, wrote = _count(self._usage.get("prompt_tokens")), _count(self._usage.get("completion_tokens"))
        return Usage(
            self._estimate if read is None else read,
            self._bytes // _BYTES_PER_TOKEN + 1 if wrote is None else wrote,
            self._model,
            cost=_dollars(self._usage.get("cost")),
            cut=self.cut or not self.ended,
        )

    def _text(self, choice: dict[str, Any], part: str) -> str:
        reason = choice.get("finish_reason")
        self.ended = self.ended or isinstance(reason, str)
        self.cut = self.cut or reason == "length"
        said = choice.get(part)
        content = said.get("content") if isinstance(said, dict) else None
        text = clean(content) if isinstance(content, str) else ""
        self.written += len(text)
        self._bytes += len(text.encode())
        return text


def clean(text: str) -> str:
    """Return text without what neither a database nor UTF-8 takes: NUL, and halves of pairs."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def estimated_tokens(prompt: Prompt) -> int:
    """Return about how many tokens a prompt has, for servers that do not say."""
    return sum(len(message.content.encode(errors="replace")) // _BYTES_PER_TOKEN + 8 for message in prompt.messages)


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < _MOST_TOKENS else None


def _dollars(value: object) -> Decimal | None:
    if type(value) not in (int, float):
        return None
    try:
        dollars = Decimal(str(value))
    except InvalidOperation:
        return None
    return dollars if dollars.is_finite() and 0 <= dollars < _MOST_DOLLARS else None
