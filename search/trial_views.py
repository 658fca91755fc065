"""The editor of personas with a trial answer: above `personas`, whose pages know no search."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from orchestra.accounts.models import User
from orchestra.common.errors import OrchestraError
from personas import selectors, services
from personas.errors import InvalidPersona
from personas.forms import PersonaForm
from personas.models import Persona
from personas.prompting import system_text
from personas.views import EDITOR, editor_context, persona_or_404
from search.trials import tried


class PersonaTrialPage(LoginRequiredMixin, View):
    """A persona as its form has it, or as it is for who may not change it, and its answer to a question."""

    def post(self, request: HttpRequest, persona_id: UUID | None = None) -> HttpResponse:
        """Show the answer below the form. Nothing is saved."""
        user = cast(User, request.user)
        persona = persona_or_404(request, persona_id) if persona_id else None
        context = editor_context(request, persona) if persona else {}
        context["question"] = request.POST.get("question", "").strip()
        if persona is None or selectors.may_change(user, persona):
            context["form"] = PersonaForm(user, request.POST, persona)
            persona = _drafted(context["form"])
        if persona is None:
            return render(request, EDITOR, context, status=400)
        context |= {"preview": system_text(persona.prompt, persona.tone), "previewed": "form" in context}
        try:
            context["tried"] = tried(user, persona, context["question"])
        except OrchestraError as error:
            context["trial_error"] = error
        response = render(request, EDITOR, context)
        response["Cache-Control"] = "no-store"
        return response


def _drafted(form: PersonaForm) -> Persona | None:
    """Return the persona of a form, unsaved; None where the form says what is wrong with it."""
    if not form.is_valid():
        return None
    try:
        return services.draft(form.values())
    except InvalidPersona as error:
        form.add_wrong(error)
        return None
