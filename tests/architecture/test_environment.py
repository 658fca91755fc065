"""The environment is read in one place."""

from __future__ import annotations

import ast

from tests.architecture.tree import parsed, sources

READER = "orchestra/settings/env.py"
EXCEPTIONS = {
    "celery_app.py": "names Django's settings module before Django is set up",
    "manage.py": "names Django's settings module before Django is set up",
    "orchestra/asgi.py": "names Django's settings module before Django is set up",
    "orchestra/wsgi.py": "names Django's settings module before Django is set up",
    "orchestra/embedded/processes.py": "hands the environment on to PostgreSQL's programs, cleaned",
    "orchestra/embedded/supervisor.py": "hands the environment on to web, worker and beat",
    "orchestra/static/client/orchestra_client.py": "runs on the machine of whoever copies it",
    "files/extraction/isolation/reader_process.py": "tells libraries where temporary files may be",
    "files/extraction/isolation/fork_server.py": "hands three names on to a reader, keeps all others",
}


NAMES = {"environ", "environb", "getenv", "getenvb"}


def _reads_environment(tree: ast.Module) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr in NAMES and getattr(node.value, "id", "") == "os")
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and NAMES & {name.name for name in node.names})
        for node in ast.walk(tree)
    )


def test_the_environment_is_read_in_one_place() -> None:
    readers = {str(path) for path in sources(tests=False) if _reads_environment(parsed(path))}
    assert readers - {READER} == set(EXCEPTIONS), "state a reason above, or read the value in orchestra/settings/env.py"
