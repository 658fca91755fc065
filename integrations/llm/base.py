"""The language model interface: messages to text, as it is written.

Importing this module or an implementation opens no connection and loads no heavy library.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from integrations.base import Verdict
from orchestra.common.errors import OrchestraError


class Role(StrEnum):
    """Who says a message. What was retrieved is never `system`."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of what a model reads."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked. `seconds` is what all of it may take, from connecting to the last word.

    `model` empty: the one that is configured. `purpose` is what the ledger of outbound requests says it was for.
    """

    messages: tuple[Message, ...]
    purpose: str
    model: str = ""
    temperature: float = 0.2
    most_tokens: int = 800
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took: tokens in and out, the model that gave it, US dollars where the provider says so.

    `cut` says that the answer ended early: at its token budget, or at its time limit.
    """

    input_tokens: int
    output_tokens: int
    model: str
    cost: Decimal | None = None
    cut: bool = False


class ModelUnavailable(OrchestraError):
    """The model does not answer, refuses, or says what is no answer. No message has key, prompt or address."""

    code = "model_unavailable"
    status = 503
    transient = True
    default_message = "The language model cannot be used."
    default_hint = "Test it under Integrations."


class ModelKeyRefused(ModelUnavailable):
    """The provider does not take the key."""

    code = "model_key_refused"
    transient = False
    default_message = "The model's provider does not accept the key."
    default_hint = "Enter a new key under Integrations."


class ModelUnknown(ModelUnavailable):
    """The provider does not have the model."""

    code = "model_unknown"
    transient = False
    default_message = "The model's provider does not know this model."
    default_hint = "Choose one of the models that it lists."


class ModelQuotaSpent(ModelUnavailable):
    """Too many requests for the provider after all retries, or no money left, there or in the product's own budget."""

    code = "model_quota_spent"
    default_message = "The model's provider does not take more requests at the moment."
    default_hint = "Try again later, or raise the limit with the provider."


class ModelTooSlow(ModelUnavailable):
    """Nothing came within the time limit."""

    code = "model_too_slow"
    default_message = "The language model took too long."
    default_hint = "Try again, or raise the time limit."


class LanguageModel(ABC):
    """Writes text. Thread-safe, and usable after a fork; no state between calls."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def local(self) -> bool:
        """Whether what it reads stays on this machine: private mode uses no other model."""

    @abstractmethod
    def stream(self, prompt: Prompt) -> Generator[str, None, Usage]:
        """Yield the answer piece by piece and return what it took; closing the generator stops the call.

        Raises ModelUnavailable or what is below it, before the first piece or in the middle.
        """

    @abstractmethod
    def test(self) -> Verdict:
        """Make the smallest call and say in words what works and what does not. Raises nothing of the model's."""

    def complete(self, prompt: Prompt) -> tuple[str, Usage]:
        """Return the whole answer. Raises ModelUnavailable or what is below it."""
        pieces: list[str] = []
        writing = self.stream(prompt)
        while True:
            try:
                pieces.append(next(writing))
            except StopIteration as ended:
                return "".join(pieces), ended.value
