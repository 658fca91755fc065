"""N1, N2: a socket may miss messages, but what a client shows is what the database says, and soon."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.faults.client import Client
from tests.faults.parts import Part
from tests.faults.product import Product, faulty_product
from tests.stack import wait_for

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


class Screen:
    """What a page would show: the newest version of each file that its socket told; it opens the socket again."""

    def __init__(self, product: Product, key: str) -> None:
        self._product = product
        self._headers = {"Authorization": f"Api-Key {key}"}
        self._over = threading.Event()
        self._socket: ClientConnection | None = None
        self.versions: dict[str, int] = {}
        self.statuses: dict[str, str] = {}

    def watch(self) -> None:
        while not self._over.is_set():
            try:
                with connect(self._product.stack.websocket_url, additional_headers=self._headers) as self._socket:
                    for text in self._socket:
                        self._take(json.loads(text))
            except (OSError, WebSocketException, TimeoutError):
                self._over.wait(0.5)

    def _take(self, message: dict[str, Any]) -> None:
        for file in message.get("files", ()):
            if file["version"] >= self.versions.get(file["id"], 0):  # as the page does: an older one came late
                self.versions[file["id"]], self.statuses[file["id"]] = file["version"], file["status"]

    def end(self) -> None:
        self._over.set()
        if self._socket is not None:
            self._socket.close()


@contextmanager
def screen(product: Product, client: Client) -> Iterator[Screen]:
    key = client.ask("POST", "/api/auth/keys", json={"name": "screen"}).json()["key"]
    shown = Screen(product, key)
    thread = threading.Thread(target=shown.watch)
    thread.start()
    try:
        yield shown
    finally:
        shown.end()
        thread.join(30)


@pytest.mark.parametrize("part", [Part.REDIS, Part.WEB])
def test_what_is_shown_is_what_the_database_says_after_a_restart(part: Part) -> None:
    with faulty_product(f"notifications-{part}", EMBEDDING_ENGINE="hashing", PORT="23200") as product:
        client = Client(product.stack, "watcher")
        with screen(product, client) as shown:
            files = []
            for turn in range(3):
                files += [client.upload(f"{turn}-{n}.txt", f"Note {n} of {turn}.".encode()) for n in range(5)]
                product.strike(part, forget=part is Part.REDIS)
            wait_for("all to be ready", lambda: {client.status(file) for file in files} == {"ready"}, 180, 0.5)
            truth = dict.fromkeys(files, "ready")
            wait_for("the screen to show it", lambda: shown.statuses == truth, 30)
