"""What a whole file says of itself: the title that its passages are embedded with, and the language of its words.

Between `files.extraction_stage`, which stored both the record and the text, and whoever embeds: the index stage, and
`refilling`, which must come to the same title.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from django.conf import settings

from files.models import FileRecord
from files.selectors import segments_of
from search.indexing import languages
from search.indexing.context import title_of
from search.indexing.languages import FileLanguage

_FIRST_SEGMENTS = 200


class About(NamedTuple):
    """What the whole file says of itself."""

    title: str
    language: FileLanguage

    @classmethod
    def of(cls, file: FileRecord) -> Self:
        """Return it from the record and from enough of the text."""
        texts = segments_of(file).values_list("text", flat=True)[:_FIRST_SEGMENTS]
        beginning = languages.sample(texts.iterator(chunk_size=50))
        language = languages.of_file(file.kind, file.language, beginning)
        return cls(title_of(file.metadata, file.name, beginning), language)

    @property
    def configuration(self) -> str:
        """The text search configuration that stems the file's words."""
        return languages.configuration(self.language.of_words, settings.TEXT_SEARCH_CONFIG)
