"""Whether anything was lost: what clients were told, against what the product says and what its data say.

Acknowledged is visible; visible was attempted; all ends; every invariant of `manage.py verify` holds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.client import Client
from tests.stack import Stack, wait_for

ENDED = {"ready", "partial", "failed", "cancelled"}


@dataclass
class Verdict:
    """What is wrong, by kind; each entry is a sentence. `failed` is allowed where it has a reason."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    wrong_digests: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """Return everything that must not be."""
        kinds = (self.lost, self.doubled, self.stuck, self.wrong_digests, self.unexpected, self.findings)
        return [sentence for kind in kinds for sentence in kind]


def await_end(clients: Sequence[Client], seconds: float) -> list[str]:
    """Wait until every acknowledged file has ended; return those that have not within the time."""
    left: dict[str, str] = {}

    def all_ended() -> bool:
        left.clear()
        for client in clients:
            shown = client.files()
            done = {acknowledged.file_id for acknowledged in client.log.complete.values()}
            left.update({key: file["status"] for key, file in shown.items() if key in done} if done else {})
        for key in [key for key, status in left.items() if status in ENDED]:
            del left[key]
        return not left

    try:
        wait_for("all files to end", all_ended, seconds, every=1)
    except AssertionError:
        return [f"{key} is still {status}" for key, status in left.items()]
    return []


def judge(stack: Stack, clients: Sequence[Client], *, seconds: float = 300, downloads: int = 1_000_000) -> Verdict:
    """Wait for the end, then compare everything; of each client's files `downloads` are fetched and hashed."""
    verdict = Verdict(stuck=await_end(clients, seconds))
    for client in clients:
        compare(client, verdict, downloads)
    verdict.findings += findings_of(stack)
    verdict.doubled += _doubled(stack)
    return verdict


def compare(client: Client, verdict: Verdict, downloads: int) -> None:
    """Compare what a client was told with what the product shows it and gives it."""
    shown = client.files()
    verdict.lost += client.log.problems
    for acknowledged in client.log.complete.values():
        file = shown.get(acknowledged.file_id)
        if file is None:
            verdict.lost.append(f"{acknowledged.file_id} was acknowledged and is not there")
        elif (file["sha256"], file["size"]) != (acknowledged.sha256, acknowledged.size):
            verdict.wrong_digests.append(f"{acknowledged.file_id} is not what was sent")
    for file_id, file in shown.items():
        _look_at(client, file_id, file, verdict)
    for file_id in list(shown)[:downloads]:
        if shown[file_id]["sha256"] and client.digest_of_download(file_id) != shown[file_id]["sha256"]:
            verdict.wrong_digests.append(f"{file_id} downloads as something else")


def _look_at(client: Client, file_id: str, file: dict[str, Any], verdict: Verdict) -> None:
    if file["sha256"] and file["sha256"] not in client.log.attempted:
        verdict.unexpected.append(f"{file_id} was never sent")
    if file_id in client.log.deleted:
        verdict.unexpected.append(f"{file_id} was deleted and is there")
    if file["status"] == "failed":
        reason = file["error"] or {}
        verdict.failed[file_id] = reason.get("code", "")
        if not reason.get("message"):
            verdict.unexpected.append(f"{file_id} failed and does not say why")


def findings_of(stack: Stack, *arguments: str) -> list[str]:
    """Run `manage.py verify`; return a sentence for each invariant that does not hold."""
    done = stack.manage("verify", "--json", *arguments, timeout=900)
    assert done.stdout.strip(), done.stderr
    found = json.loads(done.stdout)["findings"]
    return [f"{finding['code']}: {finding['message']} {finding['examples']}" for finding in found]


def _doubled(stack: Stack) -> list[str]:
    """Look for what exists twice; the constraints of the database are not trusted here."""
    statements = {
        "a passage": "SELECT file_id, ordinal FROM search_vectorchunk GROUP BY 1, 2 HAVING count(*) > 1",
        "a vector": "SELECT document_id, ordinal FROM search_chunkembedding GROUP BY 1, 2, space_id HAVING count(*)>1",
        "a posting": "SELECT document_id, lexeme FROM search_keywordposting GROUP BY 1, 2, block HAVING count(*) > 1",
        "a segment": "SELECT file_id, ordinal FROM files_filesegment GROUP BY 1, 2 HAVING count(*) > 1",
        "a file": "SELECT owner_id, sha256 FROM files_filerecord WHERE sha256 <> '' GROUP BY 1, 2 HAVING count(*) > 1",
    }
    found = []
    with stack.database() as database:
        for what, statement in statements.items():
            found += [f"{what} is there twice: {row}" for row in database.execute(statement).fetchmany(5)]
    return found
