"""Puts the payloads of `tests.abuse.xss` wherever a user can write, over the API."""

from __future__ import annotations

import csv
import io
from email.message import EmailMessage
from html import escape
from typing import Any

import docx
import httpx

from tests.abuse.xss import PAYLOADS, packed
from tests.openai_server import KEY, MODEL, OpenAIServer, failure
from tests.stack import wait_for

TEXTS = [one.text for one in PAYLOADS]
NAMES = packed(PAYLOADS, 240, without="/\\")
QUESTION = "Which signs does the harbour office know?"
LEAD = "The harbour office knows these signs."


def contents() -> dict[str, bytes]:
    """Return files by ending: each has all payloads, once as text of its format and, where it has markup, raw."""
    paragraphs = "\n".join(f"<p>{escape(text)}</p>" for text in TEXTS)
    lines = "".join(f'<text y="9">{escape(text)}</text>' for text in TEXTS)
    rows = io.StringIO()
    csv.writer(rows).writerows([("sign", "payload"), *((one.sign, one.text) for one in PAYLOADS)])
    return {
        "txt": "\n\n".join((LEAD, *TEXTS)).encode(),
        "md": "\n\n".join(("# Signs", *TEXTS)).encode(),
        "html": "\n".join(("<!doctype html><title>Signs</title>", paragraphs, *TEXTS)).encode(),
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><title>{escape(TEXTS[0])}</title>{lines}</svg>'.encode(),
        "csv": rows.getvalue().encode(),
        "eml": _mail(),
        "docx": _document(),
        "xyz": bytes(range(256)) * 4,  # cannot be read
    }


def _mail() -> bytes:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = TEXTS[1], '"<img struck src=x onerror=alert(0)>" <mate@example.org>'
    mail.set_content("\n\n".join(TEXTS))
    mail.add_alternative("".join(TEXTS), subtype="html")
    mail.add_attachment(TEXTS[2].encode(), "text", "plain", filename="<img struck src=x>.txt")
    return mail.as_bytes()


def _document() -> bytes:
    document, held = docx.Document(), io.BytesIO()
    facts = document.core_properties
    facts.title, facts.author, facts.subject, facts.keywords = TEXTS[0], TEXTS[1], TEXTS[18], TEXTS[20]
    for text in TEXTS:
        document.add_paragraph(text)
    document.save(held)
    return held.getvalue()


def planted(client: httpx.Client, model: OpenAIServer) -> dict[str, str]:
    """Plant all of it and return ids by what they are; files by their ending."""
    ids = {
        **_files(client),
        **_connections(client, model),
        "persona": _persona(client),
        "webhook": _webhook(client),
    }
    client.patch("/api/auth/me", json={"first_name": TEXTS[2], "last_name": TEXTS[18][:100]}).raise_for_status()
    for text in packed(PAYLOADS, 100)[:20]:
        client.post("/api/auth/keys", json={"name": text}).raise_for_status()
    for text in TEXTS:  # some have no word to search for
        assert client.post("/api/search", json={"query": text}).status_code in (200, 400)
    return ids


def _files(client: httpx.Client) -> dict[str, str]:
    """Upload a file of each kind and some notes, give each a name and tags, and put the last one into the trash."""
    notes = {f"note{n}": f"Note {n} of the harbour office.".encode() for n in range(len(NAMES))}
    tags = packed(PAYLOADS, 50)
    ids: dict[str, str] = {}
    for (kind, content), name in zip((contents() | notes).items(), NAMES, strict=False):
        answer = client.post("/api/files/upload", files={"file": (f"signs.{kind}", content)})
        ids[kind] = answer.raise_for_status().json()["id"]
        some = [tags.pop() for _ in range(min(8, len(tags)))]
        # Said anew, for the form of an upload spells quotes in another way.
        client.patch(f"/api/files/{ids[kind]}", json={"name": f"{name}.{kind}", "tags": some}).raise_for_status()
    for file_id in ids.values():
        wait_for("a file to end", lambda: _ended(client, file_id), 180)  # noqa: B023  # called at once
    ids["trashed"] = ids[list(ids)[-1]]
    client.delete(f"/api/files/{ids['trashed']}").raise_for_status()
    return ids


def _ended(client: httpx.Client, file_id: str) -> bool:
    return client.get(f"/api/files/{file_id}").json()["status"] in ("ready", "failed", "partial")


def _persona(client: httpx.Client) -> str:
    lines = packed(PAYLOADS, 500)
    persona: dict[str, Any] = {
        "name": packed(PAYLOADS, 100)[0],
        "description": lines[1],
        "prompt": "\n".join(TEXTS),
        "tags": packed(PAYLOADS, 50)[:30],
        "blocked_terms": [text for text in TEXTS if len(text) <= 100],
    }
    made = client.post("/api/personas", json=persona).raise_for_status().json()
    return str(made["id"])


def _connections(client: httpx.Client, model: OpenAIServer) -> dict[str, str]:
    """Connect a model that answers, and some that are refused with payloads in the refusal."""
    ids = {}
    for text in packed(PAYLOADS, 100)[:20]:
        values = {"base_url": model.base_url, "model": text, "key": KEY, "alias": "uncensored"}
        ids["refused"] = _connected(client, text, values)
    model.script.append(failure(400, TEXTS[0], " ".join(TEXTS[:9])))
    client.post(f"/api/integrations/{ids['refused']}/test").raise_for_status()
    model.script.clear()
    ids["model"] = _connected(client, TEXTS[1], {"base_url": model.base_url, "model": MODEL, "key": KEY})
    return ids


def _connected(client: httpx.Client, name: str, values: dict[str, str]) -> str:
    body = {"provider": "compatible", "name": name, "values": values}
    made = client.post("/api/integrations", json=body).raise_for_status().json()
    return str(made["id"])


def _webhook(client: httpx.Client) -> str:
    """Make a webhook for addresses that are taken with payloads in them; most are refused for their spaces."""
    paths = [text.replace(" ", "/") for text in TEXTS]
    answers = [client.post("/api/webhooks", json={"url": f"http://127.0.0.1:9/{path}"}) for path in paths[:8]]
    ids = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    return str(ids[0])


def sampled_answer(_: object) -> str:
    """Return what the model writes: a sentence for each payload, each with a citation, and hostile citations."""
    told = [f"The harbour office knows the sign {text} here [1]." for text in TEXTS]
    cited = (
        "The harbour office knows [this](javascript:alert(1)) ![x](//foreign.example/a.png) [1](javascript:alert(2))."
    )
    return "\n".join((f"# {TEXTS[1]}", cited, *told))
