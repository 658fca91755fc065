"""The search page: a plain GET form, so that a search can be linked, reloaded and made without JavaScript.

A private question is sent by POST instead and stands in no address; so is a question in a conversation, which is kept.
With JavaScript, modes that take their time are sent by POST too and answer with events; the last one holds what the
page shows of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views import View

from files.selectors import counts_by_status
from files.states import SEARCHABLE
from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from search import conversations, services, talking
from search.absence import absences
from search.answering.answer import Answer
from search.api.events import event_of
from search.asking import Asked, allowed_modes, asked_by
from search.comparing import compare
from search.errors import ConversationNotFound
from search.event_stream import MEDIA_TYPE, EventStream
from search.forms import CompareForm
from search.models import Conversation, Turn
from search.modes.base import SearchMode
from search.retrieval import SearchResult
from search.services import Options
from search.talking import Talk

_PAGE = "search/search.html"
_MOST_TURNS = 20
_MOST_CONVERSATIONS = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """A mode that the user may choose, and the address of the page in it."""

    mode: SearchMode
    address: str


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """A turn that was kept, and its answer; None where it had none."""

    turn: Turn
    answer: Answer | None


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


class SearchPage(LoginRequiredMixin, View):
    """One box, the modes, and what was found."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Run the search of the address, if there is one, or show the conversation that it names.

        Of a private search the address holds nothing to search for.
        """
        user, asked = _user(request), asked_by(_user(request), request.GET)
        context = _surroundings(user, asked)
        if named := request.GET.get("conversation", ""):
            try:
                context |= _talked(_conversation(user, named))
            except ConversationNotFound as exc:
                raise Http404 from exc
        elif asked.private:
            context["query"] = ""
        elif asked.query:
            context |= _found(user, asked, None)
            if (missing := request.GET.get("missing", "").strip()) and "result" in context:
                context |= _missing(user, asked, missing)
        return render(request, _PAGE, context)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Search for the question of the form: as a page, or as events for who asks for them."""
        user, asked = _user(request), asked_by(_user(request), request.POST)
        context = _surroundings(user, asked)
        try:
            talk = None if asked.private else _talk(user, request)
            if asked.ready and request.headers.get("Accept") == MEDIA_TYPE:
                return _streamed(request, asked, talk, context)
        except OrchestraError as error:
            return render(request, _PAGE, {**context, "error": error}, status=error.status)
        if asked.query:
            context |= _found(user, asked, talk)
        response = render(request, _PAGE, context)
        response["Cache-Control"] = "no-store"
        return response


def _streamed(request: HttpRequest, asked: Asked, talk: Talk | None, context: dict[str, Any]) -> HttpResponseBase:
    """Return the running search as events. Raises what a search raises before it begins."""
    user = _user(request)

    def shown(result: SearchResult) -> dict[str, Any]:
        html = render_to_string("search/results.html", {**context, **_shown(user, asked, result)}, request)
        return {"html": html, "address": _address(asked, result)}

    running = services.begin(user, asked.query, mode=asked.mode.name, **_options(user, asked, talk))
    return EventStream(running, event_of, shown)


def _address(asked: Asked, result: SearchResult) -> str | None:
    """Return the address under which a result is found again; None for a private one."""
    if asked.private:
        return None
    if result.conversation is not None:
        return asked.without_question().address(conversation=str(result.conversation))
    return asked.address()


def _options(user: User, asked: Asked, talk: Talk | None) -> Options:
    return {
        "scope": asked.filters.scope(user),
        "persona": asked.facts,
        "talk": talk,
        "by_file": True,
        "explain": True,
    }


def _found(user: User, asked: Asked, talk: Talk | None) -> dict[str, Any]:
    """Return what a question found, or what is wrong with it; nothing where the page's filters say that themselves."""
    if not asked.ready:
        return {"error": asked.error} if asked.error else {}
    try:
        result = services.search(user, asked.query, mode=asked.mode.name, **_options(user, asked, talk))
        return _shown(user, asked, result)
    except OrchestraError as error:
        return {"error": error}


