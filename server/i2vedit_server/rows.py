"""The open job database: transactions, rows, and the one function that changes a job's state."""

import json
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.files import disk_full
from i2vedit_server import store_sql as sql
from i2vedit_server.migrations import migrate
from i2vedit_server.record import Failure, JobKind, JobRecord, NewJob, Priority, StopRequest
from i2vedit_server.states import ENDED, RULES, JobState, Step


@dataclass(frozen=True)
class Details:
    """What is written down beside a change of state."""

    attempt: int | None = None
    """Of the running attempt that this is about; None for a job that does not run. Any other attempt's word is not heard."""
    worker: str = ""
    """To whom a claimed job is lent, as `host:process`."""
    lease_seconds: float = 0.0
    failure: Failure | None = None
    delivered: Path | None = None
    quality: bytes | None = None
    """A serialised `i2vedit.v1.Quality` of it."""
    interruption: str | None = None
    """Why the worker was lost; counts as a loss."""


ROOM_BYTES = 2**20
"""What a transaction may need of the disk: its pages in the log, and the log's pages in the database. Those of one job are far smaller."""


class Rows:
    """The connection. Errors of the disk come out as BridgeError DISK_FULL or as sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        """Opens the database and brings it to this version. Raises BridgeError DATABASE_NEWER, DATA_FOLDER_UNUSABLE."""
        self._path = path
        try:
            self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self.connection.row_factory = sqlite3.Row
            for statement in sql.SETUP:
                self.connection.execute(statement)
            migrate(self.connection, path)
        except (sqlite3.Error, OSError) as error:
            sentence = (
                f"The job database {path} cannot be opened ({error}); move it away or give the server another folder with --data-dir."
            )
            raise BridgeError(Code.FAILED_PRECONDITION, Reason.DATA_FOLDER_UNUSABLE, sentence) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield
            self.connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_FULL" or (_is_io(error) and lacks_room(self._path.parent)):
                raise disk_full(self._path, ROOM_BYTES) from error
            raise
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")

    def change(self, statement: str, **values: object) -> int:
        """The number of rows that the statement changed."""
        return self.connection.execute(statement, values).rowcount

    def all(self, statement: str, **values: object) -> list[sqlite3.Row]:
        return self.connection.execute(statement, values).fetchall()

    def job(self, statement: str, **values: object) -> JobRecord | None:
        """The first job that the statement finds."""
        row = self.connection.execute(statement, values).fetchone()
        return None if row is None else job_record(row)

    def get(self, job_id: str) -> JobRecord:
        """Raises BridgeError JOB_NOT_FOUND."""
        record = self.job(sql.BY_ID, job_id=job_id)
        if record is None:
            raise job_not_found(job_id)
        return record

    def insert(self, job: NewJob, kind: JobKind) -> JobRecord:
        """A new waiting job, at the end of its priority."""
        job_id = uuid.uuid4().hex[:12]
        self.change(
            sql.INSERT_JOB,
            job_id=job_id,
            kind=kind.value,
            priority=job.priority.value,
            spec=job.spec,
            fingerprint=job.fingerprint,
            shot_id=job.shot_id,
            first_frame=job.first_frame,
            frame_count=job.frame_count,
            now=now_microseconds(),
        )
        return self.get(job_id)

    def take_step(self, job_id: str, step: Step, details: Details) -> JobRecord | None:
        """The only way in which a job's state changes; inside a transaction. The job as it is then, or None where its state, or the attempt
        that is running by now, forbids it."""
        now, failure, rule = now_microseconds(), details.failure, RULES[step]
        values: Mapping[str, object] = {
            "job_id": job_id,
            "step": step.value,
            "to": rule.to.value,
            "allowed": json.dumps(sorted(rule.comes_from)),
            "ended": rule.to in ENDED,
            "attempt": details.attempt,
            "worker": details.worker,
            "lease": now + round(details.lease_seconds * 1e6),
            "interruption": details.interruption,
            "now": now,
            "code": failure and failure.code,
            "reason": failure and failure.reason,
            "message": failure and failure.message,
            "delivered": details.delivered and str(details.delivered),
            "quality": details.quality,
        }
        changed = self.connection.execute(sql.TRANSITION, values).rowcount
        return self.get(job_id) if changed else None


def _is_io(error: sqlite3.Error) -> bool:
    """On some file systems a full disk shows only so."""
    return error.sqlite_errorname.startswith("SQLITE_IOERR")


def lacks_room(folder: Path) -> bool:
    """Whether the disk of the data folder is too full to go on."""
    try:
        return shutil.disk_usage(folder).free < ROOM_BYTES
    except OSError:
        return False  # whatever is the matter with it, it is not that


def job_not_found(job_id: str) -> BridgeError:
    """The error for a name that no job has."""
    sentence = f"There is no job '{job_id}' on this server; `i2vedit jobs list` shows those that are."
    return BridgeError(Code.NOT_FOUND, Reason.JOB_NOT_FOUND, sentence)


def now_microseconds() -> int:
    """Since 1970, UTC."""
    return time.time_ns() // 1000


def job_record(row: sqlite3.Row) -> JobRecord:
    """A row of the job table."""
    failure = Failure(row["failure_code"], row["failure_reason"], row["failure_message"]) if row["failure_code"] else None
    folder = row["delivered_directory"]
    return JobRecord(
        sequence=row["sequence"],
        job_id=row["job_id"],
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        priority=Priority(row["priority"]),
        position=row["position"],
        spec=row["spec"],
        shot_id=row["shot_id"],
        first_frame=row["first_frame"],
        frame_count=row["frame_count"],
        stop_request=StopRequest(row["stop_request"]),
        attempt=row["attempt"],
        losses=row["losses"],
        last_interruption=row["last_interruption"],
        worker=row["worker"],
        lease_microseconds=row["lease_microseconds"],
        progress=row["progress"],
        failure=failure,
        delivered_directory=Path(folder) if folder else None,
        delivered_count=row["delivered_count"],
        quality=row["quality"],
        create_microseconds=row["create_microseconds"],
        start_microseconds=row["start_microseconds"],
        end_microseconds=row["end_microseconds"],
    )
