"""The evaluation pages, for staff: own questions, runs over them, what was measured. Plain forms, no script."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views import View
from django.views.generic import TemplateView

from orchestra.accounts.models import User
from orchestra.common import staff
from orchestra.common.errors import OrchestraError
from search.evaluation import own_questions, own_runs
from search.evaluation.forms import ConfigurationForm, QuestionForm
from search.evaluation.shown_runs import figures_of, shown

RUNS_SHOWN = 20


class StaffOnly(staff.StaffOnly):
    """A page for staff, who are users of ours."""

    @property
    def user(self) -> User:
        """Who asks."""
        return cast(User, self.request.user)


def _context(user: User, **more: Any) -> dict[str, Any]:
    """Return what the page shows; `more` replaces forms by those that were sent."""
    question: QuestionForm = more.get("question_form") or QuestionForm()
    chosen = question.file_ids()
    runs = own_runs.runs_of(user)[:RUNS_SHOWN]
    return {
        "first": ConfigurationForm(prefix="first"),
        "second": ConfigurationForm(prefix="second", may_be_left=True),
        "question_form": question,
        "chosen": chosen,
        "files": own_questions.files_to_choose(user, question.part, chosen),
        "questions": own_questions.questions_of(user),
        "most_questions": own_questions.MOST_QUESTIONS,
        "runs": [(run, figures_of(run)) for run in runs],
        **more,
    }


class EvaluationPage(StaffOnly, TemplateView):
    """The questions, the forms, the earlier runs."""

    template_name = "search/evaluation.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add everything the page shows."""
        return super().get_context_data(**_context(self.user), **kwargs)


class QuestionsView(StaffOnly, View):
    """Finds files for a question, and adds it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Lead back to the page: a reload after a search for files comes here."""
        return redirect("evaluation")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Show the files that were searched for, or add the question."""
        form = QuestionForm(request.POST)
        if "add" not in request.POST:
            unchecked = QuestionForm(request.POST)
            unchecked.fields["text"].required = False
            return render(request, EvaluationPage.template_name, _context(self.user, question_form=unchecked))
        error: OrchestraError | None = None
        if form.is_valid():
            try:
                own_questions.add_question(self.user, form.cleaned_data["text"], form.file_ids())
                messages.success(request, "The question was added.")
                return redirect("evaluation")
            except OrchestraError as exc:
                error = exc
        context = _context(self.user, question_form=form, question_error=error)
        return render(request, EvaluationPage.template_name, context, status=400)


class DeleteQuestionView(StaffOnly, View):
    """Deletes one of the caller's questions."""

    def post(self, request: HttpRequest, question_id: UUID) -> HttpResponse:
        """Delete and return to the page."""
        if not own_questions.delete_question(self.user, question_id):
            raise Http404
        messages.success(request, "The question was deleted.")
        return redirect("evaluation")


class RunsView(StaffOnly, View):
    """Measures one configuration, or two against each other."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Lead back to the page: a reload after a wrong form comes here."""
        return redirect("evaluation")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Run and show what was measured."""
        first = ConfigurationForm(request.POST, prefix="first")
        second = ConfigurationForm(request.POST, prefix="second", may_be_left=True)
        error: OrchestraError | None = None
        if all([first.is_valid(), second.is_valid()]):
            chosen = [form.configuration() for form in (first, second)]
            try:
                run = own_runs.measure_own(self.user, [found for found in chosen if found is not None])
                return redirect("evaluation-run", run_id=run.pk)
            except OrchestraError as exc:
                error = exc
        context = _context(self.user, first=first, second=second, run_error=error)
        return render(request, EvaluationPage.template_name, context, status=error.status if error else 400)


class RunPage(StaffOnly, TemplateView):
    """What one run measured."""

    template_name = "search/evaluation_run.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the run; another's is an unknown one."""
        run = get_object_or_404(own_runs.runs_of(self.user), pk=kwargs["run_id"])
        return super().get_context_data(shown=shown(run), **kwargs)
