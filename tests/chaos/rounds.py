"""One round: a fresh data folder, some jobs, and kills until every job has ended."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
from tests.chaos.files import Digest, FinalNames, frames_of, sequence_digest
from tests.chaos.jobs import Job, Struck
from tests.chaos.moments import RELAXED_SECONDS, TIGHT_SECONDS, Changes, NewFile, unfinished, wait_until
from tests.chaos.notes import Note, attempts, redone
from tests.chaos.plan import SERVERS, Deck, Kill, Moment, Victim
from tests.chaos.tally import Tally, Told, silent
from tests.server.harness import FINAL, ServerProcess, wait_for, workers_of

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb

RUNNER = "noting:run_job"
WORKER_KILLS_A_JOB = 2
"""At the third worker that dies in it, a job fails with a reason: that is another promise."""
LONGEST_SECONDS = 900.0
"""For anything that is waited for: what takes longer hangs."""
GONE_SECONDS = 10.0
"""A worker ends with its server."""


@dataclass(frozen=True)
class Pace:
    """How long things take here when nobody disturbs them."""

    start_seconds: float
    run_seconds: float
    submit_seconds: float


UNKNOWN_PACE = Pace(0, 0, 0)


class Round:
    """Use it once."""

    def __init__(self, root: Path, jobs: list[Job], deck: Deck, tally: Tally, pace: Pace = UNKNOWN_PACE, told: Told = silent) -> None:
        """`told` hears of every kill."""
        self._told = told
        self._data, self._jobs, self._deck, self._tally, self._pace = root / "data", jobs, deck, tally, pace
        self._pending = list(jobs)
        self._server = self._start()
        self._files = FinalNames(self._data / "artifacts", self._data / "work", *(job.directory for job in jobs))

    def run(self) -> None:
        """Deals kills while there are some, and leaves every job ended and looked at."""
        try:
            while (job := self._current()) is not None:
                kill = self._deck.draw(self._unsuitable(job))
                if kill is None:
                    self._server.ended(job.name, LONGEST_SECONDS)
                elif not self._deal(kill, job):
                    self._deck.put_back(kill)
            self._judge()
        finally:
            self._server.close()
        self._check_database()

    def pace(self) -> Pace:
        """Of a round without kills."""
        first = self._jobs[0].notes
        spans = [job.notes[-1].seconds - next(note.seconds for note in job.notes if note.word == "begins") for job in self._jobs]
        loaded = next(note.seconds for note in first if note.word == "begins")
        return Pace(loaded - self._began, max(spans), self._submit_seconds)

    def digests(self) -> dict[int, Digest]:
        """Of each delivered sequence, by the job's seed."""
        return {job.seed: sequence_digest(self._folders(job)[0]) for job in self._jobs}

    def compare(self, truth: dict[int, Digest]) -> None:
        """Counts the sequences that are not equal to these. One that was never delivered is lost, and counted as that."""
        for job in self._jobs:
            if (folders := self._folders(job)) and sequence_digest(folders[0]) != truth[job.seed]:
                self._tally.different.append(f"seed {job.seed} in {folders[0]}")

    # What is there to be struck.

    def _current(self) -> Job | None:
        """The job that runs now; hands in the next one where none does."""
        for job in self._jobs:
            if job.name and self._server.job(job.name).state not in FINAL:
                return job
        if not self._pending:
            return None
        job = self._pending.pop(0)
        began = time.monotonic()
        job.name = self._server.create(job.spec, job.request_id).job.name
        self._submit_seconds = time.monotonic() - began
        return job

    def _unsuitable(self, job: Job) -> set[Victim | Moment]:
        """What cannot be, as this job stands."""
        found: set[Victim | Moment] = set()
        if job.worker_kills >= WORKER_KILLS_A_JOB:
            found.add(Victim.WORKER)
        if not self._pending:
            found.add(Moment.SUBMIT)
        if self._has_begun(job):
            found.add(Moment.STARTING)
        if job.has_trained():
            found.add(Moment.CHECKPOINT)
        return found

    def _has_begun(self, job: Job) -> bool:
        """Whether a worker is beyond its imports since the last kill."""
        last = _last(job)
        return last is not None and last.seconds > self._began and last.word != "called"

    # The moments.

    def _deal(self, kill: Kill, job: Job) -> bool:
        """Whether the moment came."""
        if kill.moment is Moment.SUBMIT:
            self._strike_submission(kill, job)
            return True
        before = self._unfinished(job)
        if kill.moment is Moment.STARTING:
            self._strike_start(kill, job, before)
            return True
        if not self._until(lambda: self._has_begun(job) and _stands_at(job, kill.moment), job, RELAXED_SECONDS):
            return False
        last = _last(job)
        if not self._until(self._condition(kill, job), job, TIGHT_SECONDS):
            return False
        # Whatever is still to be found out is found out later: a write takes a few milliseconds.
        self._strike(kill, job, last.process if last else None, before)
        return True

    def _strike_start(self, kill: Kill, job: Job, before: set[Path]) -> None:
        if kill.victim is Victim.WORKER:
            wait_for(self._worker, LONGEST_SECONDS)
        time.sleep(kill.fraction * self._pace.start_seconds)
        self._strike(kill, job, self._worker(), before)

    def _condition(self, kill: Kill, job: Job) -> Callable[[], bool]:
        if kill.moment is Moment.CHECKPOINT:
            return NewFile(self._data / "artifacts", "lora-*")
        if kill.moment is Moment.FRAME:
            return NewFile(job.directory, "*")
        if kill.moment is Moment.COMMIT:
            return Changes(self._data / "jobs.sqlite3-wal", 1 + int(3 * kill.fraction))
        come = time.monotonic() + kill.fraction * self._pace.run_seconds
        return lambda: time.monotonic() > come

    def _until(self, come: Callable[[], bool], job: Job, poll_seconds: float) -> bool:
        return wait_until(come, lambda: _is_over(job), LONGEST_SECONDS, poll_seconds)

    # The blow.

    def _strike(self, kill: Kill, job: Job, worker: int | None, before: set[Path]) -> None:
        if kill.victim in SERVERS:
            self._server.process.kill()
        if kill.victim is not Victim.SERVER and worker is not None:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        if kill.victim in SERVERS:
            self._server.close()
            self._server = self._start()
        else:
            self._began = time.time()
            job.worker_kills += 1
        self._check_gone(worker, kill)
        left = self._unfinished(job) - before
        frames = [path for path in left if path.is_relative_to(job.directory)]
        job.struck.append(Struck(kill, frames_of(job.directory), len(frames)))
        self._tally.count(kill, caught=bool(left))
        write = ", in the middle of a write" if left else ""
        self._told(f"  kill {self._tally.kills.total()}: {kill.victim}, {kill.moment}{write}; job of seed {job.seed}")
        self._files.check()

    def _strike_submission(self, kill: Kill, running: Job) -> None:
        """Kills while a job is on its way in, and asks again under the same id, as every client does."""
        job = self._pending.pop(0)
        request, before = pb.CreateJobRequest(request_id=job.request_id, spec=job.spec), self._unfinished(running)
        answer = self._server.stub.CreateJob.future(request, metadata=self._server.metadata, timeout=LONGEST_SECONDS)
        time.sleep(kill.fraction * 1.2 * self._pace.submit_seconds)
        self._strike(kill, running, self._worker(), before)
        job.name = self._server.create(job.spec, job.request_id).job.name
        with suppress(grpc.RpcError, grpc.FutureCancelledError):
            if answer.result().job.name != job.name:
                self._tally.duplicates.append(f"{job.request_id} made {job.name} and another")

    def _start(self) -> ServerProcess:
        self._began = time.time()
        return ServerProcess(self._data, "--runner", RUNNER)

    def _worker(self) -> int | None:
        return next((process.pid for process in workers_of(self._server.process.pid)), None)

    def _unfinished(self, job: Job) -> set[Path]:
        work = unfinished(self._data / "work", "*") | unfinished(self._data / "work", "*/chunks/*")
        return unfinished(self._data / "artifacts", "*") | unfinished(job.directory, "*") | work

    def _check_gone(self, worker: int | None, kill: Kill) -> None:
        try:
            wait_for(lambda: worker is None or not _runs(worker), GONE_SECONDS)
        except TimeoutError:
            self._tally.left_behind.append(f"process {worker} after {kill.victim} {kill.moment}")

    # What came of it.

    def _judge(self) -> None:
        listed = self._server.call("ListJobs", pb.ListJobsRequest(page_size=1000)).jobs
        if len(listed) != len(self._jobs):
            self._tally.duplicates.append(f"{len(self._jobs)} requests made {len(listed)} jobs")
        for job in self._jobs:
            self._judge_job(job)
        self._files.check()
        self._tally.jobs += len(self._jobs)
        self._tally.files_read += self._files.count
        self._tally.broken += self._files.broken

    def _judge_job(self, job: Job) -> None:
        found = self._server.job(job.name)
        if found.state != job_pb2.Job.STATE_SUCCEEDED:
            self._tally.lost.append(f"{job.name}: {found.failure.reason} {found.failure.message}")
        folders = self._folders(job)
        if len(folders) != 1:
            self._tally.duplicates.append(f"{job.name} delivered into {len(folders)} folders")
        self._tally.redone += redone(job.notes)
        self._tally.frames_redone += job.frames_redone()

    def _folders(self, job: Job) -> list[Path]:
        return sorted(job.directory.glob("*_v*"))

    def _check_database(self) -> None:
        with closing(sqlite3.connect(self._data / "jobs.sqlite3")) as connection:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if said != "ok":
            self._tally.broken.append(f"jobs.sqlite3: {said}")


def _last(job: Job) -> Note | None:
    """The last note of the attempt that began last."""
    found = attempts(job.notes)
    return found[-1][-1] if found else None


def _is_over(job: Job) -> bool:
    last = _last(job)
    return last is not None and last.word == "ended"


def _stands_at(job: Job, moment: Moment) -> bool:
    """Whether what the job writes next is what the moment means."""
    words = {Moment.CHECKPOINT: ("train",), Moment.FRAME: ("edit", "deliver", "frame")}.get(moment)
    last = _last(job)
    return words is None or (last is not None and last.word in words)


def _runs(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
