"""Addresses of the status page and of the figures for Prometheus."""

from django.urls import path

from orchestra.monitoring import views
from orchestra.monitoring.api.views import MetricsView

urlpatterns = [
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("system/status", views.StatusPage.as_view(), name="system-status"),
    path("system/status/report", views.ReportView.as_view(), name="system-status-report"),
    path("system/status/run", views.RunView.as_view(), name="system-status-run"),
]
