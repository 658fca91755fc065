"""The product's settings with one bug added: an application whose start patches one function (SEEDED_BUG)."""

from orchestra.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.seeded.apps.SeededBug"]  # noqa: F405
