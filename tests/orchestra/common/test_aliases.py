"""Alias handlers build what settings name, once, and say what is wrong with a setting."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from orchestra.common.aliases import AliasHandler


class Backend:
    built = 0

    def __init__(self, size: int = 1) -> None:
        time.sleep(0.02)
        type(self).built += 1
        self.size = size


class Other:
    pass


HERE = f"{__name__}"


@pytest.fixture
def handler(settings: Any) -> AliasHandler[Backend]:
    Backend.built = 0
    settings.THINGS = {
        "default": {"BACKEND": f"{HERE}.Backend", "OPTIONS": {"size": 7}},
        "plain": {"BACKEND": f"{HERE}.Backend"},
        "other": {"BACKEND": f"{HERE}.Other"},
        "missing": {"BACKEND": "nowhere.Nothing"},
    }
    return AliasHandler("THINGS", Backend)


def test_options_reach_the_backend_and_it_is_built_once(handler: AliasHandler[Backend]) -> None:
    threads = [threading.Thread(target=lambda: handler["default"]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (handler["default"].size, handler["plain"].size) == (7, 1)
    assert Backend.built == 2


def test_wrong_settings_are_named(handler: AliasHandler[Backend]) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"THINGS has no entry 'unknown'.*default"):
        handler["unknown"]
    with pytest.raises(ImproperlyConfigured, match="is not a Backend"):
        handler["other"]
    with pytest.raises(ImproperlyConfigured, match=r"THINGS\['missing'\].*nowhere.Nothing"):
        handler["missing"]


def test_changed_setting_is_taken_up(handler: AliasHandler[Backend], settings: Any) -> None:
    assert handler["default"].size == 7
    settings.THINGS = {"default": {"BACKEND": f"{HERE}.Backend", "OPTIONS": {"size": 8}}}
    assert handler["default"].size == 8
    assert handler.aliases() == ["default"]
