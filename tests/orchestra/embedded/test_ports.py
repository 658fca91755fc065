"""Choosing the web's port."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from orchestra.common.errors import OrchestraError
from orchestra.embedded.ports import listen, port_holder


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_taken_port_is_named_and_the_next_free_one_used(taken: int) -> None:
    listener = listen("127.0.0.1", taken)
    with listener.socket:
        assert taken < listener.port < taken + 50
        assert f"process {os.getpid()}" in listener.holder
        assert f"process {os.getpid()}" in port_holder(listener.port)


def test_two_listeners_never_share_a_port(taken: int) -> None:
    first, second = listen("127.0.0.1", taken), listen("127.0.0.1", taken)
    with first.socket, second.socket:
        assert first.port != second.port


def test_an_address_that_is_not_ours_is_a_clear_error() -> None:
    with pytest.raises(OrchestraError, match=r"Cannot listen on 192\.0\.2\.1"):
        listen("192.0.2.1", 8000)
