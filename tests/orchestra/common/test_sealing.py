"""Credentials in the database open with their key, in their row, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from orchestra.common.errors import CredentialsUnreadable
from orchestra.common.identifiers import new_id
from orchestra.common.sealing import Credentials, is_current, seal, unseal

OLD, NEW = "o" * 32, "n" * 32
SECRET = "sk-very-secret"
ROW = new_id()


@pytest.fixture(autouse=True)
def _keys(settings: Any) -> None:
    settings.CREDENTIALS_KEYS = (OLD,)


def test_what_was_sealed_opens_again() -> None:
    credentials = Credentials({"key": SECRET, "other": "ż"})
    sealed = seal(credentials, ROW)
    assert unseal(sealed, ROW).values == credentials.values
    assert SECRET.encode() not in sealed
    assert seal(credentials, ROW) != sealed


def test_nothing_is_sealed_as_nothing() -> None:
    assert seal(Credentials(), ROW) == b""
    assert unseal(b"", ROW).values == {}
    assert is_current(b"")


def test_in_another_row_it_does_not_open() -> None:
    with pytest.raises(CredentialsUnreadable):
        unseal(seal(Credentials({"key": SECRET}), ROW), new_id())


@pytest.mark.parametrize("at", [0, 1, 4, 5, 16, 17, -1])
def test_what_was_changed_does_not_open(at: int) -> None:
    sealed = bytearray(seal(Credentials({"key": SECRET}), ROW))
    sealed[at] ^= 1
    with pytest.raises(CredentialsUnreadable):
        unseal(bytes(sealed), ROW)


@pytest.mark.parametrize("length", [1, 5, 10, 17, 30])
def test_what_was_cut_does_not_open(length: int) -> None:
    with pytest.raises(CredentialsUnreadable):
        unseal(seal(Credentials({"key": SECRET}), ROW)[:length], ROW)


def test_the_first_key_seals_and_all_open(settings: Any) -> None:
    before = seal(Credentials({"key": SECRET}), ROW)
    settings.CREDENTIALS_KEYS = (NEW, OLD)
    assert unseal(before, ROW).values == {"key": SECRET}
    after = seal(Credentials({"key": SECRET}), ROW)
    assert (is_current(before), is_current(after)) == (False, True)
    settings.CREDENTIALS_KEYS = (NEW,)
    assert unseal(after, ROW).values == {"key": SECRET}
    with pytest.raises(CredentialsUnreadable) as caught:
        unseal(before, ROW)
    assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_they_do_not_show_themselves() -> None:
    assert SECRET not in f"{Credentials({'key': SECRET})} {Credentials({'key': SECRET})!r}"
