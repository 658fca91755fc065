"""Addresses under /api/personas."""

from django.urls import path

from personas.api import views

urlpatterns = [
    path("", views.PersonaListView.as_view(), name="api-personas"),
    path("/import", views.ImportView.as_view(), name="api-persona-import"),
    path("/default", views.DefaultView.as_view(), name="api-persona-default"),
    path("/<uuid:persona_id>", views.PersonaView.as_view(), name="api-persona"),
    path("/<uuid:persona_id>/clone", views.CloneView.as_view(), name="api-persona-clone"),
    path("/<uuid:persona_id>/export", views.ExportView.as_view(), name="api-persona-export"),
    path("/<uuid:persona_id>/default", views.MakeDefaultView.as_view(), name="api-persona-make-default"),
]
