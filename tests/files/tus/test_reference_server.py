"""The test of the test: the protocol's reference server passes our cases too, where it offers what they are about."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.files.tus.specification import CASES, Answer, Case, Client
from tests.node_packages import node_folder

pytestmark = [pytest.mark.services, pytest.mark.timeout(700)]

LARGEST = 1024**3
NODE = Path(__file__).parent / "node"

# Where the reference, in this version, does not do what the sentence says.
DIFFERS = {
    "an_unknown_version_is_refused": "it answers 400",
    "the_refusal_of_a_version_names_those_that_are_known": "it answers 400",
    "a_request_of_an_unknown_version_changes_nothing": "it changes nothing, and answers 400",
    "bytes_of_another_type_are_refused": "it refuses some of them with 400",
    "the_method_may_be_replaced": "it does not read the header",
}


@dataclass
class OverHttp:
    """A server behind a port."""

    port: int
    endpoint: str = "/files"

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body or None, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = node_folder(NODE, "test-node")
    command = ["node", "server.mjs", str(tmp_path_factory.mktemp("reference")), str(LARGEST)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Client(OverHttp(int(process.stdout.readline())))
        finally:
            process.terminate()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_reference_passes(case: Case, reference: Client) -> None:
    if case.extension and case.extension not in reference.extensions():
        pytest.skip(f"the reference server does not offer {case.extension}")
    if case.name in DIFFERS:
        with pytest.raises((AssertionError, KeyError)):
            case.act(reference)
    else:
        case.act(reference)
