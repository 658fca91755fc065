"""Addresses of search under /api/."""

from django.urls import path

from search.api import views

urlpatterns = [
    path("search", views.SearchView.as_view(), name="api-search"),
    path("search/compare", views.CompareView.as_view(), name="api-search-compare"),
    path("search/absence", views.AbsenceView.as_view(), name="api-search-absence"),
    path("files/search", views.VectorSearchView.as_view(), name="api-files-search"),
]
