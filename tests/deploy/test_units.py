"""The units for systemd: what systemd itself says of them, and what they must not forbid."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestra.embedded.programs import PARTS
from orchestra.settings.env import variable_names
from tests.stack import ROOT

UNITS = ROOT / "deploy" / "systemd"
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Copies of the units, one per part, for an account and an interpreter that this machine has."""
    for path in UNITS.glob("*.*"):
        text = path.read_text().replace(
            "/opt/orchestra/.venv/bin/python", f'"{sys.executable}"'
        )  # a path may have blanks
        text = text.replace("=orchestra\n", "=daemon\n") if path.suffix == ".service" else text
        for part in PARTS if "@" in path.name else [""]:
            (tmp_path / path.name.replace("@", f"@{part}" if part else "@")).write_text(text)
    return tmp_path


@needs_systemd
def test_systemd_can_read_them(installed: Path) -> None:
    units = sorted(path for path in installed.iterdir() if path.suffix in (".service", ".target"))
    assert len(units) == len(PARTS) + 2
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", ["orchestra@web.service", "orchestra-prepare.service"])
def test_their_exposure_is_low(installed: Path, unit: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", installed / unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure, done.stdout + done.stderr
    assert float(exposure[1]) <= 3.0


def test_a_reader_may_be_confined_under_them() -> None:
    unit = (UNITS / "orchestra@.service").read_text()
    settings = dict(line.split("=", 1) for line in unit.splitlines() if re.match(r"[A-Za-z]+=", line))
    assert {"user", "net"} <= set(settings["RestrictNamespaces"].split())
    wanted = {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp"}
    assert wanted <= set(settings["SystemCallFilter"].split())
    assert "MemoryDenyWriteExecute" not in settings, "OpenVINO makes machine code"
    assert settings["KillMode"] == "mixed"
    assert settings["ExecStart"].endswith("manage.py run --only %i")


def test_the_target_wants_each_part_and_its_settings_exist() -> None:
    target = (UNITS / "orchestra.target").read_text()
    assert all(f"orchestra@{part}.service" in target for part in PARTS)
    names = re.findall(r"^#?([A-Z_]+)=", (UNITS / "orchestra.env").read_text(), re.MULTILINE)
    assert "DATABASE_URL" in names
    assert set(names) <= set(variable_names())
