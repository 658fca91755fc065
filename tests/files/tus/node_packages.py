"""Clients and servers of others, written in JavaScript: installed once, outside git, at the versions of `node/`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stack import ROOT

SOURCES = Path(__file__).parent / "node"
INSTALLED = ROOT / "var" / "test-node"
OLDEST_NODE = 20


def node_folder() -> Path:
    """Return the folder that has the scripts of `node/` and their packages; skip the test where it cannot be made."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed: apt-get install nodejs npm")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"these packages need node {OLDEST_NODE}, this is {version.strip()}")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    wanted = (SOURCES / "package-lock.json").read_bytes()
    mark = INSTALLED / "installed.json"
    if not mark.exists() or mark.read_bytes() != wanted:
        _install()
        mark.write_bytes(wanted)
    for script in SOURCES.glob("*.mjs"):
        shutil.copy(script, INSTALLED)
    return INSTALLED


def _install() -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCES / name, INSTALLED)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install the packages: {done.stderr.strip()[-300:]}")