def _shown(user: User, asked: Asked, result: SearchResult) -> dict[str, Any]:
    """Return a result with its conversation, or with what a follow-up begins one with."""
    if asked.private:
        return {"result": result}
    if result.conversation is not None:
        talked = _talked(conversations.get_conversation(user, result.conversation))
        return {**talked, "turns": talked["turns"][:-1], "result": result, "query": ""}
    first = talking.turn_of(result, asked.persona.pk if asked.persona else None)
    return {"result": result, "begun": talking.sealed(user, first)}


def _talked(conversation: Conversation) -> dict[str, Any]:
    turns = conversations.turns_of(conversation, _MOST_TURNS)
    return {
        "conversation": conversation,
        "turns": [ShownTurn(turn, talking.kept_answer(turn)) for turn in turns],
    }


def _talk(user: User, request: HttpRequest) -> Talk | None:
    """Return the conversation that a form continues or begins. Raises ConversationNotFound."""
    if named := request.POST.get("conversation", ""):
        return Talk(_conversation(user, named))
    if begun := request.POST.get("begun", ""):
        return Talk(first=talking.unsealed(user, begun))
    return None


def _conversation(user: User, named: str) -> Conversation:
    try:
        return conversations.get_conversation(user, UUID(named))
    except ValueError as exc:
        raise ConversationNotFound from exc


def _missing(user: User, asked: Asked, missing: str) -> dict[str, Any]:
    try:
        return {"missing": missing, "absences": absences(user, asked.query, missing, asked.scope(user))}
    except OrchestraError as error:
        return {"error": error}


def _surroundings(user: User, asked: Asked) -> dict[str, Any]:
    """Return what the page shows whatever is found."""
    counts = counts_by_status(user)
    total, searchable = sum(counts.values()), sum(counts.get(status, 0) for status in SEARCHABLE)
    return {
        "asked": asked,
        "query": asked.query,
        "mode": asked.mode,
        "private": asked.private,
        "choices": [Choice(one, asked.address(one)) for one in allowed_modes(user)],
        "recent": conversations.conversations_of(user)[:_MOST_CONVERSATIONS],
        "total": total,
        "searchable": searchable,
        "not_searchable": total - searchable,
    }


class ComparePage(LoginRequiredMixin, View):
    """One question through two modes, side by side. Sent by POST, so that no address holds the question."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        form = CompareForm(None, allowed_modes(_user(request)), initial={"first": "basic", "second": "deep"})
        return render(request, "search/compare.html", {"form": form})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask both modes and show what each found."""
        user = _user(request)
        form = CompareForm(request.POST, allowed_modes(user))
        context: dict[str, Any] = {"form": form}
        if form.is_valid():
            said = form.cleaned_data
            try:
                context["compared"] = compare(user, said["q"], [said["first"], said["second"]])
            except OrchestraError as error:
                context["error"] = error
        response = render(request, "search/compare.html", context)
        response["Cache-Control"] = "no-store"
        return response


class DeleteConversationView(LoginRequiredMixin, View):
    """The end of one conversation: for pages without JavaScript."""

    def post(self, request: HttpRequest, conversation_id: UUID) -> HttpResponse:
        """Delete it with its turns."""
        try:
            conversations.delete(_user(request), conversation_id)
        except ConversationNotFound as exc:
            raise Http404 from exc
        messages.success(request, "The conversation was deleted.")
        return redirect("search")


class DeleteConversationsView(LoginRequiredMixin, View):
    """The end of all of them."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Delete the user's conversations with their turns."""
        deleted = conversations.delete_all(_user(request))
        messages.success(request, f"{deleted} conversation{'' if deleted == 1 else 's'} deleted.")
        return redirect("search")
