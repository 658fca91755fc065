"""GET /api/system/status: every check, for staff."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from files.extraction.isolation import fork_server
from orchestra.accounts.models import User
from tests.answers import error_of
from tests.conftest import client_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_staff_see_every_check_and_the_level_of_the_sandbox(admin_user_record: User) -> None:
    fork_server.shut_down()

    response = client_of(admin_user_record).get("/api/system/status")

    assert response.status_code == 200
    checks = {check["name"]: check for check in response.json()}
    assert {"database", "redis", "storage", "sandbox"} <= set(checks)
    assert checks["sandbox"]["ok"], checks["sandbox"]
    assert "network" in checks["sandbox"]["message"]
    assert not fork_server.is_running()


def test_others_do_not(as_alice: APIClient) -> None:
    error_of(as_alice.get("/api/system/status"), 403)
    error_of(APIClient().get("/api/system/status"), 401)
