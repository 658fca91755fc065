"""The tree as these tests see it: what git tracks, parsed once."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("orchestra", "files", "personas", "search", "integrations")


@cache
def tracked(pattern: str = "") -> tuple[Path, ...]:
    """Return the files of the tree that git tracks or would track, relative to the root; `pattern` as git takes it."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *([pattern] if pattern else [])]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(path for path in map(Path, sorted(set(listed))) if (ROOT / path).is_file())


def sources(*, tests: bool = True) -> list[Path]:
    """Return the Python files, without migrations, which Django writes."""
    found = [path for path in tracked("*.py") if "migrations" not in path.parts]
    return found if tests else [path for path in found if path.parts[0] != "tests"]


@cache
def parsed(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse((ROOT / path).read_text("utf-8"), str(path))


def text_of(path: Path) -> str:
    """Return a file's text; bytes that are no text are left out."""
    return (ROOT / path).read_text("utf-8", errors="ignore")
