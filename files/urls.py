"""The pages of files, of imports, which make files, and of webhooks, which are told of them."""

from django.urls import path

from files import import_views, trash_views, views
from files.webhooks import views as webhook_views

urlpatterns = [
    path("", views.FileListPage.as_view(), name="file-list"),
    path("trash", trash_views.TrashPage.as_view(), name="trash"),
    path("trash/empty", trash_views.EmptyTrashView.as_view(), name="trash-empty"),
    path("trash/<uuid:file_id>/<slug:action>", trash_views.TrashActionView.as_view(), name="trash-action"),
    path("files/<uuid:file_id>", views.FilePage.as_view(), name="file"),
    path("files/<uuid:file_id>/<slug:action>", views.FileActionView.as_view(), name="file-action"),
    path("integrations", import_views.IntegrationsPage.as_view(), name="integrations"),
    path("integrations/<uuid:integration_id>/import", import_views.ImportNowView.as_view(), name="import-now"),
    path("integrations/<uuid:integration_id>/imports", import_views.ImportsPage.as_view(), name="imports"),
    path("imports/<uuid:import_id>", import_views.ImportRunPage.as_view(), name="import-run"),
    path("webhooks", webhook_views.WebhooksPage.as_view(), name="webhooks"),
    path("webhooks/<uuid:webhook_id>", webhook_views.WebhookPage.as_view(), name="webhook"),
    path("webhooks/<uuid:webhook_id>/<slug:action>", webhook_views.WebhookActionView.as_view(), name="webhook-action"),
]
