"""`manage.py stop`: end this clone's `run` and whatever it left, found by what it recorded."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from orchestra.common.errors import OrchestraError
from orchestra.embedded.processes import wait_until
from orchestra.embedded.run_record import RunRecord, end_leftovers, is_held, run_directories
from orchestra.embedded.services import stop_servers

ORDERLY_SECONDS = 60  # the programs' grace, then the servers'


class Command(BaseCommand):
    """Stop Orchestra in this folder."""

    help = "Stop what `run` started in this folder, also after its parent was killed."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Stop the parent if it lives, then leftovers, then the servers."""
        for directory in run_directories(settings.STATE_DIR):
            self._stop_run(directory)
        try:
            for label in stop_servers():
                self.stdout.write(f"{label} stopped.")
        except OrchestraError as error:
            raise CommandError(f"{error.message} {error.hint}") from error
        self.stdout.write("Orchestra does not run in this folder.")

    def _stop_run(self, directory: Path) -> None:
        record = RunRecord.read(directory)
        if record is None:
            return
        self._stop_parent(directory, record)
        left = end_leftovers(record.token, grace=5)
        if left:
            self.stdout.write(f"Ended {left} processes that a killed run had left.")

    def _stop_parent(self, state: Path, record: RunRecord) -> None:
        parent = record.process()
        if parent is None or not is_held(state):
            return
        self.stdout.write(f"Stopping Orchestra (process {record.pid})...")
        with contextlib.suppress(psutil.Error):
            parent.terminate()
            if not wait_until(lambda: not is_held(state), ORDERLY_SECONDS):
                parent.kill()
