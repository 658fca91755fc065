"""The status socket: who may open it, what it tells, and that it tells everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError
from django.test import Client
from rest_framework_simplejwt.tokens import RefreshToken

from files import feeds, services, states
from files.models import FileRecord, FileStatus, ProcessingJob
from orchestra.accounts.models import User
from orchestra.accounts.services import create_api_key, issue_ticket, revoke_api_key
from orchestra.common.publishing import user_group
from orchestra.monitoring import pulses
from orchestra.monitoring.models import ProcessRole
from tests.pace import within
from tests.sockets import OUR_ORIGIN, Closed, Socket, run

pytestmark = pytest.mark.django_db(transaction=True)

MakeFile = Callable[..., FileRecord]
in_thread = sync_to_async


def cookie_of(user: User) -> tuple[bytes, bytes]:
    client = Client()
    client.force_login(user)
    return b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()


def bearer(user: User) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {RefreshToken.for_user(user).access_token}".encode()


def api_key(user: User) -> tuple[bytes, bytes]:
    return b"authorization", f"Api-Key {create_api_key(user, 'a program').plain}".encode()


def move(file: FileRecord, target: FileStatus = FileStatus.PROCESSING) -> FileRecord:
    return states.move(file.pk, target, "test", "Moved by a test.")


def closed_with(socket: Socket) -> int:
    """Return the code with which a socket is closed at the start."""
    codes: list[int] = []

    async def scenario() -> None:
        with pytest.raises(Closed) as closed:
            await socket.opened()
        codes.append(closed.value.code)
        await socket.disconnect()

    run(scenario)
    return codes[0]


class TestWhoMayOpen:
    @pytest.mark.parametrize("way", ["cookie", "JWT", "API key", "ticket", "ticket in a browser"])
    def test_every_credential_opens_its_users_socket(self, alice: User, make_file: MakeFile, way: str) -> None:
        file = make_file(alice)
        make: dict[str, Callable[[], Socket]] = {
            "cookie": lambda: Socket(cookie_of(alice), OUR_ORIGIN),
            "JWT": lambda: Socket(bearer(alice)),
            "API key": lambda: Socket(api_key(alice)),
            "ticket": lambda: Socket(query=f"ticket={issue_ticket(alice)}"),
            "ticket in a browser": lambda: Socket(OUR_ORIGIN, query=f"ticket={issue_ticket(alice)}"),
        }
        socket = make[way]()

        async def scenario() -> None:
            async with socket:
                snapshot = await socket.opened()
                assert [shown["id"] for shown in snapshot["files"]] == [str(file.pk)]

        run(scenario)

    def test_no_or_wrong_credentials_close_with_4401(self, alice: User) -> None:
        revoked = create_api_key(alice, "old")
        revoke_api_key(revoked.record)
        for socket in (
            Socket(),
            Socket((b"cookie", b"sessionid=made-up"), OUR_ORIGIN),
            Socket((b"authorization", b"Bearer made-up")),
            Socket((b"authorization", b"Bearer")),
            Socket((b"authorization", b"Basic YTpi")),
            Socket((b"authorization", b"\xff\xfe")),
            Socket((b"authorization", f"Bearer {RefreshToken.for_user(alice)}".encode())),
            Socket((b"authorization", f"Api-Key {revoked.plain}".encode())),
            Socket(query="ticket=made-up"),
            Socket(query="ticket="),
            Socket(query="%00&&==;ticket=%FF"),
        ):
            assert closed_with(socket) == feeds.NOT_SIGNED_IN

    def test_a_ticket_opens_one_socket(self, alice: User) -> None:
        ticket = issue_ticket(alice)

        async def scenario() -> None:
            async with Socket(query=f"ticket={ticket}") as socket:
                await socket.opened()

        run(scenario)
        assert closed_with(Socket(query=f"ticket={ticket}")) == feeds.NOT_SIGNED_IN

    def test_a_wrong_ticket_is_not_made_good_by_a_cookie(self, alice: User) -> None:
        assert closed_with(Socket(cookie_of(alice), OUR_ORIGIN, query="ticket=made-up")) == feeds.NOT_SIGNED_IN

    def test_an_inactive_user_opens_nothing(self, alice: User) -> None:
        sockets = [
            Socket(cookie_of(alice), OUR_ORIGIN),
            Socket(bearer(alice)),
            Socket(api_key(alice)),
            Socket(query=f"ticket={issue_ticket(alice)}"),
        ]
        User.objects.update(is_active=False)
        for socket in sockets:
            assert closed_with(socket) == feeds.NOT_SIGNED_IN

    @pytest.mark.parametrize(
        "origin",
        [b"https://evil.example", b"http://testserver.evil.example", b"null", b"", b"http://evil.example/testserver"],
    )
    def test_a_foreign_page_is_denied_whatever_it_carries(self, alice: User, origin: bytes) -> None:
        for credential in (cookie_of(alice), bearer(alice)):
            socket = Socket(credential, (b"origin", origin))

            async def scenario(socket: Socket = socket) -> None:
                with pytest.raises(Closed):
                    await socket.connect()

            run(scenario)

    def test_a_cookie_without_origin_is_denied(self, alice: User) -> None:
        socket = Socket(cookie_of(alice))

        async def scenario() -> None:
            with pytest.raises(Closed):
                await socket.connect()

        run(scenario)


class TestWhatItTells:
    @pytest.fixture
    def socket(self, alice: User) -> Socket:
        return Socket(bearer(alice))

    def test_snapshot_holds_what_the_api_shows(
        self, socket: Socket, alice: User, as_alice: Any, make_file: MakeFile
    ) -> None:
        make_file(alice, b"one", name="one.txt", tags=("a",))
        done = make_file(alice, b"two", name="two.txt")
        FileRecord.objects.filter(pk=done.pk).update(status="failed", error_code="x", error_message="It broke.")
        listed = as_alice.get("/api/files").json()["results"]

        async def scenario() -> None:
            async with socket:
                snapshot = await socket.opened()
                assert snapshot["counts"] == {"queued": 1, "failed": 1}
                assert sorted(snapshot["files"], key=lambda f: f["id"]) == sorted(listed, key=lambda f: f["id"])

        run(scenario)

    def test_changes_arrive_with_growing_versions(self, socket: Socket, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice)

        async def scenario() -> None:
            async with socket:
                seen = [(await socket.opened())["files"][0]["version"]]
                for target in (FileStatus.PROCESSING, FileStatus.READY):
                    await in_thread(move)(file, target)
                    message = await socket.next_of("files")
                    assert message["files"][0]["status"] == target
                    assert message["counts"] == {target: 1}
                    seen.append(message["files"][0]["version"])
                assert seen == sorted(set(seen))

        run(scenario)

    def test_many_changes_become_few_messages(self, socket: Socket, alice: User, make_file: MakeFile) -> None:
        files = [make_file(alice, f"{n}".encode()) for n in range(5)]

        def change_all() -> None:
            for _ in range(4):
                for file in files:
                    states.touch(file.pk)

        async def scenario() -> None:
            async with socket:
                await socket.opened()
                await in_thread(change_all)()
                messages = [await socket.next_of("files")]
                while not await socket.is_silent(0.4):
                    messages.append(await socket.next_of("files"))
                assert len(messages) <= 6
                last = {file["id"]: file["version"] for message in messages for file in message["files"]}
                assert set(last.values()) == {files[0].version + 4}
                assert len(last) == 5

        run(scenario)

    def test_a_rolled_back_change_is_not_told(self, socket: Socket, alice: User, make_file: MakeFile) -> None:
        from django.db import transaction

        file = make_file(alice)

        def change_and_regret() -> None:
            with transaction.atomic():
                move(file)
                transaction.set_rollback(True)

        async def scenario() -> None:
            async with socket:
                await socket.opened()
                await in_thread(change_and_regret)()
                assert await socket.is_silent(0.4)

        run(scenario)

    def test_deletion_is_told(self, socket: Socket, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice)

        async def scenario() -> None:
            async with socket:
                await socket.opened()
                await in_thread(services.delete)(file)
                assert await socket.next() == {"type": "deleted", "id": str(file.pk)}

        run(scenario)

    def test_messages_go_to_their_user_only(self, alice: User, bob: User, make_file: MakeFile) -> None:
        file, other = make_file(alice), make_file(bob)
        hers, his = Socket(bearer(alice)), Socket(bearer(bob))

        async def scenario() -> None:
            async with hers, his:
                await hers.opened()
                await his.opened()
                await in_thread(move)(file)
                await in_thread(services.delete)(file)
                assert (await hers.next())["type"] in ("files", "deleted")
                assert await his.is_silent(0.4)
                await in_thread(move)(other)
                assert (await his.next_of("files"))["files"][0]["id"] == str(other.pk)

        run(scenario)

    def test_more_changes_than_one_message_holds_are_all_told(
        self, socket: Socket, alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feeds, "SNAPSHOT_FILES", 2)
        files = [make_file(alice, f"{n}".encode()) for n in range(5)]

        def change_all() -> None:
            for file in files:
                states.touch(file.pk)

        async def scenario() -> None:
            async with socket:
                await socket.opened()
                await in_thread(change_all)()
                told: set[str] = set()
                while len(told) < len(files):
                    told |= {file["id"] for file in (await socket.next_of("files"))["files"]}

        run(scenario)


class TestHeartbeat:
    @pytest.fixture(autouse=True)
    def _often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feeds, "HEARTBEAT_SECONDS", 0.2)

    def test_a_lost_message_is_caught_up(self, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice)
        socket = Socket(bearer(alice))

        def change_unheard() -> None:
            with patch("files.states.publish_change"):
                move(file)

        async def scenario() -> None:
            async with socket:
                await socket.opened()
                await in_thread(change_unheard)()
                async with asyncio.timeout(within(2)):
                    while (await socket.next_of("files"))["files"][0]["status"] != "processing":
                        pass

        run(scenario)

    def test_quiet_sockets_hear_only_the_beat(self, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice)
        earlier = file.updated_at - timedelta(minutes=1)
        FileRecord.objects.filter(pk=file.pk).update(status=FileStatus.READY, updated_at=earlier)
        socket = Socket(bearer(alice))

        async def scenario() -> None:
            async with socket:
                await socket.opened()
                assert [(await socket.next())["type"] for _ in range(3)] == ["heartbeat"] * 3

        run(scenario)

    def test_what_is_under_way_is_told_again_with_the_beat(self, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice)
        FileRecord.objects.filter(pk=file.pk).update(updated_at=file.updated_at - timedelta(minutes=1))
        socket = Socket(bearer(alice))

        async def scenario() -> None:
            async with socket:
                (before,) = (await socket.opened())["files"]
                assert before["situation"]["code"] == "waiting_for_worker"
                await sync_to_async(pulses.show)(pulses.Sign("celery@here", ProcessRole.WORKER, pid=1, slots=2))
                (now,) = (await socket.next_of("files"))["files"]
                assert (now["version"], now["situation"]["code"]) == (before["version"], "waiting_next")

        run(scenario)

    def test_more_missed_changes_than_one_message_holds_are_all_told(
        self, alice: User, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = [make_file(alice, f"{n}".encode()) for n in range(5)]
        monkeypatch.setattr(feeds, "SNAPSHOT_FILES", 2)
        socket = Socket(bearer(alice))

        async def scenario() -> None:
            async with socket:
                await socket.opened()
                told: set[str] = set()
                async with asyncio.timeout(within(2)):
                    while len(told) < len(files):
                        told |= {file["id"] for file in (await socket.next_of("files"))["files"]}

        run(scenario)

    def test_a_user_who_was_deactivated_is_closed_out(self, alice: User) -> None:
        socket = Socket(bearer(alice))

        async def scenario() -> None:
            async with socket:
                await socket.opened()
                await in_thread(lambda: User.objects.update(is_active=False))()
                assert await socket.until_closed() == feeds.NOT_SIGNED_IN

        run(scenario)

    def test_a_socket_that_cannot_read_the_truth_closes_and_is_opened_again_by_its_client(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuses(*_: object, **__: object) -> None:
            raise OperationalError("the database is away")

        socket = Socket(bearer(alice))

        async def scenario() -> None:
            async with socket:
                await socket.opened()
                monkeypatch.setattr(feeds, "files_of", refuses)
                assert await socket.until_closed() == 1011

        run(scenario)


class TestEnd:
    def test_the_group_is_left(self, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice)
        socket = Socket(bearer(alice))

        async def scenario() -> None:
            await socket.opened()
            layer: Any = get_channel_layer()
            groups = layer._get_layer().groups
            assert any(user_group(alice.pk) in name for name in groups)
            await socket.disconnect()
            assert not any(user_group(alice.pk) in name for name in groups)
            await in_thread(move)(file)

        run(scenario)

    def test_what_clients_say_is_ignored(self, alice: User, make_file: MakeFile) -> None:
        file = make_file(alice)
        socket = Socket(bearer(alice))

        async def scenario() -> None:
            async with socket:
                await socket.opened()
                for frame in (
                    {"text": "not json"},
                    {"text": ""},
                    {"bytes": b"\x00\xff" * 10},
                    {"text": "x" * 5_000_000},
                    {"text": '{"type": "file.changed", "file_id": "../"}'},
                    {"text": "[" * 100_000},
                    {"text": None, "bytes": b""},
                ):
                    await socket.say(**frame)
                await in_thread(move)(file)
                assert (await socket.next_of("files"))["files"][0]["status"] == "processing"

        run(scenario)


def test_every_job_row_is_left_alone_by_sockets(alice: User, make_file: MakeFile) -> None:
    """Opening a socket is a read."""
    make_file(alice)
    before = list(ProcessingJob.objects.values())
    client = Socket(bearer(alice))

    async def scenario() -> None:
        async with client as socket:
            await socket.opened()

    run(scenario)
    assert list(ProcessingJob.objects.values()) == before
