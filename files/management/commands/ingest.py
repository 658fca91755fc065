"""`manage.py ingest PATH…`: files and folders into Orchestra, with a progress bar and a table of results."""

from __future__ import annotations

import json
import time
from argparse import ArgumentTypeError
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from files.ingesting import Ingested, ingest, regular_files
from files.models import FileRecord
from files.selectors import files_of
from files.states import TERMINAL
from orchestra.accounts.models import User
from orchestra.accounts.selectors import UserNotFound, user_for_command

_POLL_SECONDS = 0.5


def _existing(value: str) -> Path:
    path = Path(value)
    if not path.exists():
        raise ArgumentTypeError(f"there is no {value}")
    return path


class Command(BaseCommand):
    """Uploads paths of this machine for a user and waits until they are read."""

    help = "Take files and folders in, wait until they are read, and print what became of each."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take paths, the user, tags."""
        parser.add_argument(
            "paths", nargs="+", type=_existing, metavar="PATH", help="a file, or a folder with all below it"
        )
        parser.add_argument("--user", default="", help="whose files (default: the first administrator's)")
        parser.add_argument(
            "--tag", action="append", default=[], dest="tags", metavar="TAG", help="give each file this tag; repeatable"
        )
        parser.add_argument("--no-wait", action="store_true", help="do not wait until the files are read")
        parser.add_argument("--timeout", type=float, default=3600, help="seconds to wait at most (default: 3600)")
        parser.add_argument("--json", action="store_true", help="print the results as JSON lines")

    def handle(self, *args: object, **options: object) -> None:
        """Take in, wait, print. Exits with 1 when a file was refused or failed."""
        try:
            user = user_for_command(str(options["user"]))
        except UserNotFound as exc:
            raise CommandError(f"{exc.message} {exc.hint}") from exc
        paths: list[Path] = list(regular_files(options["paths"]))  # type: ignore[arg-type]  # parsed by add_arguments
        tags = tuple(options["tags"])  # type: ignore[arg-type, var-annotated]  # parsed by add_arguments
        with _progress() as progress:
            taken = [
                ingest(user, path, tags) for path in progress.track(paths, description="Taking in", total=len(paths))
            ]
            if not options["no_wait"]:
                _wait(user, taken, progress, float(str(options["timeout"])))
        results = _results(user, taken)
        if options["json"]:
            self.stdout.write("\n".join(json.dumps(row) for row in results))
        else:
            Console().print(_table(results))
        if bad := sum(row["status"] in ("refused", "failed") for row in results):
            raise CommandError(f"{bad} of {len(results)} files could not be read.")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _wait(user: User, taken: Iterable[Ingested], progress: Progress, timeout: float) -> None:
    ids = {item.file_id for item in taken if item.file_id}
    task = progress.add_task("Reading", total=len(ids))
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        done = files_of(user).filter(pk__in=ids, status__in=TERMINAL).count()
        progress.update(task, completed=done)
        if done >= len(ids):
            return
        time.sleep(_POLL_SECONDS)


def _results(user: User, taken: Iterable[Ingested]) -> list[dict[str, object]]:
    items = list(taken)
    files: dict[UUID, FileRecord] = files_of(user).in_bulk([item.file_id for item in items if item.file_id])
    return [_result(item, files.get(item.file_id) if item.file_id else None) for item in items]


def _result(item: Ingested, file: FileRecord | None) -> dict[str, object]:
    if file is None:
        reason = item.problem or "deleted meanwhile"
        return {"path": str(item.path), "id": None, "status": "refused", "passages": 0, "note": reason}
    note = file.error_message or "; ".join(dict.fromkeys(warning["message"] for warning in file.warnings))
    return {
        "path": str(item.path),
        "id": str(file.pk),
        "status": file.status,
        "passages": file.chunk_count,
        "note": note or ("was here already" if item.duplicate else ""),
    }


def _table(results: list[dict[str, object]]) -> Table:
    table = Table("File", "Status", "Passages", "Note")
    colours = {"ready": "green", "partial": "yellow", "failed": "red", "refused": "red"}
    for row in results:
        status = str(row["status"])
        # Text, not markup: names come from outside.
        cells = [str(row["path"]).replace("[", "\\["), f"[{colours.get(status, 'white')}]{status}[/]"]
        table.add_row(*cells, str(row["passages"]), str(row["note"]).replace("[", "\\["))
    return table
