"""A job and a shot as the store knows them."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path

from i2vedit_core.errors import BridgeError
from i2vedit_server.states import JobState


class JobKind(StrEnum):
    """Stored by these names."""

    PROPAGATION = "propagation"
    PREPARATION = "preparation"


class Priority(IntEnum):
    """Stored by these numbers; the higher one is next."""

    LOW = 1
    NORMAL = 2
    HIGH = 3


class StopRequest(StrEnum):
    """What a running job has been asked to become at its next step. Stored by these names."""

    NONE = "none"
    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Failure:
    """Why a job failed; the fields of a BridgeError as text, so that old rows outlive renamed enums."""

    code: str
    reason: str
    message: str

    @classmethod
    def of(cls, error: BridgeError) -> "Failure":
        return cls(error.code.value, error.reason.value, error.sentence)


@dataclass(frozen=True)
class JobRecord:
    """One row of the job table. Times are microseconds since 1970 UTC; None where it has not happened."""

    sequence: int
    """Grows with every job; the order of lists."""
    job_id: str
    kind: JobKind
    state: JobState
    priority: Priority
    position: int
    """Among waiting jobs of one priority, the smallest is next."""
    spec: bytes
    """A serialised `i2vedit.v1.JobSpec` with every default written out; of a preparation without edits and delivery."""
    shot_id: str
    """The shot that it works on; empty in rows from before there were shots."""
    first_frame: int | None
    """Source frame number; None in rows from before it was kept."""
    frame_count: int
    stop_request: StopRequest
    attempt: int
    """Grows with every claim, so that a former worker's late word is known by it."""
    losses: int
    """How often a worker process died with this job since it was created or retried."""
    last_interruption: str
    """Why it died the last time."""
    worker: str
    """Who runs it, `host:process`; empty while nobody does."""
    lease_microseconds: int | None
    """Until when this holds without a further sign of life."""
    progress: bytes | None
    """A serialised `i2vedit.v1.JobProgress`."""
    failure: Failure | None
    delivered_directory: Path | None
    delivered_count: int
    quality: bytes | None
    """A serialised `i2vedit.v1.Quality` of what was delivered."""
    create_microseconds: int
    start_microseconds: int | None
    end_microseconds: int | None


@dataclass(frozen=True)
class NewJob:
    """What admission found out about a job before it is stored."""

    request_id: str
    spec: bytes
    fingerprint: str
    """Of the spec, the edited pixels and the plate's file: equal only where the result would be equal."""
    frame_count: int
    attach: bool
    shot_id: str = ""
    priority: Priority = Priority.NORMAL
    first_frame: int = 0
    """Source frame number."""


@dataclass(frozen=True)
class NewShot:
    """What admission found out about a shot before its preparation is stored."""

    shot_id: str
    """A hash of all that the preparation depends on."""
    spec: bytes
    """A serialised `i2vedit.v1.JobSpec` of clip and settings."""
    frame_count: int
    first_frame: int = 0
    """Source frame number."""


@dataclass(frozen=True)
class ShotRecord:
    """One row of the shot table, and the job that prepares the shot."""

    sequence: int
    """Grows with every shot; the order of lists."""
    shot_id: str
    create_microseconds: int
    job: JobRecord
    artifacts: tuple[str, ...]
    """Names of the artifact folders that it is known to use."""
