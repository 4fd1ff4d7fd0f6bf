"""A job as the store knows it, and the table of states that it may go through."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from i2vedit_core.errors import BridgeError


class JobState(StrEnum):
    """Stored by these names."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in ENDED


ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
ACTIVE = frozenset({JobState.QUEUED, JobState.RUNNING})

MAY_COME_FROM: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING}),
    JobState.RUNNING: frozenset({JobState.QUEUED}),
    JobState.SUCCEEDED: frozenset({JobState.RUNNING}),
    JobState.FAILED: ACTIVE,
    JobState.CANCELLED: ACTIVE,
}
"""The state machine: what a job must be to become what is named on the left. Nothing leads out of an ended state."""


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
    """Grows with every job; the order of the queue and of lists."""
    job_id: str
    state: JobState
    spec: bytes
    """A serialised `i2vedit.v1.JobSpec` with every default written out."""
    frame_count: int
    cancel_requested: bool
    attempt: int
    losses: int
    """How often a worker process died with this job."""
    progress: bytes | None
    """A serialised `i2vedit.v1.JobProgress`."""
    failure: Failure | None
    delivered_directory: Path | None
    delivered_count: int
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
