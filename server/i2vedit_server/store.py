"""Jobs on disk: SQLite in the data folder. Every method is one transaction; call them from one thread at a time."""

import json
import sqlite3
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server import store_sql as sql
from i2vedit_server.record import ENDED, MAY_COME_FROM, Failure, JobRecord, JobState, NewJob

LARGEST_SEQUENCE = 2**63 - 1


class JobStore:
    """The job table. Errors of the disk come out as BridgeError DISK_FULL or as sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        """Opens the database and brings it to this version. Raises BridgeError DATABASE_NEWER, DATA_FOLDER_UNUSABLE."""
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            for statement in sql.SETUP:
                self._connection.execute(statement)
            self._migrate(path)
        except sqlite3.Error as error:
            sentence = (
                f"The job database {path} cannot be opened ({error}); move it away or give the server another folder with --data-dir."
            )
            raise BridgeError(Code.FAILED_PRECONDITION, Reason.DATA_FOLDER_UNUSABLE, sentence) from error

    def close(self) -> None:
        """Folds the log into the database file and lets go of it."""
        self._connection.close()

    def count_start(self) -> int:
        """Counts this start of the server and returns its number, from 1."""
        with self._transaction():
            self._connection.execute(sql.COUNT_START)
            return int(self._connection.execute(sql.STARTS).fetchone()[0])

    def create(self, job: NewJob) -> tuple[JobRecord, bool]:
        """Stores a job, or finds the one that the request means. The flag says that it was there already.

        Raises BridgeError REQUEST_ID_REUSED.
        """
        with self._transaction():
            known = self._known(job.request_id, job.spec)
            if known is not None:
                return known, True
            running = self._one(sql.ACTIVE_BY_FINGERPRINT, {"fingerprint": job.fingerprint}) if job.attach else None
            record = running or self._insert(job)
            self._connection.execute(sql.INSERT_REQUEST, {"request_id": job.request_id, "sequence": record.sequence})
            return record, running is not None

    def job_of_request(self, request_id: str, spec: bytes) -> JobRecord | None:
        """The job that this request made earlier. Raises BridgeError REQUEST_ID_REUSED where it made one of another spec."""
        with self._transaction():
            return self._known(request_id, spec)

    def get(self, job_id: str) -> JobRecord:
        """Raises BridgeError JOB_NOT_FOUND."""
        record = self._one(sql.BY_ID, {"job_id": job_id})
        if record is None:
            raise job_not_found(job_id)
        return record

    def transition(
        self, job_id: str, to: JobState, *, failure: Failure | None = None, delivered: Path | None = None, lost: bool = False
    ) -> JobRecord | None:
        """The only way in which a job's state changes. Returns the job as it is then, or None where its state forbids it.

        `lost` counts a worker process that died with this job.
        """
        with self._transaction():
            return self._transition(job_id, to, failure, delivered, lost)

    def claim_oldest(self) -> JobRecord | None:
        """Makes the oldest waiting job the running one."""
        with self._transaction():
            waiting = self._one(sql.OLDEST_QUEUED, {})
            return waiting and self._transition(waiting.job_id, JobState.RUNNING)

    def request_cancel(self, job_id: str) -> JobRecord:
        """Cancels a waiting job at once, and notes the wish on a running one. A cancelled job is returned as it is.

        Raises BridgeError JOB_NOT_FOUND, JOB_ENDED.
        """
        with self._transaction():
            record = self._one(sql.BY_ID, {"job_id": job_id})
            if record is None:
                raise job_not_found(job_id)
            if record.state is JobState.QUEUED:
                return self._transition(job_id, JobState.CANCELLED) or record
            if record.state is JobState.RUNNING:
                self._connection.execute(sql.REQUEST_CANCEL, {"job_id": job_id})
                return self._one(sql.BY_ID, {"job_id": job_id}) or record
            if record.state is JobState.CANCELLED:
                return record
        sentence = f"The job {job_id} has already {record.state.value}; there is nothing left to cancel."
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.JOB_ENDED, sentence)

    def requeue_running(self) -> list[JobRecord]:
        """Puts what an earlier server process left running back into the queue; what was to be cancelled is cancelled."""
        with self._transaction():
            left = [_record(row) for row in self._connection.execute(sql.RUNNING)]
            target = {True: JobState.CANCELLED, False: JobState.QUEUED}
            moved = [self._transition(record.job_id, target[record.cancel_requested]) for record in left]
            return [record for record in moved if record is not None]

    def set_progress(self, job_id: str, progress: bytes) -> None:
        """Remembers where a running job stands."""
        with self._transaction():
            self._connection.execute(sql.SET_PROGRESS, {"job_id": job_id, "progress": progress})

    def add_frame(self, job_id: str, frame: int, path: Path) -> JobRecord:
        """Counts a delivered frame once, however often it is reported. Raises BridgeError JOB_NOT_FOUND."""
        with self._transaction():
            record = self.get(job_id)
            values = {"sequence": record.sequence, "frame": frame, "path": str(path), "folder": str(path.parent)}
            for statement in (sql.FORGET_FRAMES_ELSEWHERE, sql.INSERT_FRAME, sql.COUNT_FRAMES):
                self._connection.execute(statement, values)
            return self.get(job_id)

    def page(self, before: int, count: int, states: Collection[JobState]) -> list[JobRecord]:
        """At most `count` jobs with sequence numbers below `before`, newest first; no states mean all."""
        wanted = json.dumps(sorted(states)) if states else None
        rows = self._connection.execute(sql.PAGE, {"before": before, "count": count, "states": wanted})
        return [_record(row) for row in rows]

    def counts(self) -> dict[JobState, int]:
        """How many jobs wait and run; states without jobs are left out."""
        return {JobState(row["state"]): row["jobs"] for row in self._connection.execute(sql.COUNTS)}

    def _transition(
        self, job_id: str, to: JobState, failure: Failure | None = None, delivered: Path | None = None, lost: bool = False
    ) -> JobRecord | None:
        values = {
            "job_id": job_id,
            "to": to.value,
            "allowed": json.dumps(sorted(MAY_COME_FROM[to])),
            "ended": to in ENDED,
            "lost": lost,
            "now": _now(),
            "code": failure and failure.code,
            "reason": failure and failure.reason,
            "message": failure and failure.message,
            "delivered": delivered and str(delivered),
        }
        changed = self._connection.execute(sql.TRANSITION, values).rowcount
        return self._one(sql.BY_ID, values) if changed else None

    def _insert(self, job: NewJob) -> JobRecord:
        job_id = uuid.uuid4().hex[:12]
        values = {"job_id": job_id, "spec": job.spec, "fingerprint": job.fingerprint, "frame_count": job.frame_count, "now": _now()}
        self._connection.execute(sql.INSERT_JOB, values)
        return self.get(job_id)

    def _known(self, request_id: str, spec: bytes) -> JobRecord | None:
        known = self._one(sql.BY_REQUEST, {"request_id": request_id})
        if known is not None and known.spec != spec:
            sentence = f"The request id '{request_id}' belongs to job {known.job_id} with another spec; send a fresh id for another job."
            raise BridgeError(Code.FAILED_PRECONDITION, Reason.REQUEST_ID_REUSED, sentence)
        return known

    def _one(self, statement: str, values: Mapping[str, object]) -> JobRecord | None:
        row = self._connection.execute(statement, values).fetchone()
        return None if row is None else _record(row)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_FULL":
                raise
            sentence = "The disk of the server's data folder is full, so that no job can be stored; make room there."
            raise BridgeError(Code.RESOURCE_EXHAUSTED, Reason.DISK_FULL, sentence) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _migrate(self, path: Path) -> None:
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(sql.MIGRATIONS):
            sentence = f"The job database {path} was written by a newer version; update i2vedit-bridge, or use another folder (--data-dir)."
            raise BridgeError(Code.FAILED_PRECONDITION, Reason.DATABASE_NEWER, sentence)
        for reached, statements in enumerate(sql.MIGRATIONS[version:], start=version + 1):
            with self._transaction():
                for statement in statements:
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {reached}")  # a PRAGMA takes no parameters


def job_not_found(job_id: str) -> BridgeError:
    """The error for a name that no job has."""
    sentence = f"There is no job '{job_id}' on this server; `i2vedit jobs list` shows those that are."
    return BridgeError(Code.NOT_FOUND, Reason.JOB_NOT_FOUND, sentence)


def _now() -> int:
    return time.time_ns() // 1000


def _record(row: sqlite3.Row) -> JobRecord:
    failure = Failure(row["failure_code"], row["failure_reason"], row["failure_message"]) if row["failure_code"] else None
    folder = row["delivered_directory"]
    return JobRecord(
        sequence=row["sequence"],
        job_id=row["job_id"],
        state=JobState(row["state"]),
        spec=row["spec"],
        frame_count=row["frame_count"],
        cancel_requested=bool(row["cancel_requested"]),
        attempt=row["attempt"],
        losses=row["losses"],
        progress=row["progress"],
        failure=failure,
        delivered_directory=Path(folder) if folder else None,
        delivered_count=row["delivered_count"],
        create_microseconds=row["create_microseconds"],
        start_microseconds=row["start_microseconds"],
        end_microseconds=row["end_microseconds"],
    )
