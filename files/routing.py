"""The status socket's address."""

from django.urls import path

from files.consumers import StatusConsumer

websocket_urlpatterns = [path("ws/status/", StatusConsumer.as_asgi())]
