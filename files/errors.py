"""What can go wrong with uploads, files and jobs, each with a code, a sentence and a hint."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError


class FileNotFound(OrchestraError):
    """The file does not exist or is another user's; the two are not told apart."""

    code = "not_found"
    status = 404
    default_message = "There is no such file."
    default_hint = "Check the id; it may have been deleted."


class InvalidMove(OrchestraError):
    """The file's status does not allow this now."""

    code = "invalid_state"
    status = 409
    default_message = "This cannot be done in the file's present state."
    default_hint = "Look at the file's status and try again."


class FileTooLarge(OrchestraError):
    """The file exceeds the size limit."""

    code = "file_too_large"
    status = 413
    default_message = "This file is larger than this server accepts."
    default_hint = "Split the file, or ask the administrator to raise MAX_FILE_SIZE."


class QuotaExceeded(OrchestraError):
    """The owner's quota has no room for the file."""

    code = "quota_exceeded"
    status = 507
    default_message = "Your storage quota has no room for this file."
    default_hint = "Delete files that you no longer need, empty the trash, or ask the administrator for more."


class TooManyFiles(QuotaExceeded):
    """The owner has as many files as one may."""

    code = "too_many_files"
    default_message = "You have as many files as one may have here."
    default_hint = "Delete files that you no longer need, empty the trash, or ask the administrator for more."


class TooManyUploads(OrchestraError):
    """The owner has as many uploads under way as one may."""

    code = "too_many_uploads"
    status = 429
    default_message = "You have as many uploads under way as one may have here."
    default_hint = "Finish one, or delete one that you do not want any more, and try again."
    transient = True


class DiskFull(OrchestraError):
    """The server's disk has no room for the file."""

    code = "disk_full"
    status = 507
    default_message = "The server's disk has no room for this file."
    default_hint = "Tell the administrator; the upload can be resumed once there is room."


class InvalidUpload(OrchestraError):
    """The upload's description makes no sense."""

    code = "upload_invalid"
    status = 400
    default_message = "The upload's description is not valid."


class InvalidContentRange(OrchestraError):
    """Content-Range is missing, malformed, or off the chunk grid."""

    code = "content_range_invalid"
    status = 400
    default_message = "The Content-Range header does not fit this upload."
    default_hint = "Send `Content-Range: bytes START-END/SIZE` with START a multiple of the upload's chunk_size."


class ChunkIncomplete(OrchestraError):
    """Fewer or more bytes came than Content-Range announced. Nothing was kept."""

    code = "chunk_incomplete"
    status = 400
    default_message = "The chunk's body has not the announced number of bytes; nothing of it was kept."
    default_hint = "Send the chunk again."


class ChunkChecksumMismatch(OrchestraError):
    """The chunk arrived damaged. Nothing was kept."""

    code = "chunk_checksum_mismatch"
    status = 460
    default_message = "The chunk arrived damaged: its SHA-256 is not the announced one. Nothing of it was kept."
    default_hint = "Send the chunk again."


class ChunkConflict(OrchestraError):
    """Other bytes are already stored for this chunk."""

    code = "chunk_conflict"
    status = 409
    default_message = "Other bytes were already accepted for this chunk; the accepted ones stay."
    default_hint = "The file changed while it was being uploaded: delete this upload and start a new one."


class UploadChecksumMismatch(OrchestraError):
    """All chunks are here, but the whole has not the announced digest."""

    code = "upload_checksum_mismatch"
    status = 460
    default_message = "The whole file's SHA-256 is not the announced one. Its chunks were discarded."
    default_hint = "Send the chunks again under the same id."


class UploadBytesLost(UploadChecksumMismatch):
    """The storage no longer has what it took for an upload: somebody, or a rule of the bucket, removed it."""

    code = "upload_bytes_lost"
    status = 409
    default_message = "The storage no longer has what was uploaded of this file. Its chunks were discarded."
    default_hint = "Send the chunks again under the same id. The administrator finds more in the log."


class UploadExpired(OrchestraError):
    """The upload lay unfinished for too long."""

    code = "upload_expired"
    status = 410
    default_message = "This upload was not finished in time and was removed."
    default_hint = "Start a new upload."


class UploadByOffset(OrchestraError):
    """The upload was opened by tus, and is filled by it."""

    code = "upload_by_offset"
    status = 409
    default_message = "This upload was opened by tus and takes no chunks."
    default_hint = "Continue it at /tus/, or open another one: POST /api/files/upload/initiate."


class OffsetConflict(OrchestraError):
    """The bytes do not begin where the upload ends. Nothing of them was kept."""

    code = "upload_offset_conflict"
    status = 409
    default_message = "These bytes do not begin where the upload ends."
    default_hint = "Ask for the offset with HEAD and send the bytes from there."


class UploadTakenOver(OrchestraError):
    """Another request asked for this upload's offset, or sends its bytes."""

    code = "upload_taken_over"
    status = 409
    default_message = "Another request continues this upload; this one was stopped."
    default_hint = "Ask for the offset with HEAD and send the bytes from there."


