"""Addresses under /api/auth/."""

from django.urls import path

from orchestra.accounts.api import views

urlpatterns = [
    path("token", views.TokenView.as_view(), name="api-token"),
    path("refresh", views.RefreshTokenView.as_view(), name="api-token-refresh"),
    path("revoke", views.RevokeTokenView.as_view(), name="api-token-revoke"),
    path("ticket", views.TicketView.as_view(), name="api-ticket"),
    path("me", views.MeView.as_view(), name="api-me"),
    path("keys", views.ApiKeyListView.as_view(), name="api-keys"),
    path("keys/<uuid:key_id>", views.ApiKeyView.as_view(), name="api-key"),
]
