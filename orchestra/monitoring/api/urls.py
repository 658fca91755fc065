"""Addresses of health and status under /api/."""

from django.urls import path

from orchestra.monitoring.api import views

urlpatterns = [
    path("health", views.ReadyView.as_view(), name="api-health"),
    path("health/live", views.LiveView.as_view(), name="api-health-live"),
    path("health/ready", views.ReadyView.as_view(), name="api-health-ready"),
    path("system/status", views.SystemStatusView.as_view(), name="api-system-status"),
]
