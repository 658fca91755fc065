"""`manage.py prepare_model [--check]`: the embedding model in the form that the engine loads, and is it right?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orchestra.common.errors import OrchestraError
from search.embedders import embedders
from search.evaluation.likeness import Likeness, compare, reference_collection
from search.indexing.embedders.sentence_transformers import SentenceTransformerEmbedder
from search.indexing.embedding import Embedder


class Command(BaseCommand):
    """Makes what the first embedding would make, and compares the engine with the reference."""

    help = (
        "Prepare the embedding model for the configured engine, where that was not done before. --check compares the "
        "engine with sentence-transformers and exits with 1 when it is off."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="compare the engine with the reference")

    def handle(self, *args: object, **options: object) -> None:
        """Prepare, print, compare."""
        embedder = embedders["default"]
        try:
            self._prepare(embedder)
            if options["check"]:
                self._check(embedder)
        except OrchestraError as exc:
            raise CommandError(f"{exc.message} {exc.hint}".strip()) from exc

    def _prepare(self, embedder: Embedder) -> None:
        before = _prepared()
        started = time.perf_counter()
        embedder.embed_query("Is the model there?")
        seconds = time.perf_counter() - started
        self.stdout.write(f"{_engine()} runs {embedder.model_id}.")
        made = sorted(_prepared() - before)
        for path in made:
            self.stdout.write(f"Made {path} ({path.stat().st_size / 1024**2:.1f} MB).")
        done = "Prepared and loaded" if made else "Nothing was to be prepared; loaded"
        self.stdout.write(f"{done} in {seconds:.1f} s.")

    def _check(self, embedder: Embedder) -> None:
        started = time.perf_counter()
        likeness = compare(embedder, SentenceTransformerEmbedder(), reference_collection())
        for line in _lines(likeness):
            self.stdout.write(line)
        self.stdout.write(f"Compared with sentence-transformers in {time.perf_counter() - started:.1f} s.")
        if likeness.faults:
            hint = "Set EMBEDDING_ENGINE to another engine; onnx and sentence-transformers compute in fp32."
            raise CommandError(" ".join([*likeness.faults, hint]))
        self.stdout.write(self.style.SUCCESS("The engine may be used."))


def _lines(likeness: Likeness) -> list[str]:
    change = likeness.ndcg - likeness.reference_ndcg
    return [
        f"cosine to the reference: least {likeness.least_cosine:.5f}, mean {likeness.mean_cosine:.5f}",
        f"same nearest ten: {likeness.same_nearest:.3f}",
        f"nDCG@10: {likeness.ndcg:.4f}, the reference {likeness.reference_ndcg:.4f} ({change:+.4f})",
    ]


def _engine() -> str:
    return str(settings.EMBEDDERS["default"]["BACKEND"]).rpartition(".")[2]


def _prepared() -> set[Path]:
    """Return the files of prepared models: of the engines that keep any, in the folder that they are told."""
    entry: dict[str, Any] = settings.EMBEDDERS["default"]
    folder = entry.get("OPTIONS", {}).get("cache_dir")
    return {path for path in Path(folder).rglob("*") if path.is_file()} if folder else set()
