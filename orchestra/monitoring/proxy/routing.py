"""The probe's socket; under /ws/, because proxies are told to upgrade that."""

from django.urls import path

from orchestra.monitoring.proxy.probe import ProbeConsumer

websocket_urlpatterns = [path("ws/probe/<str:token>", ProbeConsumer.as_asgi())]
