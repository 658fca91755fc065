"""The pages of files, of imports, which make files, and of webhooks, which are told of them."""

from django.urls import path

from files import file_views, import_views, list_views, trash_views, views
from files.webhooks import views as webhook_views

urlpatterns = [
    path("files", list_views.FileListPage.as_view(), name="file-list"),
    path("files/layout", list_views.LayoutView.as_view(), name="file-layout"),
    path("files/act", list_views.BulkView.as_view(), name="files-act"),
    path("files/views", list_views.SavedViewsView.as_view(), name="saved-views"),
    path("files/views/<uuid:view_id>/delete", list_views.SavedViewDeleteView.as_view(), name="saved-view-delete"),
    path("trash", trash_views.TrashPage.as_view(), name="trash"),
    path("trash/empty", trash_views.EmptyTrashView.as_view(), name="trash-empty"),
    path("trash/<uuid:file_id>/<slug:action>", trash_views.TrashActionView.as_view(), name="trash-action"),
    path("files/<uuid:file_id>", file_views.TextPage.as_view(), name="file"),
    path("files/<uuid:file_id>/metadata", file_views.MetadataPage.as_view(), name="file-metadata"),
    path("files/<uuid:file_id>/timeline", file_views.TimelinePage.as_view(), name="file-timeline"),
    path("files/<uuid:file_id>/origin", file_views.OriginPage.as_view(), name="file-origin"),
    path("files/<uuid:file_id>/<slug:action>", views.FileActionView.as_view(), name="file-action"),
    path("integrations", import_views.IntegrationsPage.as_view(), name="integrations"),
    path("integrations/<uuid:integration_id>/import", import_views.ImportNowView.as_view(), name="import-now"),
    path("integrations/<uuid:integration_id>/imports", import_views.ImportsPage.as_view(), name="imports"),
    path("imports/<uuid:import_id>", import_views.ImportRunPage.as_view(), name="import-run"),
    path("webhooks", webhook_views.WebhooksPage.as_view(), name="webhooks"),
    path("webhooks/<uuid:webhook_id>", webhook_views.WebhookPage.as_view(), name="webhook"),
    path("webhooks/<uuid:webhook_id>/<slug:action>", webhook_views.WebhookActionView.as_view(), name="webhook-action"),
]
