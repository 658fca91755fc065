"""Which vectors are searched, by which model they were made, and how one model's take the place of another's.

Writers hold a shared lock of the database while they store a file's vectors, and whoever exchanges the spaces holds it
alone: no file slips through between the last look for missing vectors and the exchange.
"""

from __future__ import annotations

import threading
import time

from django.core.signals import setting_changed
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable

from orchestra.common.errors import OrchestraError
from search import partitions
from search.embedders import embedders
from search.indexing.embedding import Embedder
from search.models import EmbeddingSpace
from search.retrieval import Space

_LOCK = 0x0E5BACE5  # of the exchange; any number that nothing else locks
_KNOWN_FOR = 2.0  # seconds that a search may go on with a space that was exchanged; it is kept for longer than that


class SpaceChanged(OrchestraError):
    """Another model's vectors took over while a file was being embedded."""

    code = "embedding_space_changed"
    status = 503
    transient = True
    default_message = "The embedding model was changed while this file was being read."
    default_hint = "It is read again by itself."


class ModelNotConfigured(OrchestraError):
    """The vectors that are searched were made by a model that this installation does not have."""

    code = "embedding_model_not_configured"
    status = 503
    default_message = "The model that made the vectors is not configured here."
    default_hint = "Words are searched meanwhile. Run: manage.py rebuild_index"


def active() -> Space | None:
    """Return the space that is searched; None before the first file is indexed."""
    row = EmbeddingSpace.objects.filter(state=EmbeddingSpace.State.ACTIVE).first()
    return _space(row) if row else None


def filling() -> Space | None:
    """Return the space that is being filled, if there is one."""
    row = EmbeddingSpace.objects.filter(state=EmbeddingSpace.State.FILLING).first()
    return _space(row) if row else None


def for_writing() -> Space:
    """Return the space that new files go to, making the first one for the configured model.

    That is the one that is searched, so that a file is found at once; where its model is gone, the one that is being
    filled: its files are found by their words until all others are there.
    """
    found = active()
    state = EmbeddingSpace.State.FILLING if found else EmbeddingSpace.State.ACTIVE
    if found and not _is_configured(found):
        found = filling()
    if found:
        return found
    try:
        with transaction.atomic():
            return create(embedders["default"], state)
    except IntegrityError:  # another process was first
        return for_writing()


def create(embedder: Embedder, state: EmbeddingSpace.State) -> Space:
    """Make an empty space, in the caller's transaction. Raises IntegrityError where there is one in that state."""
    row = EmbeddingSpace.objects.create(model_id=embedder.model_id, dimensions=embedder.dimensions, state=state)
    partitions.create(row.pk)
    return _space(row)


def _is_configured(space: Space) -> bool:
    return any(embedders[alias].model_id == space.model_id for alias in embedders.aliases())


def embedder_of(space: Space) -> Embedder:
    """Return the configured embedder whose vectors the space holds. Raises ModelNotConfigured."""
    for alias in sorted(embedders.aliases(), key=lambda alias: alias != "default"):
        if embedders[alias].model_id == space.model_id:
            return embedders[alias]
    raise ModelNotConfigured(model=space.model_id)


def hold(space: Space) -> None:
    """Keep `space` active or filling until the caller's transaction ends. Raises SpaceChanged where it is neither."""
    hold_any()
    if space not in (active(), filling()):
        raise SpaceChanged


def hold_any() -> None:
    """Keep whichever spaces there are active or filling until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LOCK])


def exchange(new: Space) -> None:
    """Make `new` the space that is searched, in the caller's transaction, and retire the one before.

    The caller looks for missing vectors after `hold_alone`, in the same transaction.
    """
    spaces = EmbeddingSpace.objects
    spaces.filter(state=EmbeddingSpace.State.ACTIVE).update(state=EmbeddingSpace.State.RETIRED, retired_at=Now())
    spaces.filter(pk=new.id).update(state=EmbeddingSpace.State.ACTIVE)
    transaction.on_commit(searched.forget)


def hold_alone() -> None:
    """Wait until no file is being stored, and let none be until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def try_to_hold_alone() -> bool:
    """Do as `hold_alone` if no file is being stored at this moment; return whether that was so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def remove(space_id: int) -> bool:
    """Remove a space and its vectors; False where somebody reads vectors for long, a backup: try again later."""
    try:
        with transaction.atomic():
            partitions.drop(space_id)
            EmbeddingSpace.objects.filter(pk=space_id).delete()
    except OperationalError as exc:
        if isinstance(exc.__cause__, LockNotAvailable):
            return False
        raise
    return True


class _Searched:
    """The active space as searches see it: looked up once in a while, not in each search."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._space: Space | None = None
        self._until = 0.0
        setting_changed.connect(lambda **_: self.forget())

    def __call__(self) -> Space | None:
        with self._lock:
            if self._space is None or time.monotonic() > self._until:
                self._space, self._until = active(), time.monotonic() + _KNOWN_FOR
            return self._space

    def forget(self) -> None:
        """Look again at the next search."""
        with self._lock:
            self._space = None


searched = _Searched()


def _space(row: EmbeddingSpace) -> Space:
    return Space(row.pk, row.model_id, row.dimensions)
