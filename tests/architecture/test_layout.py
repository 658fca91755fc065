"""The top level is fixed, and no module is named after nothing."""

from __future__ import annotations

from tests.architecture.tree import PACKAGES, tracked

TOP_LEVEL = {
    *PACKAGES,
    *("manage.py", "celery_app.py", "requirements.txt", "requirements-dev.txt", "requirements.lock", "floors.toml"),
    *("templates", "tests", "docs", "deploy"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"),
    *("Makefile", "pyproject.toml", ".env.example", ".ci", ".gitignore", ".dockerignore"),
}
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "manager", "managers", "misc"}


def test_nothing_new_stands_at_the_top() -> None:
    assert {path.parts[0] for path in tracked()} <= TOP_LEVEL


def test_python_packages_at_the_top_are_the_known_ones() -> None:
    packages = {path.parts[0] for path in tracked("*.py") if len(path.parts) > 1}
    assert packages <= {*PACKAGES, "tests"}


def test_module_names_say_what_is_in_them() -> None:
    named_badly = [str(path) for path in tracked("*.py") if SAYS_NOTHING & {path.stem, *path.parent.parts}]
    assert named_badly == []
