"""Pictures of every page, wide and narrow, light and dark: `make screenshots`, into var/screenshots.

To be looked at by people: they compare nothing. The product is started with a few files of a made-up boatyard, one of
which cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

from tests.browser.conftest import ARGUMENTS, PASSWORD, chromium_program, sign_in
from tests.environment import VAR
from tests.openai_server import KEY, MODEL, OpenAIServer, running_openai_server
from tests.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server, running_s3_server
from tests.stack import Stack, running_stack, wait_for

USER = "marta"
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
QUESTION = "when is the crane inspected"
FILES = {
    "Crane inspection.md": (
        "# Crane\n\nThe crane is inspected every spring, before the first boat is lifted. Sokolov signs the report.\n\n"
        "## Faults\n\nThe brake slipped in April and was replaced the same day.\n"
    ),
    "Boats in the shed.csv": "boat,length,owner\nAlbatross,11.2,Lindqvist\nBarnacle,7.5,Okafor\nCormorant,9.0,Haddad\n",
    "Harbour rules.txt": "The harbour master keeps the register of boats. The crane may be used from April on.\n" * 40,
    "Minutes of May.html": "<h1>Minutes</h1><p>The roof of the shed leaks. Haddad asks for an offer.</p>",
    "Old scan.pdf": "%PDF-1.4 this one was cut off",
}
# A day of a made-up yard: nights are quiet, the machine was off for an hour, a disk was slow in the morning.
SAMPLES = """
INSERT INTO monitoring_systemmetric (id, resolution, at, figures, totals)
SELECT gen_random_uuid(), 'minute', date_trunc('minute', now()) - n * interval '1 minute', jsonb_build_object(
    'files_ready', greatest(0, round((6 * sin(n / 230.0) + 3 * random())::numeric, 2)),
    'passages', greatest(0, round((60 * sin(n / 230.0) + 20 * random())::numeric, 1)),
    'requests', round((40 + 35 * sin(n / 230.0) + 9 * random())::numeric, 1),
    'search_ms', round((38 + 12 * random() + CASE WHEN n BETWEEN 300 AND 380 THEN 160 ELSE 0 END)::numeric, 1),
    'request_ms', round((22 + 6 * random())::numeric, 1),
    'files_failed', CASE WHEN random() < 0.04 THEN 1 ELSE 0 END,
    'request_errors', CASE WHEN n BETWEEN 300 AND 340 THEN 2 ELSE 0 END,
    'search_errors', 0,
    'queue', greatest(0, round(18 * sin(n / 230.0))),
    'queue_oldest', greatest(0, round(45 * sin(n / 230.0))),
    'memory', round((1450 + 120 * sin(n / 90.0) + 30 * random())::numeric, 1)), '{}'
FROM generate_series(3, 1430) AS n WHERE n NOT BETWEEN 760 AND 820
ON CONFLICT DO NOTHING
"""

PEOPLE = f"""
from orchestra.accounts import invitations, people, second_factor
from orchestra.accounts.models import User
root = User.objects.get(username="admin")
person, _ = User.objects.get_or_create(
    username="okafor", defaults=dict(first_name="Chidi", last_name="Okafor", email="okafor@example.org")
)
people.set_active(root, person.pk, active=False)
people.set_quota(root, person.pk, 5 * 1024**3)
group = people.create_group(root, "Boatyard")
for name in ("okafor", "{USER}"):
    people.join(root, User.objects.get(username=name).pk, group.pk)
invitations.make(root, "Haddad, for the register", groups=[group.pk])
second_factor.begin(root)
print(person.pk, group.pk)
"""


@dataclass(frozen=True)
class Page:
    """A page: the picture's name, its address, who looks at it, and what is there once it has settled."""

    name: str
    path: str
    user: str = USER
    status: int = 200
    settled: str = "body"


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the product, fill it, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=VAR / "screenshots", help="a folder; made if it is not there")
    parser.add_argument("--only", default="", help="parts of the names of pages, with commas")
    chosen = parser.parse_args(arguments)
    with (
        running_openai_server() as model,
        running_s3_server() as bucket,
        running_stack(
            "screenshots", PORT="19400", OUTBOUND_ALLOWED_PRIVATE="127.0.0.1", LLM_MONTHLY_TOKENS="200000"
        ) as stack,
    ):
        stack.create_user(USER, PASSWORD)
        ids = {**filled(stack), **connected(stack, model, bucket), **peopled(stack)}
        pages = [page for page in pages_of(ids) if any(part in page.name for part in chosen.only.split(","))]
        for path in _pictures(stack, pages, chosen.into):
            sys.stdout.write(f"{path}\n")
    return 0


