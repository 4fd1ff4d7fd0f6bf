"""How a running propagation is watched and stopped: one callback out, one token in."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.plan.choice import MemoryPlan
from i2vedit_core.quality import Report


class Stage(StrEnum):
    """The stages of a shot, in the order in which a chunk goes through them."""

    LOAD = "load"
    DECODE = "decode"
    INVERT = "invert"
    TRAIN = "train"
    EDIT = "edit"
    DELIVER = "deliver"


@dataclass(frozen=True)
class Progress:
    """One step of one stage. Chunks and steps count from 0; `of` is the number of steps of this stage in this chunk."""

    stage: Stage
    chunk: int
    chunks: int
    step: int
    of: int
    loss: float | None = None
    seconds_left: float | None = None
    """Estimated for the whole job; None until there is something to estimate from."""


@dataclass(frozen=True)
class FrameDelivered:
    """A finished frame lies under its final name and is whole."""

    frame: int
    """Source frame number."""
    path: Path


@dataclass(frozen=True)
class ArtifactUsed:
    """What is being made depends on this artifact, whether it was found or is made now."""

    name: str
    """Of its folder."""


@dataclass(frozen=True)
class PlanTaken:
    """The plan that is in force from now on: the first one, or a leaner one after the memory did not suffice."""

    plan: MemoryPlan


@dataclass(frozen=True)
class Preview:
    """What a frame is going to be, as far as denoising has come. Small, and only to be looked at."""

    chunk: int
    step: int
    """Of Stage.EDIT."""
    frame: int
    """Source frame number."""
    jpeg: bytes


@dataclass(frozen=True)
class Reported:
    """The frames are complete, and this is how well they came out."""

    report: Report


Event = Progress | FrameDelivered | ArtifactUsed | PlanTaken | Preview | Reported
EventCallback = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The callback for callers that do not watch."""


class CancelToken:
    """Set from any thread; the running stage notices between two steps."""

    def __init__(self) -> None:
        self._set = threading.Event()
        self.wants_previews = False
        """Whether anybody would look at one now. May be changed from any thread."""

    def cancel(self) -> None:
        self._set.set()

    @property
    def cancelled(self) -> bool:
        return self._set.is_set()

    def check(self) -> None:
        """Raises BridgeError CANCELLED once `cancel` was called."""
        if self.cancelled:
            raise BridgeError(Code.CANCELLED, Reason.CANCELLED, "The job was cancelled.")


def step_and_keep(count: Callable[[], None], keep: Callable[[], None], is_due: bool) -> None:
    """Counts a step that is done. Keeps a checkpoint of it before that where one is due, and otherwise where the job is to stop here."""
    if is_due:
        keep()
    try:
        count()
    except BridgeError as stop:
        if stop.code is Code.CANCELLED and not is_due:
            keep()
        raise


class Counter(Protocol):
    """Called with each finished step of a stage, and its loss where it has one."""

    def __call__(self, step: int, loss: float | None = None) -> None: ...


@dataclass
class _Ahead:
    """What is done of a job and what is left, in evaluations of the UNet."""

    chunks: int = 1
    left: float = 0.0
    done: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def seconds_left(self) -> float | None:
        return (time.monotonic() - self.started) / self.done * self.left if self.done else None


class Reporter:
    """Turns finished steps into Progress events with an estimate of the time left.

    Steps of different stages cost differently, so work is counted in evaluations of the UNet, forward passes of one chunk.
    """

    def __init__(self, on_event: EventCallback, token: CancelToken) -> None:
        self._on_event, self._token = on_event, token
        self._ahead, self._first_chunk = _Ahead(), 0

    def from_chunk(self, first: int) -> "Reporter":
        """The same job, told by somebody who counts chunks from 0 and begins with this one."""
        part = Reporter(self._on_event, self._token)
        part._ahead, part._first_chunk = self._ahead, first
        return part

    @property
    def wants_previews(self) -> bool:
        return self._token.wants_previews

    def preview(self, chunk: int, step: int, frame: int, jpeg: bytes) -> None:
        self._on_event(Preview(self._first_chunk + chunk, step, frame, jpeg))

    @property
    def chunks(self) -> int:
        """Of the whole shot; 1 until that is known."""
        return self._ahead.chunks

    def expect(self, chunks: int, total_cost: float) -> None:
        """Says how much there is to do."""
        self._ahead.chunks, self._ahead.left = chunks, total_cost

    def step(self, stage: Stage, chunk: int, step: int, of: int, cost: float = 0.0, loss: float | None = None) -> None:
        """Says that a step is done. Raises BridgeError CANCELLED if the job is to stop."""
        self._token.check()
        self._ahead.done += cost
        self.skip(cost)
        place = self._first_chunk + chunk
        self._on_event(Progress(stage, place, self.chunks, step, of, loss, self._ahead.seconds_left()))

    def counter(self, stage: Stage, chunk: int, of: int, cost: float, first: int = 0) -> "Counter":
        """What a stage calls after each of its steps; they count on from `first`."""

        def after_step(step: int, loss: float | None = None) -> None:
            self.step(stage, chunk, first + step, of, cost, loss)

        return after_step

    def skip(self, cost: float) -> None:
        """Work that was found done: it neither remains nor tells how fast this machine is."""
        self._ahead.left = max(self._ahead.left - cost, 0.0)

    def frame(self, frame: int, path: Path) -> None:
        self._on_event(FrameDelivered(frame, path))

    def artifact(self, name: str) -> None:
        self._on_event(ArtifactUsed(name))

    def quality(self, report: Report) -> None:
        self._on_event(Reported(report))
