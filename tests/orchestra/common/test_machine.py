"""How much memory there is."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from orchestra.common import machine


def test_it_is_the_machines_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_LIMITS", ())

    assert machine.machine_memory() == psutil.virtual_memory().total


@pytest.mark.parametrize(("text", "expected"), [("1073741824\n", 1024**3), ("max\n", None)])
def test_a_containers_limit_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: int | None
) -> None:
    (tmp_path / "memory.max").write_text(text)
    monkeypatch.setattr(machine, "_LIMITS", (tmp_path / "memory.max", tmp_path / "not there"))

    assert machine.machine_memory() == (expected or psutil.virtual_memory().total)