def filled(stack: Stack) -> dict[str, str]:
    """Upload the files, wait until each has ended, and ask a question; return ids by name."""
    client = stack.client(USER)
    ids = {
        name: client.post("/api/files/upload", files={"file": (name, content.encode())}).json()["id"]
        for name, content in FILES.items()
    }
    for file_id in ids.values():
        wait_for("a file to end", lambda: _ended(client, file_id), 180)  # noqa: B023  # called at once
    client.post("/api/search", json={"query": QUESTION}).raise_for_status()
    client.delete(f"/api/files/{ids['Minutes of May.html']}").raise_for_status()
    ids["similar"] = _similar_address(client)
    persona = {"name": "Yard", "description": "Answers for the people of the yard.", "instructions": "Be brief."}
    with stack.database() as database:
        database.execute(SAMPLES)
    ids["persona"] = client.post("/api/personas", json=persona).raise_for_status().json()["id"]
    return ids


def connected(stack: Stack, server: OpenAIServer, s3: S3Server) -> dict[str, str]:
    """Connect a model and a bucket that work, and one of each that does not, and a webhook; return ids."""
    client = stack.client(USER)
    for name, text in FILES.items():
        s3.client().put_object(Bucket=BUCKET, Key=f"papers/{name}", Body=f"From the bucket.\n{text}".encode())
    known = {"base_url": server.base_url, "model": MODEL}
    bucket = {"bucket": BUCKET, "endpoint": s3.url, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    ids = {}
    for name, provider, values in (
        ("The yard's own model", "compatible", {**known, "key": KEY}),
        ("Old key", "compatible", {**known, "key": "sk-old", "alias": "uncensored"}),
        ("A bucket that is gone", "s3", {**bucket, "endpoint": "http://127.0.0.1:9"}),
        ("Papers of the yard", "s3", bucket),
    ):
        made = client.post("/api/integrations", json={"provider": provider, "name": name, "values": values}).json()
        client.post(f"/api/integrations/{made['id']}/test").raise_for_status()
        ids[name] = made["id"]
    hook = client.post("/api/webhooks", json={"url": "http://127.0.0.1:9/hook"}).raise_for_status().json()
    client.post(f"/api/webhooks/{hook['id']}/test").raise_for_status()
    asked = [_imported(client, ids[name]) for name in ("A bucket that is gone", "Papers of the yard")]
    return {**ids, "import-failed": asked[0], "import": asked[1], "webhook": hook["id"]}


def peopled(stack: Stack) -> dict[str, str]:
    """Make an account that is off, a group, an invitation, and begin the administrator's second factor; return ids."""
    done = stack.manage("shell", "-v0", "-c", PEOPLE)
    assert done.returncode == 0, done.stderr
    person, group = done.stdout.split()
    return {"person": person, "group": group}


def _imported(client: httpx.Client, connection: str) -> str:
    """Import, wait for the end, and return the run's id."""
    address = f"/api/integrations/{connection}/import"
    asked = client.post(address).raise_for_status().json()["id"]
    wait_for("the import to end", lambda: client.get(f"{address}s").json()["runs"][0]["ended_at"], 120)
    return str(asked)


def _similar_address(client: httpx.Client) -> str:
    """Return the page of what is similar to the passage that the question found."""
    hit = client.post("/api/search", json={"query": QUESTION}).json()["hits"][0]
    return f"/files/{hit['file']['id']}/passages/{hit['chunk_id']}/similar"


def _ended(client: httpx.Client, file_id: str) -> bool:
    return client.get(f"/api/files/{file_id}").json()["status"] in ("ready", "failed", "partial")


def pages_of(ids: dict[str, str]) -> list[Page]:
    """Return every page there is, about what `filled` and `connected` made."""
    modes = ("basic", "deep", "super_deep", "creative", "private")
    return [
        Page("sign-in", "/sign-in", user=""),
        Page("home", "/"),
        Page("home-first", "/", user="admin"),
        Page("files", "/files"),
        Page("files-none", "/files", user="admin"),
        *_pages_of_files(ids),
        Page("trash", "/trash"),
        Page("search", "/search"),
        *(Page(f"search-{mode}", f"/search?q={QUESTION.replace(' ', '+')}&mode={mode}") for mode in modes),
        Page("compare", "/search/compare"),
        Page("search-nothing", "/search?q=zeppelin+quartz+umlaut"),
        Page("personas", "/personas"),
        Page("persona", f"/personas/{ids['persona']}"),
        Page("persona-new", "/personas/new"),
        *_pages_of_integrations(ids),
        *_pages_of_people(ids),
        Page("evaluation", "/evaluation", user="admin"),
        Page("status", "/system/status", user="admin", settled="#run-all button:enabled"),
        Page("admin", "/admin/", user="admin"),
        Page("api", "/api/files"),
        Page("swagger", "/docs"),
        Page("missing", "/nothing-here", status=404),
    ]


def _pages_of_files(ids: dict[str, str]) -> list[Page]:
    return [
        Page("file", f"/files/{ids['Crane inspection.md']}"),
        Page("file-table", f"/files/{ids['Boats in the shed.csv']}"),
        Page("file-within", f"/files/{ids['Harbour rules.txt']}?within=april"),
        *(
            Page(f"file-{tab}", f"/files/{ids['Harbour rules.txt']}/{tab}")
            for tab in ("passages", "metadata", "timeline", "origin")
        ),
        Page("file-similar", ids["similar"]),
        Page("file-trashed", f"/files/{ids['Minutes of May.html']}", status=404),
        Page("file-failed", f"/files/{ids['Old scan.pdf']}"),
    ]


def _pages_of_people(ids: dict[str, str]) -> list[Page]:
    return [
        Page("account", "/account"),
        Page("account-password", "/account/password"),
        Page("two-factor-off", "/account/two-factor"),
        Page("two-factor-setup", "/account/two-factor", user="admin"),
        Page("invitation", "/invitation#a-code", user=""),
        Page("people", "/people", user="admin"),
        Page("people-nobody", "/people?q=zeppelin", user="admin"),
        Page("person", f"/people/{ids['person']}", user="admin"),
        Page("groups", "/people/groups", user="admin"),
        Page("group", f"/people/groups/{ids['group']}", user="admin"),
    ]


def _pages_of_integrations(ids: dict[str, str]) -> list[Page]:
    return [
        Page("integrations", "/integrations"),
        Page("integrations-none", "/integrations", user="admin"),
        Page("integration-new", "/integrations/new?provider=s3"),
        Page("integration", f"/integrations/{ids['Old key']}"),
        Page("imports", f"/integrations/{ids['Papers of the yard']}/imports"),
        Page("import-run", f"/imports/{ids['import']}"),
        Page("import-failed", f"/imports/{ids['import-failed']}"),
        Page("webhooks", "/webhooks"),
        Page("webhook", f"/webhooks/{ids['webhook']}"),
    ]


def _pictures(stack: Stack, pages: Sequence[Page], folder: Path) -> Iterator[Path]:
    """Yield each picture's path once it is written."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=ARGUMENTS)
        for size, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                for user in sorted({page.user for page in pages}):
                    context = browser.new_context(
                        viewport={"width": width, "height": height}, color_scheme=scheme, base_url=stack.url
                    )
                    tab = context.new_page()
                    if user:
                        sign_in(tab, stack.url, user, PASSWORD if user == USER else stack.administrator()[1])
                    for page in pages:
                        if page.user == user:
                            yield _picture(tab, page, folder / f"{page.name}-{size}-{scheme}.png")
                    context.close()
        browser.close()


def _picture(tab: Any, page: Page, path: Path) -> Path:
    answer = tab.goto(page.path)
    assert answer.status == page.status, f"{page.path} answered {answer.status}"
    tab.wait_for_load_state("load")
    tab.wait_for_selector(page.settled, timeout=60_000)
    tab.wait_for_timeout(400)  # what the page fetches by itself
    tab.screenshot(path=str(path), full_page=True)
    return path


if __name__ == "__main__":
    sys.exit(main())
