"""The documents lead somewhere, and nothing in the tree points out of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, text_of, tracked

LONGEST_README = 120
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)
# What belongs to the machine that something was written on, and would be wrong on every other.
FOREIGN = re.compile(r"\.\./shared|/work/|/root/|pypi\.org/simple|files\.pythonhosted\.org|--(extra-)?index-url")


@pytest.mark.parametrize("document", tracked("*.md"), ids=str)
def test_links_lead_to_files_and_headings(document: Path) -> None:
    broken = []
    path = ROOT / document
    for target in LINK.findall(text_of(document)):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, heading = target.partition("#")
        place = (path.parent / name) if name else path
        if not place.exists() or (heading and heading not in _anchors(place.read_text("utf-8"))):
            broken.append(target)
    assert broken == []


def _anchors(text: str) -> set[str]:
    """Return the headings' anchors as GitHub makes them."""
    bare = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.strip().replace(" ", "-") for heading in bare}


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= LONGEST_README


def test_nothing_names_the_machine_it_was_written_on() -> None:
    named = [
        f"{path}: {match.group()}"
        for path in tracked()
        if path.parts[0] not in ("tests", ".ci")
        if (match := FOREIGN.search(text_of(path)))
    ]
    assert named == []
