"""Clients and servers of others, written in JavaScript: installed once, outside git, at the versions of a lock file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stack import ROOT

OLDEST_NODE = 20


def node_folder(sources: Path, name: str) -> Path:
    """Return a folder with the scripts of `sources` and their packages; skip the test where it cannot be made."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed: apt-get install nodejs npm")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"these packages need node {OLDEST_NODE}, this is {version.strip()}")
    installed = ROOT / "var" / name
    installed.mkdir(parents=True, exist_ok=True)
    wanted = (sources / "package-lock.json").read_bytes()
    mark = installed / "installed.json"
    if not mark.exists() or mark.read_bytes() != wanted:
        _install(sources, installed)
        mark.write_bytes(wanted)
    for script in sources.glob("*.mjs"):
        shutil.copy(script, installed)
    return installed


def _install(sources: Path, installed: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(sources / name, installed)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=installed, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install the packages: {done.stderr.strip()[-300:]}")
