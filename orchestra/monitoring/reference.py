"""The reference pages under docs/reference/, made from the code: what may be set, what can go wrong, what can be run.

The errors are those that the installed applications define; this module names none of them.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import find_commands, load_command_class

from orchestra.common.errors import OrchestraError
from orchestra.common.refusals import FRAMEWORK_REFUSALS
from orchestra.settings.env import Environment
from orchestra.settings.env_example import written
from orchestra.settings.server_variables import BASE_DIR

_MADE = "<!-- Made by `manage.py generate_reference`; change the code, not this page. -->"


@dataclass(frozen=True, slots=True)
class TablePage:
    """A page that is one table; an application adds its own by `add_page`."""

    title: str
    intro: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


_added: dict[str, Callable[[], TablePage]] = {}


def add_page(file_name: str, page: Callable[[], TablePage]) -> None:
    """Add a page; adding the same name again replaces it."""
    _added[file_name] = page


def pages() -> dict[str, str]:
    """Return the text of each page by file name."""
    own = {"settings.md": settings_page(), "error-codes.md": error_page(), "commands.md": commands_page()}
    own |= {"openapi.yaml": openapi_document()}
    return own | {name: table_page(page()) for name, page in _added.items()}


def table_page(page: TablePage) -> str:
    """Return a page that is one table."""
    return _page(page.title, page.intro, _table(page.head, page.rows))


def settings_page() -> str:
    """Return the table of every variable that may be set."""
    rows = [
        (f"`{(field.alias or name).upper()}`", _code(written(field.default)), field.description or "")
        for name, field in Environment.model_fields.items()
    ]
    intro = (
        "Set in the environment, or in a file `.env` beside `manage.py`. An empty value counts as not set.\n"
        "A wrong value stops the start with one line that names the variable and says what to write."
    )
    return _page("Settings", intro, _table(("Variable", "Default", "What it does"), rows))


def error_page() -> str:
    """Return the table of every code that the API, the pages and a failed file's record can show."""
    kinds = sorted(_own_errors(), key=lambda kind: (kind.code, kind.__qualname__))
    rows = [(f"`{kind.code}`", str(kind.status), kind.default_message, kind.default_hint) for kind in kinds]
    intro = (
        "Codes are stable. A message may be more exact than the one here. The status is that of an API answer;\n"
        "a file's record, the pages and the commands show code, message and hint."
    )
    head = ("Code", "Status", "Message", "Hint")
    own = _table(head, dict.fromkeys(rows))
    others = [(f"`{one.code}`", str(one.status), one.message, one.hint) for one in FRAMEWORK_REFUSALS]
    return _page("Error codes", intro, f"{own}\n## Of every address\n\n{_table(head, others)}")


def openapi_document() -> str:
    """Return the description of the API, as /api/schema/ gives it: what changes in it is seen when it is reviewed."""
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiYamlRenderer

    generator: Any = SchemaGenerator
    renderer: Any = OpenApiYamlRenderer
    document = renderer().render(generator().get_schema(request=None, public=True), renderer_context={})
    return f"# Made by `manage.py generate_reference`; change the code, not this file.\n{document.decode()}"


def commands_page() -> str:
    """Return what `manage.py` can do beside Django's own commands."""
    intro = "Run as `.venv/bin/python manage.py COMMAND`. `make help` lists the shorter ones."
    return _page("Commands", intro, "\n".join(_command(app, name) for name, app in sorted(_own_commands())))


def _is_ours(path: Path) -> bool:
    """Tell the product's own folders from installed ones: the virtual environment may lie inside the project."""
    return path.is_relative_to(BASE_DIR) and not path.is_relative_to(sys.prefix)


def _own_errors() -> set[type[OrchestraError]]:
    for config in apps.get_app_configs():
        if _is_ours(Path(config.path)):
            _import_below(config.name, config.path)
    found, waiting = {OrchestraError}, [OrchestraError]
    while waiting:
        below = set(waiting.pop().__subclasses__()) - found
        found |= below
        waiting.extend(below)
    packages = {config.name.split(".")[0] for config in apps.get_app_configs()}
    return {kind for kind in found if kind.__module__.split(".")[0] in packages}


def _import_below(package: str, path: str) -> None:
    """Import what may define errors: everything of an application but migrations, commands and programs."""
    for module in pkgutil.walk_packages([path], f"{package}."):
        if not {"migrations", "management", "attach", "web", "zygote"} & set(module.name.split(".")):
            importlib.import_module(module.name)


def _own_commands() -> Iterator[tuple[str, str]]:
    for config in apps.get_app_configs():
        if _is_ours(Path(config.path)):
            for name in find_commands(str(Path(config.path) / "management")):
                yield name, config.name


def _command(app: str, name: str) -> str:
    command = load_command_class(app, name)
    parser = command.create_parser("manage.py", name)
    rows = [(f"`{_spelling(action)}`", _explanation(action)) for action in _own_arguments(parser)]
    table = _table(("Argument", "What it does"), rows)
    return f"## {name}\n\n{command.help}\n" + (f"\n{table}" if rows else "")


def _own_arguments(parser: ArgumentParser) -> Iterator[Action]:
    """Yield a command's arguments without those that Django gives to every command."""
    common = {"help", "version", "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color"}
    for action in parser._actions:
        if action.dest not in {*common, "skip_checks"} and action.help is not SUPPRESS:
            yield action


def _spelling(action: Action) -> str:
    words = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices:
        words = ", ".join(map(str, action.choices))
    if not action.option_strings:
        return words
    return action.option_strings[-1] if action.nargs == 0 else f"{action.option_strings[-1]} {words}"


def _explanation(action: Action) -> str:
    """Return an argument's help without its default, which depends on the settings of whoever asks."""
    return re.sub(r" \((default )?%\(default\)s\)", "", action.help or "")


def _page(title: str, intro: str, body: str) -> str:
    return f"# {title}\n\n{_MADE}\n\n{intro}\n\n{body.rstrip()}\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *(tuple(_cell(text) for text in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`" if text else "empty"
