"""What an S3 server, or the way to it, can say: errors of ours, each with a remedy for the administrator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from files.errors import BytesMissing, DiskFull, StorageError
from orchestra.common.errors import OrchestraError


class RemoteStorageError(StorageError):
    """An S3 server refused or was not there. `remedy` is for the administrator, the hint for everybody else."""

    remedy: ClassVar[str] = "See the log."


class StorageUnavailable(RemoteStorageError):
    """The S3 server does not answer, or says that it cannot now."""

    code = "storage_unavailable"
    default_message = "The storage of files does not answer."
    remedy = "Look at the S3 server and the way to it, and at S3_ENDPOINT_URL. What waits goes on once it is back."


class StorageDenied(RemoteStorageError):
    """The credentials are wrong, or may not do what is needed."""

    code = "storage_denied"
    default_message = "The storage of files refuses our credentials."
    remedy = (
        "Correct S3_ACCESS_KEY and S3_SECRET_KEY, or allow them to get, put, delete and list objects and multipart "
        "uploads of the bucket."
    )


class StorageClockWrong(RemoteStorageError):
    """The server refuses signatures made at another time than its own."""

    code = "storage_clock_wrong"
    default_message = "The storage of files refuses our requests because the two clocks differ."
    remedy = "Run a time service on this machine and on the S3 server's."


class BucketMissing(RemoteStorageError):
    """There is no such bucket."""

    code = "storage_bucket_missing"
    default_message = "The bucket of the storage of files does not exist."
    remedy = "Create the bucket, or correct S3_BUCKET, S3_REGION and S3_PATH_STYLE."


_BY_CODE: dict[str, type[OrchestraError]] = {
    **dict.fromkeys(
        (
            "AccessDenied",
            "AccountProblem",
            "AllAccessDisabled",
            "AuthorizationHeaderMalformed",
            "ExpiredToken",
            "InvalidAccessKeyId",
            "InvalidToken",
            "SignatureDoesNotMatch",
            "401",
            "403",
        ),
        StorageDenied,
    ),
    "RequestTimeTooSkewed": StorageClockWrong,
    "RequestExpired": StorageClockWrong,
    "NoSuchBucket": BucketMissing,
    "PermanentRedirect": BucketMissing,
    **dict.fromkeys(("NoSuchKey", "NotFound", "404"), BytesMissing),
    **dict.fromkeys(("QuotaExceeded", "InsufficientStorage", "InsufficientCapacity", "507"), DiskFull),
    **dict.fromkeys(("XMinioStorageFull", "ServiceQuotaExceeded", "EntityTooLarge"), DiskFull),
}


def code_of(error: Exception) -> str:
    """Return the code that an S3 server gave, empty where it was none of a server's answers."""
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


@contextmanager
def errors_named() -> Iterator[None]:
    """Turn what boto3 raises into our errors; what it was is the cause, and stands in the log."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, NoCredentialsError

    try:
        yield
    except ClientError as exc:
        raise _named(exc) from exc
    except (NoCredentialsError, CredentialRetrievalError) as exc:
        raise StorageDenied from exc
    except (Boto3Error, BotoCoreError) as exc:
        cause = exc.__context__
        if isinstance(cause, ClientError):  # a transfer's error carries the server's answer behind it
            raise _named(cause) from exc
        raise StorageUnavailable(reason=type(exc).__name__) from exc


def _named(error: Exception) -> OrchestraError:
    code = code_of(error)
    kind = _BY_CODE.get(code, StorageUnavailable)
    return kind(reason=code) if issubclass(kind, RemoteStorageError) else kind()
