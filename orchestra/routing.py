"""Socket addresses of all applications."""

from files.routing import websocket_urlpatterns

__all__ = ["websocket_urlpatterns"]
