"""Addresses under /api/files."""

from django.urls import path

from files.api import trash, uploads, views

urlpatterns = [
    path("", views.FileListView.as_view(), name="api-files"),
    path("/upload", uploads.SmallUploadView.as_view(), name="api-upload-small"),
    path("/upload/initiate", uploads.InitiateUploadView.as_view(), name="api-upload-initiate"),
    path("/trash", trash.TrashView.as_view(), name="api-trash"),
    path("/trash/<uuid:file_id>", trash.TrashedFileView.as_view(), name="api-trashed-file"),
    path("/trash/<uuid:file_id>/restore", trash.RestoreView.as_view(), name="api-trash-restore"),
    path("/<uuid:file_id>", views.FileView.as_view(), name="api-file"),
    path("/<uuid:file_id>/upload", uploads.ChunkView.as_view(), name="api-upload-chunk"),
    path("/<uuid:file_id>/status", views.FileStatusView.as_view(), name="api-file-status"),
    path("/<uuid:file_id>/content", views.FileContentView.as_view(), name="api-file-content"),
    path("/<uuid:file_id>/download", views.FileDownloadView.as_view(), name="api-file-download"),
    path("/<uuid:file_id>/thumbnail", views.ThumbnailView.as_view(), name="api-file-thumbnail"),
    path("/<uuid:file_id>/preview", views.PreviewView.as_view(), name="api-file-preview"),
    path("/<uuid:file_id>/retry", views.RetryView.as_view(), name="api-file-retry"),
    path("/<uuid:file_id>/cancel", views.CancelView.as_view(), name="api-file-cancel"),
]
