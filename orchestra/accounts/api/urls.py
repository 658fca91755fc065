"""Addresses under /api/auth/."""

from django.urls import path
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from orchestra.accounts.api import views

urlpatterns = [
    path("token", TokenObtainPairView.as_view(), name="api-token"),
    path("refresh", TokenRefreshView.as_view(), name="api-token-refresh"),
    path("revoke", views.RevokeTokenView.as_view(), name="api-token-revoke"),
    path("ticket", views.TicketView.as_view(), name="api-ticket"),
    path("me", views.MeView.as_view(), name="api-me"),
    path("keys", views.ApiKeyListView.as_view(), name="api-keys"),
    path("keys/<uuid:key_id>", views.ApiKeyView.as_view(), name="api-key"),
]
