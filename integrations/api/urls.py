"""Addresses under /api/integrations."""

from django.urls import path

from integrations.api import views

urlpatterns = [
    path("", views.ConnectionListView.as_view(), name="api-integrations"),
    path("/<uuid:integration_id>", views.ConnectionView.as_view(), name="api-integration"),
    path("/<uuid:integration_id>/test", views.ConnectionTestView.as_view(), name="api-integration-test"),
]
