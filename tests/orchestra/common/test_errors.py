"""Errors of which only the code was kept."""

from __future__ import annotations

import pytest

from files.errors import FileTooLarge
from integrations.llm.refusals import ModelUnreachable
from integrations.sources.base import SourceKeyRefused
from orchestra.common.errors import OrchestraError, kind_of_error


@pytest.mark.parametrize("kind", [OrchestraError, FileTooLarge, ModelUnreachable, SourceKeyRefused])
def test_a_code_leads_back_to_its_error(kind: type[OrchestraError]) -> None:
    assert kind_of_error(kind.code) is kind


@pytest.mark.parametrize("code", ["", "never_heard_of"])
def test_an_unknown_code_leads_to_none(code: str) -> None:
    assert kind_of_error(code) is None
