"""The pages of one connection. The list, with what connections import, is among the pages of files."""

from django.urls import path

from integrations import views

urlpatterns = [
    path("integrations/new", views.NewConnectionPage.as_view(), name="integration-new"),
    path("integrations/<uuid:integration_id>", views.ConnectionPage.as_view(), name="integration"),
    path(
        "integrations/<uuid:integration_id>/actions/<slug:action>",
        views.ConnectionActionView.as_view(),
        name="integration-action",
    ),
]
