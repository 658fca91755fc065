"""Home, the search pages, personas on trial, and the evaluation pages for staff."""

from django.urls import path

from search import home_views, passage_views, trial_views, views
from search.evaluation import views as evaluation

urlpatterns = [
    path("", home_views.HomePage.as_view(), name="home"),
    path("home/<slug:action>", home_views.HomeActionView.as_view(), name="home-action"),
    path("files/<uuid:file_id>/passages", passage_views.PassagesPage.as_view(), name="file-passages"),
    path(
        "files/<uuid:file_id>/passages/<uuid:chunk_id>/similar",
        passage_views.SimilarPage.as_view(),
        name="file-passage-similar",
    ),
    path(
        "files/<uuid:file_id>/passages/<uuid:chunk_id>/<slug:action>",
        passage_views.PassageActionView.as_view(),
        name="file-passage-action",
    ),
    path("search", views.SearchPage.as_view(), name="search"),
    path("search/compare", views.ComparePage.as_view(), name="search-compare"),
    path("personas/trial", trial_views.PersonaTrialPage.as_view(), name="persona-trial-new"),
    path("personas/<uuid:persona_id>/trial", trial_views.PersonaTrialPage.as_view(), name="persona-trial"),
    path("conversations/delete", views.DeleteConversationsView.as_view(), name="conversations-delete"),
    path(
        "conversations/<uuid:conversation_id>/delete",
        views.DeleteConversationView.as_view(),
        name="conversation-delete",
    ),
    path("evaluation", evaluation.EvaluationPage.as_view(), name="evaluation"),
    path("evaluation/questions", evaluation.QuestionsView.as_view(), name="evaluation-questions"),
    path(
        "evaluation/questions/<uuid:question_id>/delete",
        evaluation.DeleteQuestionView.as_view(),
        name="evaluation-question-delete",
    ),
    path("evaluation/runs", evaluation.RunsView.as_view(), name="evaluation-runs"),
    path("evaluation/runs/<uuid:run_id>", evaluation.RunPage.as_view(), name="evaluation-run"),
]
