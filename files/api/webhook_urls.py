"""Addresses under /api/webhooks."""

from django.urls import path

from files.api import webhooks

urlpatterns = [
    path("", webhooks.WebhookListView.as_view(), name="api-webhooks"),
    path("/<uuid:webhook_id>", webhooks.WebhookView.as_view(), name="api-webhook"),
    path("/<uuid:webhook_id>/test", webhooks.WebhookTestView.as_view(), name="api-webhook-test"),
    path("/<uuid:webhook_id>/deliveries", webhooks.DeliveryListView.as_view(), name="api-webhook-deliveries"),
]
