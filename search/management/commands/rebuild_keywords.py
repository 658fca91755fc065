"""`manage.py rebuild_keywords`: keywords of files that were indexed before, made anew from their passages."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandParser

from search.indexing.rebuild import outdated, rebuild_keywords
from search.models import IndexedFile


class Command(BaseCommand):
    """Rebuilds postings file by file; may be stopped and started again."""

    help = "Make the keywords of indexed files again, after an update or a change of TEXT_SEARCH_CONFIG."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --all."""
        parser.add_argument("--all", action="store_true", help="every file, not only where it changes something")

    def handle(self, *args: object, **options: object) -> None:
        """Rebuild and print how many files that were."""
        documents = IndexedFile.objects.order_by("number") if options["all"] else outdated()
        count = sum(1 for _ in rebuild_keywords(documents))
        self.stdout.write(f"{count} files have new keywords.")
