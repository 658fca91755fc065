"""Makes the product wrong in one way, in every process that is started with SEEDED_BUG=MODULE.FUNCTION.

Each module beside this one holds such bugs: a function gets `patch(path, replacement)` and says in its docstring which
promise it breaks. The product knows nothing of this.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.utils.module_loading import import_string

Patch = Callable[[str, Any], None]


def patch(path: str, replacement: Any) -> None:
    """Replace what is at a dotted path, for as long as this process lives."""
    owner, _, name = path.rpartition(".")
    try:
        target: Any = import_module(owner)
    except ModuleNotFoundError:
        target = import_string(owner)
    if not hasattr(target, name):
        raise AttributeError(f"{path} is not there any more: the bug must be seeded elsewhere")
    setattr(target, name, replacement)


def seed(bug: str, patch: Patch = patch) -> None:
    """Put in the bug MODULE.FUNCTION; `patch` may be pytest's monkeypatch.setattr, which takes it out again."""
    import_string(f"tests.faults.seeded.{bug}")(patch)


class SeededBug(AppConfig):
    """The last application to start, so that all that it patches is there."""

    name = "tests.faults.seeded"
    path = str(Path(__file__).parent)

    def ready(self) -> None:
        """Put in the bug."""
        seed(os.environ["SEEDED_BUG"])
