"""The pages of personas: the gallery, and one page to make, read and change one. Plain forms, no script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views import View
from django.views.generic import TemplateView

from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from personas import exchange, selectors, services
from personas.downloads import export_of
from personas.errors import InvalidPersona, PersonaNotFound
from personas.forms import PersonaForm
from personas.models import Persona
from personas.prompting import system_text

PAGE_SIZE = 50
EDITOR = "personas/persona.html"
"""Also shown by `search.trial_views`, with an answer."""


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def persona_or_404(request: HttpRequest, persona_id: UUID) -> Persona:
    """Return one persona that the caller may use. Raises Http404."""
    try:
        return selectors.get_persona(_user(request), persona_id)
    except PersonaNotFound as exc:
        raise Http404 from exc


class GalleryPage(LoginRequiredMixin, TemplateView):
    """The personas that the caller may use."""

    template_name = "personas/gallery.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add a page of personas, by name."""
        user = _user(self.request)
        page = Paginator(selectors.visible_to(user), PAGE_SIZE).get_page(self.request.GET.get("page"))
        return super().get_context_data(page=page, views=selectors.with_access(user, page.object_list), **kwargs)


class NewPersonaPage(LoginRequiredMixin, View):
    """The editor without a persona yet."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show an empty form."""
        return render(request, EDITOR, {"form": PersonaForm(_user(request))})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make the persona, or show what its prompt would be."""
        user = _user(request)
        form = PersonaForm(user, request.POST)
        return _saved(request, form, lambda values: services.create(user, values), {})


class PersonaPage(LoginRequiredMixin, View):
    """One persona: the editor for who may change it, its text for others."""

    def get(self, request: HttpRequest, persona_id: UUID) -> HttpResponse:
        """Show the persona with its composed prompt."""
        persona = persona_or_404(request, persona_id)
        context = editor_context(request, persona)
        if context["view_of"].changeable:
            context["form"] = PersonaForm(_user(request), persona=persona)
        return render(request, EDITOR, {**context, "preview": system_text(persona.prompt, persona.tone)})

    def post(self, request: HttpRequest, persona_id: UUID) -> HttpResponse:
        """Change the persona, or show what its prompt would be."""
        persona, user = persona_or_404(request, persona_id), _user(request)
        if not selectors.may_change(user, persona):
            raise PermissionDenied
        form = PersonaForm(user, request.POST, persona)
        return _saved(
            request, form, lambda values: services.replace(user, persona, values), editor_context(request, persona)
        )


def editor_context(request: HttpRequest, persona: Persona) -> dict[str, Any]:
    """Return what the editor shows of a persona beside its form."""
    (view,) = selectors.with_access(_user(request), [persona])
    return {"persona": persona, "view_of": view}


def _saved(
    request: HttpRequest, form: PersonaForm, save: Callable[[dict[str, Any]], Persona], context: dict[str, Any]
) -> HttpResponse:
    """Save what a form says and go to its page; or show the form again, with a preview or what is wrong."""
    error: OrchestraError | None = None
    if form.is_valid():
        values = form.values()
        if "preview" in request.POST:
            preview = system_text(values["prompt"], values["tone"])
            return render(request, EDITOR, {**context, "form": form, "preview": preview, "previewed": True})
        try:
            persona = save(values)
            messages.success(request, f"{persona.name} was saved.")
            return redirect("persona", persona_id=persona.pk)
        except InvalidPersona as exc:
            form.add_wrong(exc)
        except OrchestraError as exc:
            error = exc
    return render(request, EDITOR, {**context, "form": form, "error": error}, status=error.status if error else 400)


class PersonaActionView(LoginRequiredMixin, View):
    """Clone, delete, choose as default: for pages without JavaScript."""

    def post(self, request: HttpRequest, persona_id: UUID, action: str) -> HttpResponse:
        """Do the action and go to where it leaves the user."""
        if action not in _ACTIONS:
            raise Http404
        persona = persona_or_404(request, persona_id)
        try:
            return _ACTIONS[action](request, persona)
        except OrchestraError as exc:
            messages.error(request, f"{exc.message} {exc.hint}")
            return redirect("personas")


def _clone(request: HttpRequest, persona: Persona) -> HttpResponse:
    copy = services.clone(_user(request), persona)
    messages.success(request, "This copy is yours: change it as you like.")
    return redirect("persona", persona_id=copy.pk)


def _delete(request: HttpRequest, persona: Persona) -> HttpResponse:
    services.delete(_user(request), persona)
    messages.success(request, f"{persona.name} was deleted.")
    return redirect("personas")


def _make_default(request: HttpRequest, persona: Persona) -> HttpResponse:
    services.make_default(_user(request), persona)
    messages.success(request, f"Your searches use {persona.name} from now on.")
    return redirect("personas")


def _clear_default(request: HttpRequest, persona: Persona) -> HttpResponse:
    services.clear_default(_user(request))
    messages.success(request, "Your searches use no persona from now on.")
    return redirect("personas")


_ACTIONS: dict[str, Callable[[HttpRequest, Persona], HttpResponse]] = {
    "clone": _clone,
    "delete": _delete,
    "default": _make_default,
    "no-default": _clear_default,
}


class ExportView(LoginRequiredMixin, View):
    """A persona as a file."""

    def get(self, request: HttpRequest, persona_id: UUID) -> HttpResponse:
        """Send the persona as a JSON document."""
        return export_of(persona_or_404(request, persona_id))


class ImportView(LoginRequiredMixin, View):
    """A persona from a file."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make a private persona from the uploaded file, and show it."""
        try:
            persona = services.import_document(_user(request), _document(request))
        except OrchestraError as exc:
            messages.error(request, _said(exc))
            return redirect("personas")
        messages.success(request, f"{persona.name} was imported. It is private until you share it.")
        return redirect("persona", persona_id=persona.pk)


def _document(request: HttpRequest) -> object:
    file = request.FILES.get("file")
    return exchange.parsed(file.read(exchange.MOST_BYTES + 1) if file else b"")


def _said(error: OrchestraError) -> str:
    """Return an error with what it says of each field."""
    by_field = error.by_field if isinstance(error, InvalidPersona) else {}
    fields = [f"{name}: {' '.join(said)}" for name, said in by_field.items()]
    return " ".join(filter(None, (error.message, *fields, error.hint)))
