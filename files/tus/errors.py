"""What is wrong with a request of tus, beside what may be wrong with an upload (`files.errors`)."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError


class TusVersionUnknown(OrchestraError):
    """Tus-Resumable is missing, or names a version that this server does not speak. Nothing was done."""

    code = "tus_version_unknown"
    status = 412
    default_message = "This address speaks tus 1.0.0."
    default_hint = "Send the header `Tus-Resumable: 1.0.0`."


class InvalidTusHeader(OrchestraError):
    """A header of tus is missing or malformed."""

    code = "tus_header_invalid"
    status = 400
    default_message = "A header of the tus protocol is missing or malformed."
    default_hint = "See https://tus.io/protocols/resumable-upload for what it should look like."


class WrongTusContentType(OrchestraError):
    """Bytes of an upload came as something else."""

    code = "tus_content_type_wrong"
    status = 415
    default_message = "The bytes of an upload have the Content-Type application/offset+octet-stream."
    default_hint = "Send the header `Content-Type: application/offset+octet-stream`."
