"""The sandbox's level is told in words; the check of the status socket goes through the whole ASGI application."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from files import health
from files.extraction.errors import SandboxUnavailable
from files.extraction.isolation.confinement import SandboxLevel
from orchestra.accounts.models import User
from orchestra.accounts.services import issue_ticket, redeem_ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_redis")]


def test_socket_that_sends_a_snapshot_passes(admin_user_record: User) -> None:
    outcome = health.check_socket()
    assert outcome.ok, outcome


def test_refused_socket_fails(admin_user_record: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "issue_ticket", lambda _: "made up")
    outcome = health.check_socket()
    assert not outcome.ok
    assert "websocket.close" in outcome.message


def test_socket_without_redis_fails_with_a_remedy(admin_user_record: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses(*_: object) -> None:
        raise RedisConnectionError("refused")

    monkeypatch.setattr("channels_redis.pubsub.RedisPubSubLoopLayer.group_add", refuses)
    outcome = health.check_socket()
    assert not outcome.ok
    assert "Redis" in outcome.remedy


def test_silent_socket_times_out(admin_user_record: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("orchestra.asgi.application", silent)
    monkeypatch.setattr(health, "_SOCKET_SECONDS", 0.1)
    outcome = health.check_socket()
    assert not outcome.ok
    assert "does not answer" in outcome.message


def test_ticket_of_the_check_is_used_up(admin_user_record: User, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets: list[str] = []

    def noted(user: User) -> str:
        tickets.append(issue_ticket(user))
        return tickets[-1]

    monkeypatch.setattr(health, "issue_ticket", noted)
    assert health.check_socket().ok
    assert redeem_ticket(tickets[0]) is None


def test_sandbox_says_what_holds() -> None:
    outcome = health.check_sandbox()
    assert outcome.message.startswith("Each file is read in a process of its own, kept from")


def test_sandbox_without_its_walls_fails_with_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = SandboxLevel(limits=True, dies_with_parent=True, no_new_privileges=True, no_network=False)
    monkeypatch.setattr("files.extraction.sandbox.sandbox_level", lambda: bare)
    monkeypatch.setattr(sys, "platform", "linux")
    outcome = health.check_sandbox()
    assert not outcome.ok
    assert "Not kept from the network, all files but its own" in outcome.message
    assert "Landlock" in outcome.remedy


def test_sandbox_that_lacks_little_passes_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    level = SandboxLevel(True, True, True, True, True, True, True, processes=False, landlock_version=3)
    monkeypatch.setattr("files.extraction.sandbox.sandbox_level", lambda: level)
    outcome = health.check_sandbox()
    assert outcome.ok
    assert "(Landlock 3)" in outcome.message
    assert "ordinary account" in outcome.message


def test_sandbox_that_does_not_start_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses() -> None:
        raise SandboxUnavailable

    monkeypatch.setattr("files.extraction.sandbox.sandbox_level", refuses)
    assert not health.check_sandbox().ok
