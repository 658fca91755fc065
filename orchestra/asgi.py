"""ASGI entry: HTTP through Django, sockets through Channels."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestra.settings")

django.setup(set_prefix=False)

# Applications may be imported only now that Django is set up.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from orchestra.accounts.origins import AllowedOrigins  # noqa: E402
from orchestra.accounts.sockets import with_principal  # noqa: E402
from orchestra.common.body_limit import BodyLimit  # noqa: E402
from orchestra.handler import ThreadHandler  # noqa: E402
from orchestra.lifespan import lifespan  # noqa: E402
from orchestra.monitoring.proxy.probe import ProxyProbe  # noqa: E402
from orchestra.routing import websocket_urlpatterns  # noqa: E402

# The largest body that any view takes, and room for the multipart frame around it.
_LARGEST_BODY = max(settings.SMALL_UPLOAD_LIMIT, settings.UPLOAD_CHUNK_SIZE_RANGE[1]) + 1024 * 1024

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(ProxyProbe(ThreadHandler()), _LARGEST_BODY),
        "lifespan": lifespan,
        "websocket": AllowedOrigins(with_principal(URLRouter(websocket_urlpatterns))),
    }
)
