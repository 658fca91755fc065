"""How pages show hits: snippets with their matched words marked, links to the place in the file."""

from __future__ import annotations

from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from search.addresses import passage_address
from search.answering.answer import Answer, Citation
from search.ranking.highlighting import Snippet
from search.retrieval import Hit

register = template.Library()


@register.filter
def highlighted(snippet: Snippet) -> SafeString:
    """Return a snippet as HTML, its spans in <mark>. Every piece of its text is escaped by itself."""
    pieces: list[str] = []
    position = 0
    for start, end in sorted(snippet.spans):
        if start < position or end <= start:
            continue
        pieces.append(conditional_escape(snippet.text[position:start]))
        pieces.append(format_html("<mark>{}</mark>", snippet.text[start:end]))
        position = end
    pieces.append(conditional_escape(snippet.text[position:]))
    return mark_safe("".join(pieces))  # noqa: S308  # made of escaped pieces only


@register.simple_tag
def hit_address(hit: Hit) -> str:
    """Return the address of the hit's place in its file's page."""
    return passage_address(hit.file_id, hit.place)


@register.simple_tag
def search_address(question: str, mode: str = "") -> str:
    """Return the address of the search page with a question asked."""
    return f"{reverse('search')}?{urlencode({'q': question} | ({'mode': mode} if mode else {}))}"


@register.simple_tag
def cited(answer: Answer, number: int) -> Citation | None:
    """Return the citation that an answer has under a number."""
    return next((one for one in answer.citations if one.number == number), None)


@register.simple_tag
def citation_address(citation: Citation) -> str:
    """Return the address of a cited passage in its file's page."""
    return passage_address(citation.file_id, citation.place)


@register.filter
def mode_name(alias: str) -> str:
    """Return a mode's alias as people read it."""
    return alias.replace("_", " ").capitalize()


@register.filter
def percent(score: float) -> int:
    """Return a score between 0 and 1 as a whole number of hundredths."""
    return round(100 * score)
