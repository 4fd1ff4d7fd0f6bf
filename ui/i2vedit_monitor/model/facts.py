"""Jobs and server as the window needs them: small frozen records, free of protobuf, so that they cross threads without care."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePath


class State(StrEnum):
    """States of a job, in the server's words (docs/jobs.md)."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNSPECIFIED = "unspecified"
    """What a newer server may say."""

    @property
    def ended(self) -> bool:
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED)


STAGES = ("load", "decode", "invert", "train", "edit", "deliver")
"""In the order in which a job goes through them; chunk by chunk, all but the first two come again."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running job stands. Chunks and steps count from 0."""

    stage: str
    chunk: int
    chunks: int
    step: int
    steps: int
    loss: float | None = None
    seconds_left: float | None = None

    @property
    def part(self) -> float:
        """How much of its stage, in this chunk, is done: 0 to 1."""
        return min((self.step + 1) / max(self.steps, 1), 1.0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a job failed: `reason` is stable, `sentence` is for people."""

    code: str
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class JobFacts:
    """One job. Times are seconds since 1970, 0 where there is none yet."""

    name: str
    state: State
    is_preparation: bool
    clip: str
    first: int
    frames: int
    video_stream: int = 0
    """Of the clip, from 1; 0: the one that the file prefers."""
    delivered: int = 0
    directory: str = ""
    """Of the delivered sequence, once the first frame is on its way."""
    edited: str = ""
    keys: tuple[int, ...] = ()
    """The painted frames."""
    out: str = ""
    model: str = "mini"
    preset: str = "full"
    edit_kind: str = "local"
    seed: int = 0
    color_space: str = "match"
    """What is delivered: `match` is the plate's own encoding."""
    priority: int = 2
    """1 low, 2 normal, 3 high."""
    position: int = 0
    stop_request: str = ""
    """`pause` or `cancel` while a running job has not got there yet."""
    attempt: int = 0
    last_interruption: str = ""
    created: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    trouble: Trouble | None = None
    progress: Progress | None = None
    advice: tuple[str, ...] = ()
    """What may be done for a better result, in sentences."""

    @property
    def title(self) -> str:
        """The delivered version where there is one, else the clip."""
        return PurePath(self.directory or self.clip).name

    @property
    def shot_key(self) -> tuple[str, int, int, int]:
        """The same for every version of a shot."""
        return self.clip, self.video_stream, self.first, self.frames

    @property
    def turn(self) -> tuple[int, float, int, str]:
        """Sorts the list: what runs, what waits in its order, what has ended with the newest first."""
        if self.state is State.RUNNING:
            return 0, -self.started, 0, self.name
        if not self.state.ended:
            return 1, float(-self.priority), self.position, self.name
        return 2, -(self.ended or self.created), 0, self.name


@dataclass(frozen=True, slots=True)
class StagePeak:
    """What a stage is predicted to need at most."""

    stage: str
    byte_count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The memory plan of the last job that began."""

    width: int
    height: int
    frames: int
    free_bytes: int
    total_bytes: int
    stages: tuple[StagePeak, ...]
    fits: bool
    advice: str
    means: tuple[str, ...] = ()
    """`checkpointing`, `offload`: by which it fits."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the server says about itself."""

    version: str
    process: int
    uptime: float
    """Seconds."""
    device: str
    waiting: int
    running: int
    data_directory: str
    running_job: str = ""
    plan: Plan | None = None
    libraries: tuple[tuple[str, str], ...] = field(default=())


class Contact(StrEnum):
    """How the window stands with the server."""

    SEEKING = "seeking"
    CONNECTED = "connected"
    LOST = "lost"
    """It went away, and is looked for again."""
    ENDED = "ended"
    """Somebody ended it, or none runs and none may be started."""
    REFUSED = "refused"
    """It cannot be used; the sentence says why."""
