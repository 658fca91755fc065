"""Our server does what the specification of tus asks, and tells what of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from django.test import Client as DjangoClient
from rest_framework.test import APIClient

from tests.files.tus.specification import CASES, Answer, Case, Client


@dataclass
class InProcess:
    """Our product, called without a socket between."""

    client: DjangoClient
    endpoint: str = "/tus/"

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        said = dict(headers)
        kind = said.pop("Content-Type", "")
        answer = self.client.generic(method, path, body, kind, headers=said)
        return Answer(answer.status_code, {name.lower(): value for name, value in answer.items()}, answer.content)


@pytest.fixture
def client_of_tus(as_alice: APIClient) -> Client:
    return Client(InProcess(as_alice))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_specification(case: Case, client_of_tus: Client) -> None:
    case.act(client_of_tus)


def test_every_extension_that_is_announced_has_cases_and_no_other(client_of_tus: Client) -> None:
    assert client_of_tus.extensions() == {case.extension for case in CASES} - {""}
