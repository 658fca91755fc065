"""tus 1.0 in headers: what it is called, how it is read. Knows no request and no upload."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from datetime import datetime
from email.utils import format_datetime

from files.appending import Checksum
from files.tus.errors import InvalidTusHeader

VERSION = "1.0.0"
EXTENSIONS = ("creation", "creation-with-upload", "checksum", "expiration", "termination")
OFFSET_TYPE = "application/offset+octet-stream"
# Names of hashlib, with the length of their digests in bytes.
ALGORITHMS = {"md5": 16, "sha1": 20, "sha256": 32}
LONGEST_METADATA = 8192
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)
_KEY = re.compile(r"[!-+\--~]+", re.ASCII)  # visible ASCII but the comma


def number(name: str, value: str) -> int:
    """Return a header's number. Raises InvalidTusHeader."""
    if not _NUMBER.fullmatch(value.strip()):
        raise InvalidTusHeader(f"{name} must be a number that is not negative.", header=name)
    return int(value)


def metadata(header: str) -> dict[str, str]:
    """Return what Upload-Metadata says: `key base64, key base64`, a key alone being empty. Raises InvalidTusHeader."""
    if len(header) > LONGEST_METADATA:
        raise InvalidTusHeader(f"Upload-Metadata may have {LONGEST_METADATA} characters.", header="Upload-Metadata")
    found: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise InvalidTusHeader(
                "Upload-Metadata is distinct keys, each with a value in Base64 behind a blank, with commas between.",
                header="Upload-Metadata",
            )
        # What is no UTF-8 is still a name, of a file on a system that does not care.
        found[key] = _base64("Upload-Metadata", value.strip()).decode(errors="replace").replace("\0", "")
    return found


def checksum(header: str) -> Checksum | None:
    """Return what Upload-Checksum says: `algorithm base64`; None where it is not sent. Raises InvalidTusHeader."""
    if not header:
        return None
    algorithm, _, value = header.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise InvalidTusHeader(f"Upload-Checksum may use {', '.join(ALGORITHMS)}.", header="Upload-Checksum")
    digest = _base64("Upload-Checksum", value.strip())
    if len(digest) != ALGORITHMS[algorithm]:
        raise InvalidTusHeader(f"That is no {algorithm} digest.", header="Upload-Checksum")
    return Checksum(algorithm, digest)


def _base64(name: str, text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InvalidTusHeader(f"{name} must carry its values in Base64.", header=name) from exc


def http_date(moment: datetime) -> str:
    """Return a time as HTTP writes it."""
    return format_datetime(moment, usegmt=True)
