"""What a page made of the payloads of `tests.abuse.xss`: what struck, and what it shows as text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.abuse.xss import WORKED_OUT, Payload

# Reports of the content policy, which the console may not tell of.
LISTENER = """
window.refused = [];
addEventListener("securitypolicyviolation", (e) => window.refused.push(`${e.effectiveDirective} ${e.blockedURI}`));
"""
# Elements of the payloads' making, handlers in attributes (the product has none), addresses that run.
PROBE = """() => {
    const all = [...document.querySelectorAll("*")];
    const runs = /^[\\s\\x00-\\x20]*(javascript|vbscript|data:text)/i;
    const armed = (e) => [...e.attributes].some((a) =>
        a.name.startsWith("on") || a.name === "struck" || (
            ["href", "src", "action", "formaction", "data", "xlink:href"].includes(a.name) && runs.test(a.value)));
    const copy = document.body.cloneNode(true);
    copy.querySelectorAll("script, style").forEach((e) => e.remove());
    const values = [...document.querySelectorAll("input, textarea")].map((e) => e.value);
    return {
        armed: all.filter(armed).map((e) => e.cloneNode(false).outerHTML.slice(0, 200)),
        refused: window.refused,
        text: [document.title, copy.textContent, ...values].join("\\n"),
    };
}"""


@dataclass(frozen=True)
class Look:
    """One page: what struck there, and its text, white space as one space."""

    struck: list[str]
    text: str

    def shows(self, payloads: Iterable[Payload], *, whole: bool = True) -> set[int]:
        """Return the numbers of the payloads that stand there as planted; not `whole`: at least their sign."""
        return {one.number for one in payloads if (plain(one.text) if whole else one.sign) in self.text}


def plain(text: str) -> str:
    """Return a text without what no eye sees, as names are cleaned, and with single spaces."""
    return " ".join("".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C").split())


def look_at(page: Any) -> Look:
    """Look at a page as it stands; its context must have LISTENER."""
    found = page.evaluate(PROBE)
    text = plain(found["text"])
    struck = [*found["armed"], *(f"refused: {line}" for line in found["refused"])]
    return Look([*struck, *(["a template worked it out"] if WORKED_OUT in text else [])], text)
