"""The pages of files."""

from django.urls import path

from files import file_views, trash_views, views

urlpatterns = [
    path("files", views.FileListPage.as_view(), name="file-list"),
    path("trash", trash_views.TrashPage.as_view(), name="trash"),
    path("trash/empty", trash_views.EmptyTrashView.as_view(), name="trash-empty"),
    path("trash/<uuid:file_id>/<slug:action>", trash_views.TrashActionView.as_view(), name="trash-action"),
    path("files/<uuid:file_id>", file_views.TextPage.as_view(), name="file"),
    path("files/<uuid:file_id>/metadata", file_views.MetadataPage.as_view(), name="file-metadata"),
    path("files/<uuid:file_id>/timeline", file_views.TimelinePage.as_view(), name="file-timeline"),
    path("files/<uuid:file_id>/origin", file_views.OriginPage.as_view(), name="file-origin"),
    path("files/<uuid:file_id>/<slug:action>", views.FileActionView.as_view(), name="file-action"),
]
