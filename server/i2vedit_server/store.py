"""Jobs on disk: SQLite in the data folder. Every method is one transaction; call them from one thread at a time."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server import store_sql as sql
from i2vedit_server.record import Failure, JobKind, JobRecord, NewJob, Priority, StopRequest
from i2vedit_server.rows import Details, Rows, job_record
from i2vedit_server.shot_store import ShotStore
from i2vedit_server.states import JobState, Step

LARGEST_SEQUENCE = 2**63 - 1
ROOM = 2**20
"""Between the positions of two jobs, once one had to move between them: so that twenty more can without the others being told."""

STOPPED: dict[StopRequest, Step] = {
    StopRequest.NONE: Step.REQUEUE,
    StopRequest.PAUSE: Step.PAUSE,
    StopRequest.CANCEL: Step.CANCEL,
}
"""What becomes of a running job that has stopped. Without a wish the server has stopped it for its own reasons, and it goes on later."""


@dataclass(frozen=True)
class QueueCount:
    """So many unfinished jobs are of one kind, priority and state."""

    kind: JobKind
    priority: Priority
    state: JobState
    count: int


class JobStore:
    """The job table. Errors of the disk come out as BridgeError DISK_FULL or as sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        """Opens the database and brings it to this version. Raises BridgeError DATABASE_NEWER, DATA_FOLDER_UNUSABLE."""
        self._rows = Rows(path)
        self.shots = ShotStore(self._rows)

    def close(self) -> None:
        """Folds the log into the database file and lets go of it."""
        self._rows.connection.close()

    def count_start(self) -> int:
        """Counts this start of the server and returns its number, from 1."""
        with self._rows.transaction():
            self._rows.change(sql.COUNT_START)
            return int(self._rows.all(sql.STARTS)[0][0])

    def create(self, job: NewJob) -> tuple[JobRecord, bool]:
        """Stores a propagation, or finds the one that the request means. The flag says that it was there already.

        Raises BridgeError REQUEST_ID_REUSED.
        """
        with self._rows.transaction():
            known = self._known(job.request_id, job.spec)
            if known is not None:
                return known, True
            live = self._rows.job(sql.LIVE_BY_FINGERPRINT, fingerprint=job.fingerprint) if job.attach else None
            record = live or self._rows.insert(job, JobKind.PROPAGATION)
            self._rows.change(sql.INSERT_REQUEST, request_id=job.request_id, sequence=record.sequence)
            return record, live is not None

    def job_of_request(self, request_id: str, spec: bytes) -> JobRecord | None:
        """The job that this request made earlier. Raises BridgeError REQUEST_ID_REUSED where it made one of another spec."""
        with self._rows.transaction():
            return self._known(request_id, spec)

    def get(self, job_id: str) -> JobRecord:
        """Raises BridgeError JOB_NOT_FOUND."""
        return self._rows.get(job_id)

    def transition(self, job_id: str, step: Step, details: Details = Details()) -> JobRecord | None:  # noqa: B008  (frozen)
        """Takes one step of the state machine. Returns the job as it is then, or None where nothing was changed: see `Rows.take_step`."""
        with self._rows.transaction():
            return self._rows.take_step(job_id, step, details)

    def claim_next(self, kinds: Collection[JobKind], worker: str, lease_seconds: float) -> JobRecord | None:
        """Lends the waiting job whose turn it is to a worker. One whose shot is just being prepared waits for that."""
        with self._rows.transaction():
            waiting = self._rows.job(sql.NEXT, kinds=json.dumps(sorted(kinds)), beside=json.dumps(sorted(JobKind)))
            return waiting and self._rows.take_step(waiting.job_id, Step.CLAIM, Details(worker=worker, lease_seconds=lease_seconds))

    def next_waiting(self, kinds: Collection[JobKind]) -> JobRecord | None:
        """The job that `claim_next` would take if no preparation ran."""
        return self._rows.job(sql.NEXT, kinds=json.dumps(sorted(kinds)), beside=json.dumps([JobKind.PROPAGATION]))

    def extend_lease(self, job_id: str, attempt: int, worker: str, until_microseconds: int) -> None:
        """The worker has given a sign of life."""
        with self._rows.transaction():
            self._rows.change(sql.EXTEND_LEASE, job_id=job_id, attempt=attempt, worker=worker, lease=until_microseconds)

    def request_stop(self, job_id: str, wish: StopRequest) -> JobRecord:
        """Pauses or cancels a waiting job at once, and notes the wish on a running one. What is as wished is returned as it is; a wish to
        cancel outweighs one to pause.

        Raises BridgeError JOB_NOT_FOUND, JOB_ENDED.
        """
        step = STOPPED[wish]
        with self._rows.transaction():
            record = self._rows.get(job_id)
            if record.state is JobState.RUNNING:
                if record.stop_request is not StopRequest.CANCEL:
                    self._rows.change(sql.REQUEST_STOP, job_id=job_id, wish=wish.value)
                return self._rows.get(job_id)
            moved = self._rows.take_step(job_id, step, Details())
            if moved is not None:
                return moved
            if (step, record.state) in ((Step.CANCEL, JobState.CANCELLED), (Step.PAUSE, JobState.PAUSED)):
                return record
        sentence = f"The job {job_id} has already {_ended_words(record.state)}; there is nothing left to {step.value}."
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.JOB_ENDED, sentence)

    def resume(self, job_id: str) -> JobRecord:
        """Puts a paused job back into the queue, and takes back the wish to pause a running one. Others that are not ended are as wished.

        Raises BridgeError JOB_NOT_FOUND, JOB_ENDED.
        """
        with self._rows.transaction():
            record = self._rows.get(job_id)
            if record.stop_request is StopRequest.PAUSE:
                self._rows.change(sql.REQUEST_STOP, job_id=job_id, wish=StopRequest.NONE.value)
                return self._rows.get(job_id)
            if not record.state.ended:
                return self._rows.take_step(job_id, Step.RESUME, Details()) or record
        sentence = (
            f"The job {job_id} has already {_ended_words(record.state)}; `i2vedit jobs retry` starts a failed or cancelled one again."
        )
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.JOB_ENDED, sentence)

    def retry(self, job_id: str) -> JobRecord:
        """Puts a failed or cancelled job at the end of the queue. Raises BridgeError JOB_NOT_FOUND, JOB_NOT_RETRIABLE."""
        with self._rows.transaction():
            record = self._rows.get(job_id)
            moved = self._rows.take_step(job_id, Step.RETRY, Details())
        if moved is not None:
            return moved
        advice = (
            "submit it again for another version" if record.state is JobState.SUCCEEDED else "it goes on by itself, or when it is resumed"
        )
        sentence = f"The job {job_id} is {record.state.value}, and only a failed or cancelled job can be tried again; {advice}."
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.JOB_NOT_RETRIABLE, sentence)

    def move(self, job_id: str, priority: Priority | None, before: str) -> list[JobRecord]:
        """Gives a waiting or paused job another turn: right before the job `before`, or at the end of a priority (None: the one it has).

        Returns it, and after it the jobs that had to be numbered anew to make room. Raises BridgeError JOB_NOT_FOUND, JOB_NOT_WAITING,
        SETTING_INVALID.
        """
        with self._rows.transaction():
            record = self._waiting(job_id)
            if not before:
                last = int(self._rows.all(sql.LAST_POSITION)[0][0])
                return [self._placed(record, priority or record.priority, last + 1)]
            if priority not in (None, self._waiting(before).priority):
                sentence = "A job moves to the priority of the job that it is put before; name one of the two."
                raise BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
            if before == job_id:
                return [record]
            renumbered = [] if self._place_before(before) else self._spread()
            placed = self._placed(record, self._waiting(before).priority, self._place_before(before))
            return [placed, *(self._rows.get(one) for one in renumbered if one != job_id)]

    def delete(self, job_id: str) -> JobRecord:
        """Forgets a job that does not run, and the shot that it prepared. Raises BridgeError JOB_NOT_FOUND, JOB_RUNNING."""
        with self._rows.transaction():
            record = self._rows.get(job_id)
            if record.state is JobState.RUNNING:
                sentence = f"The job {job_id} is running; cancel it first, then delete it."
                raise BridgeError(Code.FAILED_PRECONDITION, Reason.JOB_RUNNING, sentence)
            for statement in sql.DELETE:
                self._rows.change(statement, sequence=record.sequence)
            return record

    def stopped(self, job_id: str, attempt: int) -> JobRecord | None:
        """The worker has let the job go: it becomes what was asked for, or waits again."""
        with self._rows.transaction():
            step = STOPPED[self._rows.get(job_id).stop_request]
            return self._rows.take_step(job_id, step, Details(attempt=attempt))

    def lost(self, job_id: str, attempt: int, interruption: str, most_losses: int, failure: Failure) -> JobRecord | None:
        """The worker has died with this job. It becomes what was asked for, waits again, or fails when it was lost too often."""
        with self._rows.transaction():
            record = self._rows.get(job_id)
            step = STOPPED[record.stop_request]
            if step is Step.REQUEUE and record.losses + 1 >= most_losses:
                details = Details(attempt=attempt, interruption=interruption, failure=failure)
                return self._rows.take_step(job_id, Step.FAIL, details)
            return self._rows.take_step(job_id, step, Details(attempt=attempt, interruption=interruption))

    def stop_running(self, but: Collection[str] = ()) -> list[JobRecord]:
        """Puts what an earlier server process left running where it was asked to go, or back into the queue; `but` still run."""
        with self._rows.transaction():
            left = [record for row in self._rows.all(sql.RUNNING) if (record := job_record(row)).job_id not in but]
            steps = [self._rows.take_step(one.job_id, STOPPED[one.stop_request], Details(attempt=one.attempt)) for one in left]
            return [record for record in steps if record is not None]

    def set_progress(self, job_id: str, progress: bytes) -> None:
        """Remembers where a running job stands."""
        with self._rows.transaction():
            self._rows.change(sql.SET_PROGRESS, job_id=job_id, progress=progress)

    def add_frame(self, job_id: str, frame: int, path: Path) -> JobRecord:
        """Counts a delivered frame once, however often it is reported. Raises BridgeError JOB_NOT_FOUND."""
        with self._rows.transaction():
            sequence = self._rows.get(job_id).sequence
            self._rows.change(sql.FORGET_FRAMES_ELSEWHERE, sequence=sequence, folder=str(path.parent))
            self._rows.change(sql.INSERT_FRAME, sequence=sequence, frame=frame, path=str(path))
            self._rows.change(sql.COUNT_FRAMES, sequence=sequence, folder=str(path.parent))
            return self._rows.get(job_id)

    def page(self, before: int, count: int, states: Collection[JobState], kinds: Collection[JobKind] = ()) -> list[JobRecord]:
        """At most `count` jobs with sequence numbers below `before`, newest first; no states or kinds mean all."""
        rows = self._rows.all(sql.PAGE, before=before, count=count, states=_listed(states), kinds=_listed(kinds))
        return [job_record(row) for row in rows]

    def live_page(self, after: int, count: int, kinds: Collection[JobKind]) -> list[JobRecord]:
        """At most `count` unfinished jobs with sequence numbers above `after`, oldest first; no kinds mean all."""
        return [job_record(row) for row in self._rows.all(sql.LIVE_PAGE, after=after, count=count, kinds=_listed(kinds))]

    def counts(self) -> dict[JobState, int]:
        """How many jobs wait and run; states without jobs are left out. Paused ones are nobody's work."""
        return {JobState(row["state"]): row["jobs"] for row in self._rows.all(sql.COUNTS)}

    def queue(self) -> list[QueueCount]:
        """All unfinished jobs, counted; the highest priority first."""
        return [
            QueueCount(JobKind(row["kind"]), Priority(row["priority"]), JobState(row["state"]), row["jobs"])
            for row in self._rows.all(sql.QUEUE)
        ]

    def with_work(self) -> set[str]:
        """Ids of jobs whose notes are still of use."""
        return {row["job_id"] for row in self._rows.all(sql.WITH_WORK)}

    def _waiting(self, job_id: str) -> JobRecord:
        record = self._rows.get(job_id)
        if record.state not in (JobState.QUEUED, JobState.PAUSED):
            sentence = f"The job {job_id} is {record.state.value}; only waiting and paused jobs have a turn that can be moved."
            raise BridgeError(Code.FAILED_PRECONDITION, Reason.JOB_NOT_WAITING, sentence)
        return record

    def _place_before(self, job_id: str) -> int:
        """A position between a job and the one before it; 0 where there is no room."""
        position = self._rows.get(job_id).position
        last = int(self._rows.all(sql.LAST_POSITION_BEFORE, position=position)[0][0])
        return (last + position) // 2 if position - last > 1 else 0

    def _spread(self) -> list[str]:
        """Makes room before each job that has not ended. Returns their ids."""
        rows = self._rows.all(sql.LIVE_IN_ORDER)
        for place, row in enumerate(rows, start=1):
            self._rows.change(sql.SET_POSITION, position=ROOM * place, sequence=row["sequence"])
        return [row["job_id"] for row in rows]

    def _placed(self, record: JobRecord, priority: Priority, position: int) -> JobRecord:
        self._rows.change(sql.MOVE, sequence=record.sequence, priority=priority.value, position=position)
        return self._rows.get(record.job_id)

    def _known(self, request_id: str, spec: bytes) -> JobRecord | None:
        known = self._rows.job(sql.BY_REQUEST, request_id=request_id)
        if known is not None and known.spec != spec:
            sentence = f"The request id '{request_id}' belongs to job {known.job_id} with another spec; send a fresh id for another job."
            raise BridgeError(Code.FAILED_PRECONDITION, Reason.REQUEST_ID_REUSED, sentence)
        return known


def _listed(values: Collection[JobState] | Collection[JobKind]) -> str | None:
    return json.dumps(sorted(values)) if values else None


def _ended_words(state: JobState) -> str:
    return "been cancelled" if state is JobState.CANCELLED else state.value
