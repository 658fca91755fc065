"""The pages of files."""

from django.urls import path

from files import views

urlpatterns = [
    path("", views.FileListPage.as_view(), name="file-list"),
    path("files/<uuid:file_id>", views.FilePage.as_view(), name="file"),
    path("files/<uuid:file_id>/<slug:action>", views.FileActionView.as_view(), name="file-action"),
]
