"""The instructions that language models get: the files of `prompts/`, with the mark of a request set in."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template

from integrations.llm.base import Message, Role

_FOLDER = Path(__file__).parent / "prompts"


def instructions(name: str, mark: str, *, in_conversation: bool = False) -> str:
    """Return the text of `prompts/NAME.txt`, followed by the rules on passages, and on what was said before."""
    rules = ("rules", "earlier") if in_conversation else ("rules",)
    return Template("\n".join(map(_text, (name, *rules)))).substitute(mark=mark)


def asked(name: str) -> str:
    """Return the text of `prompts/NAME.txt`, for a model that reads no passages."""
    return _text(name)


def messages(system: str, question: str, *material: str) -> tuple[Message, ...]:
    """Return what a model reads: instructions, and apart from them the material that there is, and the question."""
    said = "\n\n".join(filter(None, (*material, f"Question: {question}")))
    return Message(Role.SYSTEM, system), Message(Role.USER, said)


@cache
def _text(name: str) -> str:
    return (_FOLDER / f"{name}.txt").read_text("utf-8")
