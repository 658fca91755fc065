"""Nearest neighbours by FAISS, from files beside PostgreSQL, mapped into each process that searches.

A folder per space, in it one per owner, in it one per generation and the file `current`, which names the one that is
searched. A generation is written, recorded in PostgreSQL, and then pointed at: a crash between any two of these leaves
the generation before in use, and the next run removes what was left.
"""

from __future__ import annotations

import shutil
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from orchestra.common.disk import sync
from orchestra.monitoring.checks import Outcome
from search import mirrors
from search.errors import MirrorUnavailable
from search.retrieval import Space
from search.vector_stores.faiss_index import Builder, FaissGeneration, Shape
from search.vector_stores.mirror import MirrorStore, Progress

logger = structlog.get_logger(__name__)

_CURRENT = "current"
_CHECK_SECONDS = 5.0
_LONGEST_GONE = timedelta(days=1)  # that a deleted passage's vector may stay in a file
_LEAST_STALE = 500  # passages
_MOST_GONE_SHARE = 0.1
_STALE_SHARE = 0.05  # of an owner's passages: comparing these in PostgreSQL takes less than the search of the rest


class FaissStore(MirrorStore):
    """Copies of the vectors in files. For owners of many passages; others are searched in PostgreSQL."""

    name: ClassVar[str] = "faiss"

    def __init__(self, *, folder: str | Path, exact_rows: int = 5_000, most_open: int = 64, **shape: int) -> None:
        """Take where files lie, how many owners a process keeps open, and the fields of `Shape`."""
        super().__init__(exact_rows=exact_rows)
        self._folder = Path(folder)
        self._shape = Shape(**shape)
        self._most_open = most_open
        self._open: OrderedDict[Path, tuple[Path, FaissGeneration | MirrorUnavailable]] = OrderedDict()

    def generation(self, space: Space, owner_id: UUID) -> FaissGeneration | None:
        """Return the current files, opened. Raises MirrorUnavailable, for the same files each time without a look."""
        folder = self._owner(space.id, owner_id)
        current = self._current(folder)
        if current is None:
            return None
        with self._lock:
            known, opened = self._open.get(folder, (None, None))
        if known != current or opened is None:
            opened = self._opened(current)
            with self._lock:
                self._open[folder] = (current, opened)
                while len(self._open) > self._most_open:
                    self._open.popitem(last=False)
        with self._lock, suppress(KeyError):  # let go by another thread meanwhile
            self._open.move_to_end(folder)
        if isinstance(opened, MirrorUnavailable):
            raise MirrorUnavailable(opened.message)
        return opened

    def bring_up(self, space: Space, owner_id: UUID, *, everything: bool) -> Progress:
        """Write a new generation where the current one is too far behind, damaged or missing.

        It is the current one with what is new added to it, unless too much of that is deleted.
        """
        folder = self._owner(space.id, owner_id)
        current = self._current(folder)
        state = self._compared(space, owner_id)
        found, base = state.found, state.base
        if base is not None and not everything and not state.overdue and _will_do(base, found):
            mirrors.record_complete(base.id, mirrors.complete_part(found, ()))
            self._tidy(space.id, owner_id, {base.id.hex})
            return Progress()
        if base is None or everything or state.overdue or not self._may_grow(base, found):
            found, base = _all_of(owner_id, found), None
        try:
            new, stored = self._written(space, owner_id, found, base)
            self._record(space, owner_id, new, base, mirrors.Stored(stored, mirrors.complete_part(found, stored)))
            _point(folder, new.name)
        except OSError as exc:
            raise MirrorUnavailable(f"{folder} cannot be written: {exc}.") from exc
        self._tidy(space.id, owner_id, {new.name, current.name if current else ""})
        return Progress(added=sum(one.passages for one in stored))

    def drop(self, space_id: int, owner_id: UUID) -> None:
        """Remove an owner's files."""
        folder = self._owner(space_id, owner_id)
        (folder / _CURRENT).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        mirrors.forget(self.name, space_id, owner_id)

    def drop_unknown(self) -> None:
        """Remove the folders of owners that PostgreSQL has no generation of."""
        known = {self._owner(*holder) for holder in mirrors.holders(self.name)}
        for folder in self._folder.glob("*/*"):
            if folder not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def check(self) -> Outcome:
        """Open owners' current files, checking each byte, for as long as a check may take."""
        until, count = time.monotonic() + _CHECK_SECONDS, 0
        for pointer in self._folder.glob(f"*/*/{_CURRENT}"):
            if time.monotonic() > until:
                return Outcome.passed(f"FAISS reads the files of the first {count} owners in {self._folder}.")
            current = self._current(pointer.parent)
            opened = self._opened(current) if current else None
            if isinstance(opened, MirrorUnavailable):
                return Outcome.failed(opened.message, "PostgreSQL is searched meanwhile. Run: manage.py rebuild_index")
            count += 1
        return Outcome.passed(f"FAISS reads the files of {count} owners in {self._folder}.")

    def _owner(self, space_id: int, owner_id: UUID) -> Path:
        return self._folder / str(space_id) / owner_id.hex

    def _current(self, folder: Path) -> Path | None:
        try:
            name = (folder / _CURRENT).read_text()
        except OSError:
            return None
        return folder / name if _is_generation(name) else None

    def _opened(self, folder: Path) -> FaissGeneration | MirrorUnavailable:
        try:
            return FaissGeneration(folder, self._shape)
        except MirrorUnavailable as error:
            return error

    def _compared(self, space: Space, owner_id: UUID) -> _State:
        try:
            base = self.generation(space, owner_id)
        except MirrorUnavailable as error:
            logger.warning("vector_store_damaged", store=self.name, reason=error.message)
            base = None
        if base is None or not (known := mirrors.generation(base.id)):
            return _State(mirrors.difference(owner_id, mirrors.NO_GENERATION))
        found = mirrors.difference(owner_id, base.id)
        found = replace(found, complete_to=max(found.complete_to, known.complete_to))
        overdue = bool(found.gone) and known.written_at < timezone.now() - _LONGEST_GONE
        return _State(found, base, overdue)

    def _may_grow(self, base: FaissGeneration, found: mirrors.Difference) -> bool:
        """Return whether adding to a generation gives what building it anew would, but for a few that are deleted."""
        total = len(base) + sum(one.passages for one in found.missing)
        gone = sum(one.passages for one in found.gone)
        later = sum(one.passages for one in found.missing if one.number > base.last_document)
        return (
            base.is_graph == (total > self._shape.flat_rows) and gone <= _MOST_GONE_SHARE * len(base) and later > gone
        )

    def _written(
        self, space: Space, owner_id: UUID, found: mirrors.Difference, base: FaissGeneration | None
    ) -> tuple[Path, tuple[mirrors.Document, ...]]:
        """Write a generation; return it, and what is in it that is not in `base`."""
        last = base.last_document if base else 0  # an earlier one that came late waits until all is written anew
        later = [one for one in found.missing if one.number > last]
        builder = Builder(space.dimensions, sum(one.passages for one in later), self._shape, base)
        stored: list[mirrors.Document] = []
        for vectors in mirrors.vectors(space, owner_id, later):
            builder.add(vectors.passages, vectors.matrix)
            stored += vectors.documents
        return builder.write(self._owner(space.id, owner_id)), tuple(stored)

    def _record(
        self, space: Space, owner_id: UUID, new: Path, base: FaissGeneration | None, stored: mirrors.Stored
    ) -> None:
        with transaction.atomic():
            generation = mirrors.begin(self.name, space, owner_id, UUID(hex=new.name))
            if base is not None:
                mirrors.record_as_in(generation.pk, base.id)
            mirrors.record(generation.pk, stored.documents)
            mirrors.record_complete(generation.pk, stored.complete_to)

    def _tidy(self, space_id: int, owner_id: UUID, keep: set[str]) -> None:
        """Remove generations, except those to keep: the current one, and the one that searches may just be using."""
        kept = {name for name in keep if name}
        for folder in self._owner(space_id, owner_id).iterdir():
            if folder.is_dir() and folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        mirrors.forget(self.name, space_id, owner_id, keep=[UUID(hex=name) for name in kept])


@dataclass(frozen=True, slots=True)
class _State:
    """What an owner's current files lack, and the files, where they can be read and are this database's.

    `overdue`: something deleted has been in them for too long.
    """

    found: mirrors.Difference
    base: FaissGeneration | None = None
    overdue: bool = False


def _will_do(base: FaissGeneration, found: mirrors.Difference) -> bool:
    stale = sum(one.passages for one in (*found.missing, *found.gone))
    return stale <= max(_LEAST_STALE, _STALE_SHARE * len(base))


def _all_of(owner_id: UUID, found: mirrors.Difference) -> mirrors.Difference:
    """Return all that an owner has as missing, with what is known of what is to come."""
    anew = mirrors.difference(owner_id, mirrors.NO_GENERATION)
    return replace(anew, complete_to=max(anew.complete_to, found.complete_to))


def _is_generation(name: str) -> bool:
    with suppress(ValueError):
        return UUID(hex=name).hex == name
    return False


def _point(folder: Path, name: str) -> None:
    """Exchange what `current` names, at once and for good."""
    temporary = folder / f"{_CURRENT}.new"
    temporary.write_text(name)
    sync(temporary)
    temporary.rename(folder / _CURRENT)
    sync(folder)
