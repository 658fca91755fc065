"""Where bytes are, chosen by settings.FILE_STORAGES.

`settings.FILE_STORAGE` names the one that new files go to; each file remembers its own, so that an installation can
change while it runs. Before it: `files.uploads`; after it: whoever reads a file's bytes.
"""

from __future__ import annotations

from django.conf import settings

from files.models import FileRecord
from files.storage.base import FileStorage, Whole, key_of
from orchestra.common.aliases import AliasHandler

__all__ = ["FileStorage", "Whole", "chosen", "file_storages", "key_of", "storage_of"]

file_storages: AliasHandler[FileStorage] = AliasHandler("FILE_STORAGES", FileStorage)  # type: ignore[type-abstract]


def chosen() -> FileStorage:
    """Return the storage that new files go to."""
    return file_storages[settings.FILE_STORAGE]


def storage_of(file: FileRecord) -> FileStorage:
    """Return the storage that has, or is getting, a file's bytes."""
    return file_storages[file.storage]
