"""docs/reference/ says what the code says."""

from __future__ import annotations

import pytest

from orchestra.monitoring.management.commands.generate_reference import DIRECTORY
from orchestra.monitoring.reference import pages


@pytest.mark.parametrize("name", ["settings.md", "error-codes.md", "commands.md", "openapi.yaml"])
def test_reference_is_up_to_date(name: str) -> None:
    assert (DIRECTORY / name).read_text("utf-8") == pages()[name], "run `manage.py generate_reference`"
