"""Shots on disk, beside the jobs that prepare them. Every method is one transaction."""

import sqlite3

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server import store_sql as sql
from i2vedit_server.record import JobKind, JobRecord, NewJob, NewShot, Priority, ShotRecord
from i2vedit_server.rows import Details, Rows, now_microseconds
from i2vedit_server.states import JobState, Step


class ShotStore:
    """The shot table."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def prepare(self, shot: NewShot, is_whole: bool) -> ShotRecord:
        """The shot with its preparation; one that failed, was cancelled or is no longer whole begins again."""
        with self._rows.transaction():
            known = self._find(shot.shot_id)
            if known is None:
                values = {"shot_id": shot.shot_id, "job_sequence": self._insert(shot).sequence, "now": now_microseconds()}
                self._rows.change(sql.INSERT_SHOT, **values)
            elif known.job.state in (JobState.FAILED, JobState.CANCELLED):
                self._rows.take_step(known.job.job_id, Step.RETRY, Details())
            elif known.job.state is JobState.SUCCEEDED and not is_whole:
                self._rows.change(sql.SET_SHOT_JOB, shot_id=shot.shot_id, job_sequence=self._insert(shot).sequence)
            return self._get(shot.shot_id)

    def get(self, shot_id: str) -> ShotRecord:
        """Raises BridgeError SHOT_NOT_FOUND."""
        with self._rows.transaction():
            return self._get(shot_id)

    def find(self, shot_id: str) -> ShotRecord | None:
        with self._rows.transaction():
            return self._find(shot_id)

    def page(self, before: int, count: int) -> list[ShotRecord]:
        """At most `count` shots with sequence numbers below `before`, newest first."""
        with self._rows.transaction():
            return [self._record(row) for row in self._rows.all(sql.SHOT_PAGE, before=before, count=count)]

    def delete(self, shot_id: str) -> tuple[JobRecord | None, list[str]]:
        """Forgets a shot and cancels its preparation if that has not ended. Gives the cancelled job, and the artifacts nobody needs now.

        Raises BridgeError SHOT_NOT_FOUND, SHOT_IN_USE.
        """
        with self._rows.transaction():
            shot = self._get(shot_id)
            running = self._rows.job(sql.RUNNING_ON_SHOT, shot_id=shot_id)
            if running is not None:
                sentence = f"The job {running.job_id} is working on the shot {shot_id}; cancel it first, then delete the shot."
                raise BridgeError(Code.FAILED_PRECONDITION, Reason.SHOT_IN_USE, sentence)
            cancelled = self._rows.take_step(shot.job.job_id, Step.CANCEL, Details())
            names = [row["name"] for row in self._rows.all(sql.UNSHARED_ARTIFACTS, shot_id=shot_id)]
            for name in names:
                self._rows.change(sql.FORGET_ARTIFACT, shot_id=shot_id, name=name)
            self._rows.change(sql.DELETE_SHOT, shot_id=shot_id)
            return cancelled, names

    def note_artifact(self, shot_id: str, name: str) -> None:
        """Work on this shot uses the artifact."""
        with self._rows.transaction():
            self._rows.change(sql.NOTE_ARTIFACT, shot_id=shot_id, name=name)

    def needed_artifacts(self) -> set[str]:
        """Names of the artifacts of every shot that an unfinished job works on, or is going to."""
        return {row["name"] for row in self._rows.all(sql.NEEDED_ARTIFACTS)}

    def _insert(self, shot: NewShot) -> JobRecord:
        name, low = shot.shot_id, Priority.LOW
        job = NewJob("", shot.spec, name, shot.frame_count, attach=False, shot_id=name, priority=low, first_frame=shot.first_frame)
        return self._rows.insert(job, JobKind.PREPARATION)

    def _get(self, shot_id: str) -> ShotRecord:
        found = self._find(shot_id)
        if found is None:
            raise shot_not_found(shot_id)
        return found

    def _find(self, shot_id: str) -> ShotRecord | None:
        rows = self._rows.all(sql.SHOT, shot_id=shot_id)
        return self._record(rows[0]) if rows else None

    def _record(self, row: sqlite3.Row) -> ShotRecord:
        job = self._rows.job(sql.BY_SEQUENCE, sequence=row["job_sequence"])
        assert job is not None, "the table refers to it"
        names = tuple(name["name"] for name in self._rows.all(sql.SHOT_ARTIFACTS, shot_id=row["shot_id"]))
        return ShotRecord(row["sequence"], row["shot_id"], row["create_microseconds"], job, names)


def shot_not_found(shot_id: str) -> BridgeError:
    """The error for a name that no shot has."""
    sentence = f"There is no shot '{shot_id}' on this server; it is forgotten, or was never prepared here."
    return BridgeError(Code.NOT_FOUND, Reason.SHOT_NOT_FOUND, sentence)
