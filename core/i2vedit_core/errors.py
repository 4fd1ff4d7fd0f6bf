"""What can go wrong, said once: a canonical code for programs, a stable reason for scripts, a sentence for people."""

from enum import StrEnum


class Code(StrEnum):
    """Canonical gRPC status codes that this project uses (names as in `google.rpc.Code`)."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    CANCELLED = "CANCELLED"
    DATA_LOSS = "DATA_LOSS"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"


class Reason(StrEnum):
    """Stable reasons: scripts compare these, so a name that has been released never changes."""

    CLIP_NOT_FOUND = "CLIP_NOT_FOUND"
    CLIP_UNREADABLE = "CLIP_UNREADABLE"
    CLIP_UNSUPPORTED = "CLIP_UNSUPPORTED"
    RANGE_OUTSIDE_CLIP = "RANGE_OUTSIDE_CLIP"
    EDIT_NOT_FOUND = "EDIT_NOT_FOUND"
    EDIT_UNREADABLE = "EDIT_UNREADABLE"
    EDIT_SIZE_MISMATCH = "EDIT_SIZE_MISMATCH"
    EDIT_SHIFTED = "EDIT_SHIFTED"
    EDIT_FRAME_UNSUPPORTED = "EDIT_FRAME_UNSUPPORTED"
    OUTPUT_NOT_WRITABLE = "OUTPUT_NOT_WRITABLE"
    DISK_FULL = "DISK_FULL"
    MODEL_UNKNOWN = "MODEL_UNKNOWN"
    MODEL_INCOMPLETE = "MODEL_INCOMPLETE"
    MODEL_UNSAFE_WEIGHTS = "MODEL_UNSAFE_WEIGHTS"
    SETTING_INVALID = "SETTING_INVALID"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    MEMORY_BUSY = "MEMORY_BUSY"
    NOT_FINITE = "NOT_FINITE"
    PATH_INVALID = "PATH_INVALID"
    TOKEN_INVALID = "TOKEN_INVALID"
    JOB_NOT_FOUND = "JOB_NOT_FOUND"
    JOB_ENDED = "JOB_ENDED"
    JOB_RUNNING = "JOB_RUNNING"
    JOB_NOT_WAITING = "JOB_NOT_WAITING"
    JOB_NOT_RETRIABLE = "JOB_NOT_RETRIABLE"
    SHOT_NOT_FOUND = "SHOT_NOT_FOUND"
    SHOT_IN_USE = "SHOT_IN_USE"
    RESUME_MARKER_INVALID = "RESUME_MARKER_INVALID"
    REQUEST_ID_INVALID = "REQUEST_ID_INVALID"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"
    WORKER_LOST = "WORKER_LOST"
    LIBRARY_MISSING = "LIBRARY_MISSING"
    SERVER_STOPPING = "SERVER_STOPPING"
    SERVER_RUNNING = "SERVER_RUNNING"
    LISTEN_ADDRESS_INVALID = "LISTEN_ADDRESS_INVALID"
    LISTEN_ADDRESS_TAKEN = "LISTEN_ADDRESS_TAKEN"
    TLS_REQUIRED = "TLS_REQUIRED"
    TLS_UNUSABLE = "TLS_UNUSABLE"
    CONFIG_INVALID = "CONFIG_INVALID"
    PATH_NOT_ALLOWED = "PATH_NOT_ALLOWED"
    REQUEST_INVALID = "REQUEST_INVALID"
    CALLER_NOT_LOCAL = "CALLER_NOT_LOCAL"
    UPLOAD_INVALID = "UPLOAD_INVALID"
    UPLOAD_TOO_LARGE = "UPLOAD_TOO_LARGE"
    UPLOAD_DAMAGED = "UPLOAD_DAMAGED"
    NOTHING_DELIVERED = "NOTHING_DELIVERED"
    DATA_FOLDER_NOT_LOCAL = "DATA_FOLDER_NOT_LOCAL"
    DATA_FOLDER_UNUSABLE = "DATA_FOLDER_UNUSABLE"
    DATABASE_NEWER = "DATABASE_NEWER"
    CANCELLED = "CANCELLED"
    UNEXPECTED = "UNEXPECTED"


class BridgeError(Exception):
    """An expected failure. `sentence` says what is wrong, where, and what to do, in the artist's language."""

    def __init__(self, code: Code, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.reason = reason
        self.sentence = sentence

    def __reduce__(self) -> tuple[type["BridgeError"], tuple[Code, Reason, str]]:
        """Errors cross the pipe between worker and server, so they pickle with their code and reason."""
        return type(self), (self.code, self.reason, self.sentence)
