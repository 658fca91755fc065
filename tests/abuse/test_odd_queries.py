"""Nothing that stands behind a question mark breaks an address."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from files import pipeline
from files.models import FileRecord, ImportRun
from files.webhooks import subscribing
from integrations.services import connect
from orchestra.accounts.models import User
from tests.routes import routes

# What each address reads; the rest look at no query string.
READS = {
    "file-list": ("status", "kind", "name", "page"),
    "file": ("at", "page", "within", "within=harbour&page"),
    "file-passages": ("from",),
    "home": ("utm_source",),
    "search": (
        *("q", "page", "mode", "q=harbour&missing", "q=harbour&mode", "mode=creative&q", "mode=super_deep&q"),
        *("persona", "conversation", "q=harbour&persona", "q=harbour&kinds", "q=harbour&tags", "q=harbour&added_from"),
        "q=harbour&added_to",
    ),
    "evaluation": ("name",),
    "system-status": ("span",),
    "sign-in": ("next",),
    "trash": ("page",),
    "people": ("q", "after"),
    "group": ("after",),
    "api-trash": ("page", "page_size"),
    "api-files": ("status", "kind", "tag", "name", "id", "page", "page_size", "format"),
    "api-file-content": ("format", "offset", "limit"),
    "api-keys": ("page", "page_size"),
    "personas": ("page",),
    "integration-new": ("provider",),
    "import-run": ("after", "action", "action=failed&after"),
    "webhook": ("after",),
    "api-personas": ("page", "page_size"),
    "api-webhooks": ("page", "page_size"),
    "api-webhook-deliveries": ("page", "page_size"),
    "api-conversations": ("page", "page_size"),
}
VALUES = (
    *("", "%00", "a%00b", "-1", "0", "1", "99999999999999999999", "1e9", "NaN", "%F0%9F%99%82", "%ED%A0%80", "%FF"),
    *(
        "'%22%3Cscript%3E",
        "{}",
        "[]",
        "line:1-",
        "page:%00",
        "sheet:%00",
        "line:99999999999999999999",
        "0001-01-01",
        "9999-12-31",
        "null",
        "%25",
        "%5C",
    ),
    *("the+of+and", "%21+%26+%7C+%28", "x" * 5000, "+".join(["word"] * 900), "%E2%80%AE", "..%2F..%2Fetc%2Fpasswd"),
)


def _of_integrations(user: User) -> dict[str, object]:
    """Return an import, a webhook and a group: their pages read more than their address."""
    connection = connect(user, "notion", "Pages", {"token": "ntn_1"})
    run = ImportRun.objects.create(integration=connection, state="done")
    webhook = subscribing.create(user, "https://example.org/", ["ready"]).webhook
    group = Group.objects.create(name="yard")
    return {"integration_id": connection.pk, "import_id": run.pk, "webhook_id": webhook.pk, "group_id": group.pk}


@pytest.mark.django_db
@pytest.mark.timeout(240)
def test_no_query_string_is_a_server_error(alice: User, make_file: Callable[..., FileRecord], client: Client) -> None:
    file = make_file(alice, b"The harbour master keeps the register.")
    assert pipeline.work("a worker")
    User.objects.filter(pk=alice.pk).update(is_staff=True)  # some pages are for staff
    others = {"action": "retry", "user_id": alice.pk, **_of_integrations(alice)}
    client.force_login(alice)
    client.raise_request_exception = False
    broken = []
    for route in routes():
        path = route.path({**dict.fromkeys(route.parameters, file.pk), **others})
        for name, value in product(READS.get(route.name, ()), VALUES):
            response: Any = client.get(f"{path}?{name}={value}")
            if response.streaming:
                list(response.streaming_content)
            if response.status_code >= 500:
                broken.append(f"{response.status_code} {path}?{name}={value[:40]}")
    assert not broken, "\n".join(broken[:20])
