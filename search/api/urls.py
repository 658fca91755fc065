"""Addresses of search under /api/."""

from django.urls import path

from search.api import conversations, previews, views

urlpatterns = [
    path("search", views.SearchView.as_view(), name="api-search"),
    path("search/compare", views.CompareView.as_view(), name="api-search-compare"),
    path("search/absence", views.AbsenceView.as_view(), name="api-search-absence"),
    path("conversations", conversations.ConversationListView.as_view(), name="api-conversations"),
    path("conversations/<uuid:conversation_id>", conversations.ConversationView.as_view(), name="api-conversation"),
    path("personas/preview", previews.PersonaPreviewView.as_view(), name="api-persona-preview-unsaved"),
    path("personas/<uuid:persona_id>/preview", previews.SavedPersonaPreviewView.as_view(), name="api-persona-preview"),
    path("files/search", views.VectorSearchView.as_view(), name="api-files-search"),
]
