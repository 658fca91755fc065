"""`manage.py rebuild_index`: the vectors of all passages, made or laid anew, and exchanged when they are complete."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from orchestra.common.errors import OrchestraError
from search import spaces
from search.indexing import approximate, mirroring, refilling
from search.retrieval import Space


class Command(BaseCommand):
    """Fills a space beside the one that is searched; may be stopped and started again."""

    help = "Make the vectors of all passages anew where the embedding model changed, and what else the index lacks."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --again."""
        parser.add_argument(
            "--again", action="store_true", help="lay all vectors anew, in the order of their owners, also without need"
        )

    def handle(self, *args: object, **options: object) -> None:
        """Fill, exchange, build the indexes of large owners."""
        with refilling.alone() as allowed:
            if not allowed:
                raise CommandError("Another process is at work on the index. Try again when it is done.")
            try:
                self._rebuild(again=bool(options["again"]))
            except OrchestraError as exc:
                raise CommandError(f"{exc.message} {exc.hint}".strip()) from exc

    def _rebuild(self, *, again: bool) -> None:
        active = spaces.active()
        if active is None:
            self.stdout.write("Nothing is indexed yet.")
            return
        if new := refilling.wanted_space(again=again):
            self._fill(new)
            while not refilling.finish(new):
                self._fill(new)
            self.stdout.write(f"Vectors of {new.model_id} are searched now.")
        else:
            self._fill(active)
        current = spaces.active() or active
        mirroring.rebuild(self.stdout.write)
        built = list(approximate.build_missing(current, settings.SEARCH_EXACT_ROWS))
        approximate.drop_needless(current, settings.SEARCH_EXACT_ROWS)
        self.stdout.write(f"The index is complete; {len(built)} indexes of large owners were built.")

    def _fill(self, space: Space) -> None:
        with Progress(console=Console(stderr=True)) as progress:
            task = progress.add_task(f"Vectors of {space.model_id}", total=None)
            for step in refilling.fill(space):
                progress.update(task, completed=step.done, total=step.total)
