"""Addresses under /tus/."""

from django.urls import path

from files.tus.views import TusUploadsView, TusUploadView

urlpatterns = [
    path("", TusUploadsView.as_view(), name="tus-uploads"),
    path("<uuid:file_id>", TusUploadView.as_view(), name="tus-upload"),
]
