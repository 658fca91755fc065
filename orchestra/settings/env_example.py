"""Makes `.env.example` from the fields of `Environment`: `python -m orchestra.settings.env_example > .env.example`."""

from __future__ import annotations

import sys
from pathlib import Path

from orchestra.settings.env import Environment, variable_names
from orchestra.settings.server_variables import BASE_DIR

_HEAD = """\
# What may be set, in the environment or in a file `.env` beside manage.py. Each line shows the default.
# Made from orchestra/settings/env.py by: python -m orchestra.settings.env_example > .env.example
"""


def env_example() -> str:
    """Return the text of `.env.example`: each variable with its sentence, its default commented out."""
    fields = Environment.model_fields
    entries = (
        f"\n# {fields[field].description}\n#{variable}={written(fields[field].default)}\n"
        for variable, field in variable_names().items()
    )
    return _HEAD + "".join(entries)


def written(value: object) -> str:
    """Return a default as a person would write it in `.env`; paths relative to the clone."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, Path):
        return str(value.relative_to(BASE_DIR))
    return "" if value is None else str(value)


if __name__ == "__main__":
    sys.stdout.write(env_example())
