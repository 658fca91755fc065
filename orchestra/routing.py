"""Socket addresses of all applications."""

from files.routing import websocket_urlpatterns as files
from orchestra.monitoring.proxy.routing import websocket_urlpatterns as monitoring

__all__ = ["websocket_urlpatterns"]

websocket_urlpatterns = [*files, *monitoring]
