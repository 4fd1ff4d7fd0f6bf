"""Every job that the server knows, and what is seen of those that run. Lives in the window's thread."""

import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from i2vedit_monitor.model.changes import AllTold, Change, FrameLanded, JobForgotten, JobTold, PreviewSeen, Progressed
from i2vedit_monitor.model.facts import JobFacts, State
from i2vedit_monitor.model.loss_curve import LossCurve
from i2vedit_monitor.model.observable import Observable

MOST_WATCHED = 64
"""So many jobs keep their curve and their landed frames."""
MOST_NOTES = 2000


class Note(NamedTuple):
    """A line of the log: when (seconds since 1970), which job, what kind of thing, and its detail."""

    at: float
    job: str
    kind: str
    detail: str


@dataclass
class Watched:
    """What was seen of a job while it ran."""

    loss: LossCurve = field(default_factory=LossCurve)
    landed: dict[int, str] = field(default_factory=dict)
    """Path of each frame that lies under its final name, by source frame number."""
    preview: PreviewSeen | None = None
    stage: tuple[str, int] = ("", -1)
    parts: dict[str, float] = field(default_factory=dict)
    """How much of each stage, over all chunks, was seen done: 0 to 1."""


@dataclass(frozen=True)
class News:
    """What has changed since the last time."""

    changed: frozenset[str] = frozenset()
    forgotten: frozenset[str] = frozenset()
    landed: tuple[FrameLanded, ...] = ()


class JobBook:
    """Takes changes and tells, once for each batch, which jobs have changed."""

    def __init__(self) -> None:
        self.news: Observable[News] = Observable()
        self.notes: deque[Note] = deque(maxlen=MOST_NOTES)
        self._jobs: dict[str, JobFacts] = {}
        self._watched: OrderedDict[str, Watched] = OrderedDict()

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, name: str) -> bool:
        return name in self._jobs

    def get(self, name: str) -> JobFacts | None:
        return self._jobs.get(name)

    def jobs(self) -> Iterable[JobFacts]:
        return self._jobs.values()

    def watched(self, name: str) -> Watched | None:
        """What was seen of a job; None where it has not run since the window opened."""
        return self._watched.get(name)

    def versions(self, job: JobFacts) -> list[JobFacts]:
        """The finished versions of the same shot, newest first."""
        same = (other for other in self._jobs.values() if other.shot_key == job.shot_key and other.state is State.SUCCEEDED)
        return sorted((other for other in same if other.directory), key=lambda other: -other.ended)

    def notes_of(self, name: str) -> list[Note]:
        return [note for note in self.notes if note.job == name]

    def take(self, changes: Iterable[Change]) -> None:
        """Applies changes in order, then tells once."""
        changed: set[str] = set()
        forgotten: set[str] = set()
        landed: list[FrameLanded] = []
        for change in changes:
            match change:
                case JobTold(job):
                    self._take_job(job)
                    changed.add(job.name)
                case Progressed(name):
                    if name in self._jobs:
                        self._take_progress(change)
                        changed.add(name)
                case FrameLanded(name):
                    self._seen(name).landed[change.frame] = change.path
                    landed.append(change)
                    changed.add(name)
                case PreviewSeen(name):
                    self._seen(name).preview = change
                    changed.add(name)
                case JobForgotten(name):
                    forgotten |= self._forget({name})
                case AllTold(names):
                    forgotten |= self._forget(self._jobs.keys() - names)
        if changed or forgotten:
            self.news.tell(News(frozenset(changed - forgotten), frozenset(forgotten), tuple(landed)))

    def _take_job(self, job: JobFacts) -> None:
        earlier = self._jobs.get(job.name)
        if earlier is None or earlier.state is not job.state:
            # Of jobs that ended before the window opened nothing is noted: that is no news.
            if earlier is not None or not job.state.ended:
                self._note(job.name, job.state.value, job.trouble.sentence if job.trouble else "")
            if job.state is State.RUNNING:
                self._seen(job.name)
        if earlier is not None and job.last_interruption and job.last_interruption != earlier.last_interruption:
            self._note(job.name, "interrupted", job.last_interruption)
        if job.progress is None and earlier is not None and job.state is State.RUNNING and earlier.attempt == job.attempt:
            job = replace(job, progress=earlier.progress)
        self._jobs[job.name] = job

    def _take_progress(self, told: Progressed) -> None:
        job, progress, watched = self._jobs[told.name], told.progress, self._seen(told.name)
        if progress.loss is not None:
            watched.loss.add(progress.chunk, progress.step, progress.steps, progress.loss)
        watched.parts[progress.stage] = min((progress.chunk + progress.part) / max(progress.chunks, 1), 1.0)
        if watched.stage != (progress.stage, progress.chunk):
            watched.stage = (progress.stage, progress.chunk)
            self._note(told.name, progress.stage, str(progress.chunk + 1) if progress.chunks > 1 else "")
        self._jobs[told.name] = replace(job, progress=progress)

    def _seen(self, name: str) -> Watched:
        watched = self._watched.get(name)
        if watched is None:
            watched = self._watched[name] = Watched()
            if len(self._watched) > MOST_WATCHED:
                self._watched.popitem(last=False)
        return watched

    def _forget(self, names: Iterable[str]) -> set[str]:
        gone = {name for name in names if self._jobs.pop(name, None) is not None}
        for name in gone:
            self._watched.pop(name, None)
        return gone

    def _note(self, job: str, kind: str, detail: str) -> None:
        self.notes.append(Note(time.time(), job, kind, detail))
