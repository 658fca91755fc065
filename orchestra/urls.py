"""All addresses. /api/, /tus/ and /mcp are for programs, /admin/ for the administrator, the rest are pages."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

handler404 = "orchestra.common.api_errors.not_found"
handler500 = "orchestra.common.api_errors.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/auth/", include("orchestra.accounts.api.urls")),
    path("api/files", include("files.api.urls")),
    path("api/integrations", include("integrations.api.urls")),
    path("api/integrations", include("files.api.import_urls")),
    path("api/personas", include("personas.api.urls")),
    path("api/webhooks", include("files.api.webhook_urls")),
    path("tus/", include("files.tus.urls")),
    path("mcp", include("search.mcp.urls")),
    path("api/", include("search.api.urls")),
    path("api/", include("orchestra.monitoring.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    # Pages of libraries name no icon, and browsers then ask here.
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg", permanent=True), name="favicon"),
    path("", include("orchestra.accounts.urls")),
    path("", include("orchestra.monitoring.urls")),
    path("", include("search.urls")),
    path("", include("personas.urls")),
    path("", include("integrations.urls")),
    path("", include("files.urls")),
]
