"""The pages of personas."""

from django.urls import path

from personas import views

urlpatterns = [
    path("personas", views.GalleryPage.as_view(), name="personas"),
    path("personas/new", views.NewPersonaPage.as_view(), name="persona-new"),
    path("personas/import", views.ImportView.as_view(), name="persona-import"),
    path("personas/<uuid:persona_id>", views.PersonaPage.as_view(), name="persona"),
    path("personas/<uuid:persona_id>/export", views.ExportView.as_view(), name="persona-export"),
    path("personas/<uuid:persona_id>/<slug:action>", views.PersonaActionView.as_view(), name="persona-action"),
]
