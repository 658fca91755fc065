"""The address of the MCP server."""

from django.urls import path

from search.mcp.views import McpView

urlpatterns = [path("", McpView.as_view(), name="mcp")]
