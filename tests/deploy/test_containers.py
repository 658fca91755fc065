"""The Dockerfile and the compose file: linted, fitting their schemas, and of one mind with the code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from orchestra.embedded.programs import PARTS
from orchestra.embedded.supervisor import Policy
from orchestra.settings.env import SECRETS_DIR, variable_names
from tests.stack import ROOT

DEPLOY = ROOT / "deploy"
_HADOLINT = Path(sys.executable).with_name("hadolint")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return content


def test_hadolint_finds_no_fault_in_the_dockerfile() -> None:
    done = subprocess.run([_HADOLINT, DEPLOY / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_hadolint_would_find_one(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN apt-get install curl\n")
    done = subprocess.run([_HADOLINT, tmp_path / "Dockerfile"], capture_output=True, text=True, timeout=60, check=False)
    assert "DL3006" in done.stdout


def test_the_image_installs_what_is_locked_as_an_ordinary_account() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    makefile = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert makefile
    assert f"uv=={makefile[1]}" in text
    set_there = dict(re.findall(r"^(?:ENV|   ) (\w+)=(\S+?)(?: \\)?$", text, re.MULTILINE))
    assert {"STATE_DIR", "UPLOAD_DIR", "MODEL_DIR", "HOST", "LOG_FORMAT"} <= set(set_there)
    assert {name for name in set_there if name.isupper() and "_DIR" in name} <= set(variable_names())


def test_what_an_image_does_not_need_stays_out_of_it() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    assert {".git", ".venv", "var", "tests", "deploy", ".env"} <= set(ignored)


def test_the_compose_file_fits_its_schema(compose: dict[str, Any]) -> None:
    # References and defaults of YAML are resolved before; the schema knows none.
    assert set(compose_spec.PyCompose.from_json(json.dumps(compose)).service_names()) == set(compose["services"])
    with pytest.raises(ValueError, match="imagee"):
        compose_spec.PyCompose.from_json('{"services": {"web": {"imagee": "x"}}}')


def test_each_part_is_a_service_that_runs_it(compose: dict[str, Any]) -> None:
    for part in PARTS:
        service = compose["services"][part]
        assert service["command"] == ["run", "--only", part]
        assert int(service["stop_grace_period"].removesuffix("s")) > Policy().grace
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["deploy"]["resources"]["limits"]["memory"]
    assert compose["services"]["prepare"]["command"][0] == "prepare"


def test_settings_and_secrets_of_the_compose_file_are_names_that_are_read(compose: dict[str, Any]) -> None:
    known = variable_names()
    for name in (*PARTS, "prepare"):
        service = compose["services"][name]
        assert set(service["environment"]) <= set(known)
        assert {each.upper() for each in service["secrets"]} - {"ADMIN_PASSWORD"} <= set(known)
        assert set(service["secrets"]) <= set(compose["secrets"])
    assert str(SECRETS_DIR) == "/run/secrets", "where Compose puts them"


def test_the_secrets_that_are_made_are_those_that_are_named(compose: dict[str, Any], tmp_path: Path) -> None:
    script = tmp_path / "make_secrets.sh"
    shutil.copy(DEPLOY / "make_secrets.sh", script)
    for _ in range(2):
        subprocess.run(["sh", script], check=True, capture_output=True, timeout=60)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) >= {Path(each["file"]).name for each in compose["secrets"].values()}
    assert made["postgres_password"].strip() in made["database_url"]
    assert made["valkey_password"].strip() in made["redis_url"]
    assert made["secret_key"] != made["jwt_signing_key"]
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    tracked = subprocess.run(["git", "check-ignore", "-q", "deploy/secrets/x"], cwd=ROOT, check=False)
    assert tracked.returncode == 0


def test_only_the_proxy_is_reached_from_outside(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["proxy"]
    assert compose["networks"]["inner"]["internal"] is True
    subnet = compose["networks"]["inner"]["ipam"]["config"][0]["subnet"]
    assert compose["services"]["web"]["environment"]["TRUSTED_PROXIES"] == subnet
