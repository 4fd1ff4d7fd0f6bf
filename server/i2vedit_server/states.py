"""The states of a job, and the one table of how it may go from one to another. docs/jobs.md draws it."""

from dataclasses import dataclass
from enum import StrEnum


class JobState(StrEnum):
    """Stored by these names."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in ENDED


ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
LIVE = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.PAUSED})


class Step(StrEnum):
    """What may happen to a job."""

    CLAIM = "claim"
    REQUEUE = "requeue"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    SUCCEED = "succeed"
    FAIL = "fail"
    RETRY = "retry"


@dataclass(frozen=True)
class Rule:
    """A step is taken only from one of these states, and always leads to the one."""

    comes_from: frozenset[JobState]
    to: JobState


RULES: dict[Step, Rule] = {
    Step.CLAIM: Rule(frozenset({JobState.QUEUED}), JobState.RUNNING),
    Step.REQUEUE: Rule(frozenset({JobState.RUNNING}), JobState.QUEUED),
    Step.PAUSE: Rule(frozenset({JobState.QUEUED, JobState.RUNNING}), JobState.PAUSED),
    Step.RESUME: Rule(frozenset({JobState.PAUSED}), JobState.QUEUED),
    Step.CANCEL: Rule(LIVE, JobState.CANCELLED),
    Step.SUCCEED: Rule(frozenset({JobState.RUNNING}), JobState.SUCCEEDED),
    Step.FAIL: Rule(frozenset({JobState.RUNNING}), JobState.FAILED),
    Step.RETRY: Rule(frozenset({JobState.FAILED, JobState.CANCELLED}), JobState.QUEUED),
}
"""The state machine."""
