"""Addresses of the status page and of the figures for Prometheus."""

from django.urls import path

from orchestra.monitoring.api.views import MetricsView

urlpatterns = [
    path("metrics", MetricsView.as_view(), name="metrics"),
]
