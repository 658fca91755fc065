"""Every way a file can fail to be read, each with a stable code, a sentence and a hint."""

from __future__ import annotations

from files.extraction.base import ExtractionError
from files.extraction.document import Warning as PieceWarning
from orchestra.common.errors import OrchestraError


class UnsupportedFormat(ExtractionError):
    """No extractor reads this type."""

    code = "unsupported_format"
    status = 415
    default_message = "This type of file cannot be read yet."


class EmptyFile(ExtractionError):
    """The file has no bytes, or nothing but padding."""

    hands_over = False
    code = "empty_file"
    default_message = "This file is empty: it has no content to read."
    default_hint = "Check the original and upload it again."


class EncryptedFile(ExtractionError):
    """The content is behind a password."""

    hands_over = False
    code = "encrypted"
    default_message = "This file is protected by a password, so its text cannot be read."
    default_hint = "Save a copy without the password and upload that."


class MalformedFile(ExtractionError):
    """The bytes are not what the format asks for."""

    code = "malformed"
    default_message = "This file is damaged or incomplete."
    default_hint = "Open it in the program that made it, save it again and upload the new copy."


class UnsafeArchive(ExtractionError):
    """The container unpacks to far more than its size allows."""

    hands_over = False
    code = "archive_bomb"
    default_message = "This file unpacks to far more data than its size allows, so it was not opened."


class LimitReached(ExtractionError):
    """A bound of `Limits` was hit. What was read before it is kept."""

    hands_over = False
    code = "limit_reached"
    status = 413
    default_message = "This file is larger than the limits allow."
    default_hint = "Split the file into smaller parts and upload those."


class TooManyPages(LimitReached):
    """The document has more pages than `Limits.pages`."""

    code = "too_many_pages"
    default_message = "This document has more pages than the limit allows."


class TooManyCells(LimitReached):
    """A sheet has more cells than `Limits.cells`, or spreads them over more than `Limits.grid_cells`."""

    code = "too_many_cells"
    default_message = "This table has more cells than the limit allows."


class TooManyPixels(LimitReached):
    """A picture has more pixels than `Limits.pixels`."""

    code = "too_many_pixels"
    default_message = "This picture has more pixels than the limit allows."
    default_hint = "Save a smaller copy and upload that."


class TooManyEntries(LimitReached):
    """The archive has more entries than `Limits.archive_entries`."""

    code = "too_many_entries"
    default_message = "This archive has more entries than the limit allows; the first ones are listed."


class TimeLimit(LimitReached):
    """Reading took longer than `Limits.wall_seconds` or `Limits.cpu_seconds`."""

    code = "time_limit"
    default_message = "Reading this file took longer than the limit allows."


class MemoryLimit(LimitReached):
    """Reading took more memory than `Limits.memory_bytes`."""

    hands_over = True
    code = "memory_limit"
    default_message = "Reading this file took more memory than the limit allows."


class OutputLimit(LimitReached):
    """The file gives more text than `Limits.output_for` its size."""

    code = "output_limit"
    default_message = "This file holds more text than the limit allows."


class ReaderCrashed(ExtractionError):
    """The reading process ended without a word, or sent what is not a piece."""

    code = "reader_crashed"
    default_message = "The program that reads this type of file crashed on it. The file may be damaged."
    default_hint = "Open it in the program that made it, save it again and upload the new copy."


class SandboxUnavailable(OrchestraError):
    """The sandbox itself failed; the file is not to blame, so the job may be tried again."""

    code = "sandbox_unavailable"
    status = 503
    transient = True
    default_message = "The reading process could not be started."
    default_hint = "The job is tried again. If it keeps failing, look at the worker's log and its memory."


def error_from_code(code: str, message: str, hint: str) -> ExtractionError:
    """Return the extraction error of `code`; an unknown code gives the root error."""
    return _by_code().get(code, ExtractionError)(message, hint=hint)


def as_warning(error: ExtractionError) -> PieceWarning:
    """Return `error` as the warning that marks a partly read file."""
    return PieceWarning(error.code, error.message)


def _by_code() -> dict[str, type[ExtractionError]]:
    found: dict[str, type[ExtractionError]] = {}
    waiting = [ExtractionError]
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return found
