"""`manage.py search "…"`: the same search as the API's, in the terminal."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser

from files.places import describe_place
from orchestra.accounts.selectors import user_for_command
from orchestra.common.errors import OrchestraError
from search import services
from search.retrieval import Hit, SearchResult


class Command(BaseCommand):
    """Searches one user's files and prints the hits."""

    help = "Search a user's files by meaning and by word."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the question, the user, the number of hits."""
        parser.add_argument("query", help="a question or some words")
        parser.add_argument("--user", default="", help="whose files (default: the first administrator's)")
        parser.add_argument("--mode", default="basic", help="how to search (default: basic)")
        parser.add_argument("--limit", type=int, default=5, help="hits to print (default: 5)")

    def handle(self, *args: object, **options: str | int) -> None:
        """Search and print."""
        try:
            user = user_for_command(str(options["user"]))
            result = services.search(
                user, str(options["query"]), mode=str(options["mode"]), limit=max(1, int(options["limit"]))
            )
        except OrchestraError as exc:
            raise CommandError(f"{exc.message} {exc.hint}") from exc
        self._say(result)
        for rank, hit in enumerate(result.hits, 1):
            self._print(rank, hit)
        self.stdout.write(f"{len(result.hits)} hits in {result.timings['total']:.0f} ms")

    def _say(self, result: SearchResult) -> None:
        """Print the steps, the answer and its citations, where the mode has them."""
        for step in result.steps:
            self.stdout.write(f"step {step.number}: {step.asked} ({step.found} new passages)")
        for sentence in result.answer.sentences if result.answer else ():
            marks = "".join(f"[{number}]" for number in sentence.citations) or "(not found in the files)"
            self.stdout.write(f"{sentence.text} {marks}")
        for citation in result.answer.citations if result.answer else ():
            place = describe_place(citation.place)
            self.stdout.write(f"   [{citation.number}] {citation.file_name}{', ' if place else ''}{place}")
        for note in result.notes:
            self.stdout.write(self.style.WARNING(note))

    def _print(self, rank: int, hit: Hit) -> None:
        place = describe_place(hit.place)
        where = f"{hit.file_name}, {place}" if place else hit.file_name
        self.stdout.write(
            f"{rank}. {self.style.MIGRATE_HEADING(where)}  score {hit.score:.3f} "
            f"(vector {hit.parts.vector:.3f}, keyword {hit.parts.keyword:.2f})"
        )
        text, end = "", 0
        for start, stop in hit.snippet.spans:
            text += hit.snippet.text[end:start] + self.style.WARNING(hit.snippet.text[start:stop])
            end = stop
        self.stdout.write("   " + " ".join((text + hit.snippet.text[end:]).split()) + "\n")
