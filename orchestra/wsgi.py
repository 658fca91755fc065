"""WSGI entry, for servers that know no ASGI. Sockets need ASGI; pages fall back to polling without them."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestra.settings")

application = get_wsgi_application()
