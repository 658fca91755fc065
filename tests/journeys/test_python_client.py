"""The client that is offered for copying: a broken upload goes on, the file is waited for, a search is streamed."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.stack import ROOT, Stack

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

SOURCE = ROOT / "orchestra/static/client/orchestra_client.py"
STEP = 64 * 1024


@pytest.fixture(scope="module")
def module() -> ModuleType:
    specification = importlib.util.spec_from_file_location("orchestra_client", SOURCE)
    assert specification is not None
    assert specification.loader is not None
    loaded = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def key(stack: Stack) -> str:
    made = stack.client("copier").post("/api/auth/keys", json={"name": "the client"}).json()
    return str(made["key"])


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "harbour notes.txt"
    words = random.Random(3)
    filler = "\n".join(words.randbytes(40).hex() for _ in range(3000))
    path.write_text(f"The lighthouse keeper rows to the island every Sunday.\n{filler}\n")
    return path


def test_a_file_is_uploaded_waited_for_and_found(
    stack: Stack, key: str, module: ModuleType, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = module.Orchestra(stack.url, key)
    sent: list[int] = []
    answer = server._answer

    def breaking(method: str, address: str, body: bytes, headers: Any) -> Any:
        if method == "PUT":
            if len(sent) == 1:
                raise ConnectionResetError
            sent.append(len(body))
        return answer(method, address, body, headers)

    with monkeypatch.context() as patch:
        patch.setattr(server, "_answer", breaking)
        with pytest.raises(ConnectionResetError):
            server.upload(document, chunk_size=STEP)
    size, again = document.stat().st_size, len(sent)

    def counting(method: str, address: str, body: bytes, headers: Any) -> Any:
        sent.extend([len(body)] if method == "PUT" else [])
        return answer(method, address, body, headers)

    with monkeypatch.context() as patch:
        patch.setattr(server, "_answer", counting)
        file_id = server.upload(document, tags=["harbour"], chunk_size=STEP)
    assert again == 1
    assert sum(sent) == size, "no chunk was sent twice"
    assert server.upload(document) == file_id, "what is there already is not sent"

    assert_it_is_found(server, module, file_id)


def assert_it_is_found(server: Any, module: ModuleType, file_id: str) -> None:
    file = server.wait(file_id)
    assert (file["status"], file["name"]) == ("ready", "harbour notes.txt")
    assert file_id in [one["id"] for one in server.files(status="ready")]
    assert server.search("lighthouse keeper")["hits"][0]["file"]["id"] == file_id
    events = list(server.stream("Who rows to the island?"))
    assert {"step", "result"} <= {name for name, _ in events}
    assert events[-1][0] == "result"
    assert events[-1][1]["hits"][0]["file"]["id"] == file_id
    with pytest.raises(module.ApiError) as refused:
        server.search("", mode="basic")
    assert refused.value.code == "invalid"
    with pytest.raises(module.ApiError) as unknown:
        list(server.stream("lighthouse", conversation="01a203c3-31fe-74e0-8144-c9a3da285748"))
    assert unknown.value.code == "conversation_not_found"


def test_it_is_served_by_the_product_and_runs_by_itself(stack: Stack, key: str, tmp_path: Path, document: Path) -> None:
    copy = tmp_path / "orchestra_client.py"
    copy.write_bytes(httpx.get(f"{stack.url}/static/client/orchestra_client.py").raise_for_status().content)
    done = subprocess.run(
        [sys.executable, "-I", str(copy), str(document), "Who rows to the island?"],
        env={"ORCHESTRA_URL": stack.url, "ORCHESTRA_KEY": key},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "harbour notes.txt: ready" in done.stdout
    assert "rows to the island" in done.stdout