class UploadTooLong(OrchestraError):
    """More bytes came than the upload has room for."""

    code = "upload_too_long"
    status = 413
    default_message = "More bytes came than the upload was announced to have."
    default_hint = "Delete this upload and start one of the right length."


class BodyChecksumMismatch(OrchestraError):
    """The bytes of one request arrived damaged. Nothing of them was kept."""

    code = "body_checksum_mismatch"
    status = 460
    default_message = "The bytes arrived damaged: their digest is not the announced one. Nothing of them was kept."
    default_hint = "Send the same bytes again, from the same offset."


class CheckedBodyTooLarge(OrchestraError):
    """A request with a checksum carries more than is kept back until it is verified."""

    code = "checked_body_too_large"
    status = 413
    default_message = "A request with Upload-Checksum carries too many bytes."
    default_hint = "Send fewer bytes in each request, or leave the checksum out."


class BodyTooSlow(OrchestraError):
    """The sender fell silent in the middle of a request."""

    code = "body_too_slow"
    status = 408
    default_message = "No more bytes came for too long."
    default_hint = "Ask for the offset with HEAD and send the bytes from there."


class ImportLost(OrchestraError):
    """This run of an import is over: another one took its place, or the connection was deleted."""

    code = "import_lost"
    status = 409
    default_message = "Another import of this connection goes on now."


class ImportFull(OrchestraError):
    """A run has read as many bytes as one may."""

    code = "import_full"
    status = 413
    default_message = "This import has read as many bytes as one may; the next one goes on."


class ImportNameInvalid(OrchestraError):
    """A source names a document by what cannot be kept."""

    code = "import_name_invalid"
    status = 400
    default_message = "The source names this document by something that cannot be kept."
    default_hint = "Rename it there."


class ConnectionOff(OrchestraError):
    """The connection that should import is switched off."""

    code = "connection_off"
    status = 409
    default_message = "This connection is switched off."
    default_hint = "Switch it on, then import."


class StorageError(OrchestraError):
    """The storage of bytes does not do what it is there for; no file is at fault."""

    code = "storage_error"
    status = 503
    default_message = "The storage of files does not work at the moment."
    default_hint = "Try again later; the administrator finds the reason with `manage.py doctor storage`."
    transient = True


class BytesMissing(OrchestraError):
    """The storage has no bytes under the file's key."""

    code = "bytes_missing"
    status = 404
    default_message = "The storage does not have this file's bytes."
    default_hint = "Upload the file again, or ask the administrator to restore it from a backup."


class BytesDamaged(OrchestraError):
    """The stored bytes have not the digest that was verified when they came."""

    code = "bytes_damaged"
    status = 500
    default_message = "The stored bytes of this file are not those that were uploaded."
    default_hint = "Upload the file again, or ask the administrator to restore it from a backup."


class JobLost(OrchestraError):
    """This attempt no longer owns its job: cancelled, deleted, or taken over after a lost heartbeat."""

    code = "job_lost"
    default_message = "Another attempt owns this job now."


class WorkerLost(OrchestraError):
    """The worker that read the file died or fell silent."""

    code = "worker_lost"
    status = 503
    default_message = "The worker that read this file was lost."
    default_hint = (
        "The file may need more memory than a worker has. Try again, or ask the administrator to look at the log."
    )


class ConnectionLost(OrchestraError):
    """A server that the work needs did not answer."""

    code = "connection_lost"
    status = 503
    default_message = "A server that the work needs did not answer."
    default_hint = "Nothing need be done: it is tried again. `manage.py doctor` says which server it is."
    transient = True


class NoRoomToWork(OrchestraError):
    """The worker's machine has no disk, memory or descriptors left."""

    code = "no_room_to_work"
    status = 507
    default_message = "The worker's machine has no room left to work in."
    default_hint = "Tell the administrator; it is tried again, and goes on once there is room."
    transient = True


class ImportNotFound(OrchestraError):
    """The run of an import does not exist or is another user's; the two are not told apart."""

    code = "import_not_found"
    status = 404
    default_message = "There is no such import."
    default_hint = "The last imports of each connection are kept, and older ones forgotten."


class WebhookNotFound(OrchestraError):
    """The webhook does not exist or is another user's; the two are not told apart."""

    code = "webhook_not_found"
    status = 404
    default_message = "There is no such webhook."
    default_hint = "Check the id; it may have been deleted."


class WebhookInvalid(OrchestraError):
    """Nothing can be sent to the address."""

    code = "webhook_invalid"
    status = 400
    default_message = "Nothing can be sent to this address."
    default_hint = "Write an address that begins with https:// or http://, without a name or password in it."


class TooManyWebhooks(OrchestraError):
    """One owner has as many webhooks as there may be."""

    code = "too_many_webhooks"
    status = 409
    default_message = "There are as many webhooks as there may be."
    default_hint = "Delete one that is not used any more."
