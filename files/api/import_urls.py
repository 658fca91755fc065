"""Addresses of imports, under /api/integrations."""

from django.urls import path

from files.api import imports

urlpatterns = [
    path("/<uuid:integration_id>/import", imports.ImportView.as_view(), name="api-integration-import"),
    path("/<uuid:integration_id>/imports", imports.ImportListView.as_view(), name="api-integration-imports"),
]
