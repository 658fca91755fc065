"""The pages of files."""

from django.urls import path

from files import trash_views, views

urlpatterns = [
    path("files", views.FileListPage.as_view(), name="file-list"),
    path("trash", trash_views.TrashPage.as_view(), name="trash"),
    path("trash/empty", trash_views.EmptyTrashView.as_view(), name="trash-empty"),
    path("trash/<uuid:file_id>/<slug:action>", trash_views.TrashActionView.as_view(), name="trash-action"),
    path("files/<uuid:file_id>", views.FilePage.as_view(), name="file"),
    path("files/<uuid:file_id>/<slug:action>", views.FileActionView.as_view(), name="file-action"),
]
