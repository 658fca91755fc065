"""Files and folders of this machine into a user's files, through the same engine as every upload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from files import uploads
from files.uploads import NewUpload
from orchestra.accounts.models import User
from orchestra.common.disk import digest_of
from orchestra.common.errors import OrchestraError


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one path: the file, or why there is none."""

    path: Path
    file_id: UUID | None
    duplicate: bool = False
    problem: str = ""


def regular_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named and those below the folders named, in order; hidden ones and links are left out."""
    for path in paths:
        if path.is_dir():
            inside = (p for p in path.rglob("*") if not any(part.startswith(".") for part in p.relative_to(path).parts))
            yield from sorted(p for p in inside if p.is_file() and not p.is_symlink())
        else:
            yield path


def ingest(owner: User, path: Path, tags: tuple[str, ...] = ()) -> Ingested:
    """Store one file and queue it. A problem is returned, not raised, so that one bad file stops nobody."""
    try:
        size = path.stat().st_size
        digest = digest_of(path) if size else ""
        with path.open("rb") as stream:
            state = uploads.receive_whole(owner, NewUpload(path.name, size, digest, tags=tags), stream)
    except OrchestraError as exc:
        return Ingested(path, None, problem=exc.message)
    except OSError as exc:
        return Ingested(path, None, problem=f"cannot be read: {exc.strerror}")
    return Ingested(path, state.file.pk, duplicate=state.duplicate)
