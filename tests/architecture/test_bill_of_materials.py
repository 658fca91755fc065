"""docs/reference/sbom.cdx.json names what is installed: `make lock` writes both."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)


def _of(name: str) -> set[tuple[str, str]]:
    return {(found[1].lower(), found[2]) for found in PINNED.finditer((ROOT / name).read_text())}


def test_it_names_each_locked_package_in_its_version_and_no_other() -> None:
    bom = json.loads((ROOT / "docs" / "reference" / "sbom.cdx.json").read_text())
    named = {(part["name"].lower(), part["version"]) for part in bom["components"]}
    torch = {pin for pin in _of("requirements.txt") if pin[0] == "torch"}
    assert torch
    assert named == _of("requirements.lock") | torch
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert all(part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}" for part in bom["components"])
