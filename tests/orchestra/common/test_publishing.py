"""Messages are hints: sent after commit, and never the reason that a commit fails."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import transaction

from files import states
from files.models import FileRecord, FileStatus
from orchestra.common import publishing
from orchestra.common.identifiers import new_id


class Layer:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.sent: list[tuple[str, dict[str, Any]]] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.error:
            raise self.error
        self.sent.append((group, message))


@pytest.mark.django_db(transaction=True)
class TestPublishing:
    def test_only_what_is_committed_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        layer = Layer()
        monkeypatch.setattr(publishing, "get_channel_layer", lambda: layer)
        with transaction.atomic():
            publishing.publish_on_commit("a", {"type": "x"})
            assert layer.sent == []
        with transaction.atomic():
            publishing.publish_on_commit("b", {"type": "x"})
            transaction.set_rollback(True)
        publishing.publish_on_commit("c", {"type": "x"})
        assert [group for group, _ in layer.sent] == ["a", "c"]

    @pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/valkey.sock"])
    def test_a_dead_redis_never_breaks_a_commit(self, alice: Any, make_file: Any, settings: Any, url: str) -> None:
        """A real layer whose server is not there, and not a stand-in with a chosen error."""
        from channels.layers import channel_layers

        file = make_file(alice)
        backends, channel_layers.backends = channel_layers.backends, {}
        settings.CHANNEL_LAYERS = {
            "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [url]}}
        }
        try:
            states.move(file.pk, FileStatus.PROCESSING, "test", "Moved by a test.")
        finally:
            channel_layers.backends = backends
        assert FileRecord.objects.get(pk=file.pk).status == "processing"

    @pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError(), OSError(28, "full")])
    def test_broken_connections_are_logged_and_dropped(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        monkeypatch.setattr(publishing, "get_channel_layer", lambda: Layer(error))
        with transaction.atomic():
            publishing.publish_on_commit("a", {"type": "x"})


def test_identifiers_are_time_ordered_uuids_of_the_standard_library() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert all(type(value) is uuid.UUID and value.version == 7 for value in made)
