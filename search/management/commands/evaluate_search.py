"""`manage.py evaluate_search DATASET`: how good search is, on questions whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from files import services
from files.selectors import files_of
from orchestra.common.errors import OrchestraError
from search.evaluation import collections, runner
from search.evaluation.runner import Configuration, Report
from search.evaluation.significance import Comparison
from search.retrieval import Tuning


class Command(BaseCommand):
    """Takes a collection in, asks its questions, prints the measures."""

    help = (
        "Measure search on a test collection: corpus.jsonl, queries.jsonl, qrels.tsv, and spans.jsonl if there is one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the collection and one or two configurations."""
        parser.add_argument("dataset", type=Path, metavar="DATASET", help="the collection's folder")
        parser.add_argument("--corpus", type=Path, metavar="FOLDER", help="where corpus.jsonl is, if not there")
        parser.add_argument("--mode", default="basic", metavar="CONFIGURATION", help="MODE[,weight=0.5][,depth=100]")
        parser.add_argument("--against", metavar="CONFIGURATION", help="compare with this one, question by question")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--remove", action="store_true", help="delete the collection's files afterwards")

    def handle(self, *args: object, **options: object) -> None:
        """Ingest, run, print."""
        try:
            self._evaluate(options)
        except OrchestraError as exc:
            raise CommandError(f"{exc.message} {exc.hint}".strip()) from exc

    def _evaluate(self, options: dict[str, object]) -> None:
        corpus = options["corpus"]
        collection = collections.load(Path(str(options["dataset"])), Path(str(corpus)) if corpus else None)
        chosen = [parsed(str(options[name])) for name in ("mode", "against") if options[name]]
        owner = runner.account_for(collection)
        with _progress() as tell:
            statuses = runner.take_in(collection, owner, tell)
            reports = [runner.run(collection, owner, configuration, tell) for configuration in chosen]
        comparison = reports[0].against(reports[1]) if len(reports) > 1 else None
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(reports, comparison, statuses), indent=2))
        else:
            Console().print(_table(reports, comparison))
            Console().print(f"{len(collection.questions)} questions; files: {statuses}")
        if options["remove"]:
            for file in files_of(owner):
                services.delete(file)
            owner.delete()


def parsed(text: str) -> Configuration:
    """Return the configuration that `MODE[,weight=W][,depth=D]` stands for. Raises CommandError."""
    mode, *changes = text.split(",")
    if mode not in settings.SEARCH_MODES:
        raise CommandError(f"There is no mode {mode}. Choose one of: {', '.join(settings.SEARCH_MODES)}.")
    weight, depth = settings.SEARCH_WEIGHT, settings.SEARCH_DEPTH
    for change in changes:
        name, _, value = change.partition("=")
        try:
            if name == "weight":
                weight = float(value)
            elif name == "depth":
                depth = int(value)
            else:
                raise CommandError(f"{name} cannot be set. Write weight=… or depth=….")
        except ValueError as exc:
            raise CommandError(f"{value} is not a number.") from exc
    if not (0 <= weight <= 1 and 1 <= depth <= 1000):
        raise CommandError("The weight lies between 0 and 1, the depth between 1 and 1000.")
    return Configuration(mode, Tuning(weight, depth))


@contextmanager
def _progress() -> Iterator[runner.Tell]:
    with Progress(console=Console(stderr=True)) as progress:
        tasks: dict[str, object] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total or None)
            progress.update(tasks[what], completed=done)  # type: ignore[arg-type]  # rich's own id

        yield tell


def _table(reports: list[Report], comparison: dict[str, Comparison] | None) -> Table:
    table = Table(
        "", *(str(report.configuration) for report in reports), *(["difference", "95 %", "p"] if comparison else [])
    )
    means = [report.means() for report in reports]
    for name in means[0]:
        row = [name, *(f"{mean[name]:.4f}" for mean in means)]
        if comparison:
            found = comparison[name]
            row += [f"{found.difference:+.4f}", f"{found.low:+.4f} … {found.high:+.4f}", f"{found.p:.4f}"]
        table.add_row(*row)
    for label, share in (("p50 ms", 0.5), ("p95 ms", 0.95)):
        table.add_row(label, *(f"{report.latency(share):.1f}" for report in reports))
    return table


def _as_json(
    reports: list[Report], comparison: dict[str, Comparison] | None, statuses: dict[str, int]
) -> dict[str, object]:
    runs = [
        {
            "configuration": str(report.configuration),
            **report.means(),
            "p50_ms": report.latency(0.5),
            "p95_ms": report.latency(0.95),
        }
        for report in reports
    ]
    compared = {name: asdict(found) for name, found in comparison.items()} if comparison else None
    return {"runs": runs, "comparison": compared, "files": statuses}
