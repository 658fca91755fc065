"""What can go wrong with backups, each with a code, a sentence and a hint."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError


class BackupFolderInvalid(OrchestraError):
    """The folder is not one of backups, or has none that is complete."""

    code = "backup_folder_invalid"
    status = 400
    default_message = "This folder holds no complete backup."
    default_hint = "Name the folder that was given to `manage.py backup`."


class BackupBusy(OrchestraError):
    """Another backup or restore is at work."""

    code = "backup_busy"
    status = 409
    default_message = "Another backup or restore is at work on this folder or database."
    default_hint = "Wait until it has ended."


class BackupDiskFull(OrchestraError):
    """The disk that the backup is written to has no room."""

    code = "backup_disk_full"
    status = 507
    default_message = "The disk of the backup has no room for it."
    default_hint = "Free some space there and run the same command again: bytes that are copied stay."


class BackupDamaged(OrchestraError):
    """A part of a backup is missing, or is not what it was."""

    code = "backup_damaged"
    status = 422
    default_message = "The backup is damaged."
    default_hint = "Restore another one of this folder with --backup; `manage.py backup --verify` lists all damage."


class BackupNewer(OrchestraError):
    """The backup was made by a version that this one does not know."""

    code = "backup_newer"
    status = 409
    default_message = "This backup was made by a newer version."
    default_hint = "Restore it with the version that made it, or a later one."


class RestoreNotEmpty(OrchestraError):
    """There is something here already."""

    code = "restore_not_empty"
    status = 409
    default_message = "The database is not empty."
    default_hint = "Restore into an empty one, or replace all that is here with --force."


class RestoreWhileRunning(OrchestraError):
    """Somebody uses the database."""

    code = "restore_while_running"
    status = 409
    default_message = "Somebody else is connected to the database."
    default_hint = "Stop Orchestra on all machines (`manage.py stop`), then restore."


class RestoreFailed(OrchestraError):
    """The database refused the backup; it is as it was before."""

    code = "restore_failed"
    default_message = "The database did not take the backup, and is as it was before."
    default_hint = "See what it said; nothing was changed. Another backup of the folder may do: --backup."
