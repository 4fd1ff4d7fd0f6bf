"""A database of an earlier version is brought to this one, and a copy of it stays behind."""

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from i2vedit_server.convert import job_message
from i2vedit_server.migrations import MIGRATIONS, back_up, backup_path
from i2vedit_server.record import JobKind, Priority, StopRequest
from i2vedit_server.states import JobState
from i2vedit_server.store import JobStore

ROW = """INSERT INTO jobs (job_id, state, spec, fingerprint, frame_count, cancel_requested, attempt, losses, create_microseconds)
    VALUES (?, ?, x'00', 'same', 7, ?, 1, 2, 1000)"""


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    """As version 0.1.0 left it: a job that waits, one that ran and was to be cancelled, one that is done, with a frame."""
    path = tmp_path / "jobs.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.executemany(ROW, [("waiting", "queued", 0), ("unwanted", "running", 1), ("done", "succeeded", 0)])
        connection.execute("INSERT INTO requests VALUES ('mine', 1)")
        connection.execute("INSERT INTO frames VALUES (3, 12, '/out/0012.exr')")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    return path


def version(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_jobs_of_version_1_go_on(version_1: Path) -> None:
    store = JobStore(version_1)
    waiting, unwanted, done = (store.get(name) for name in ("waiting", "unwanted", "done"))
    assert (waiting.state, waiting.kind, waiting.priority, waiting.losses) == (JobState.QUEUED, JobKind.PROPAGATION, Priority.NORMAL, 2)
    assert unwanted.stop_request is StopRequest.CANCEL
    assert waiting.first_frame is None and not job_message(replace(waiting, spec=b"")).HasField("first_frame"), "nobody wrote it down then"
    assert done.state is JobState.SUCCEEDED and done.stop_request is StopRequest.NONE
    assert [record.state for record in store.stop_running()] == [JobState.CANCELLED]
    known = store.job_of_request("mine", b"\0")
    assert known is not None and known.job_id == "waiting"
    claimed = store.claim_next(list(JobKind), "here:1", 30)
    assert claimed is not None and claimed.job_id == "waiting"
    store.close()
    assert version(version_1) == len(MIGRATIONS)


def test_a_copy_is_made_before_and_none_of_a_new_database(version_1: Path, tmp_path: Path) -> None:
    JobStore(version_1).close()
    copy = backup_path(version_1, 1)
    assert copy.name == "jobs.sqlite3.v1.backup" and version(copy) == 1
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM jobs").fetchone() == (3,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    JobStore(version_1).close()
    JobStore(tmp_path / "new.sqlite3").close()
    copies = [f"jobs.sqlite3.v{number}.backup" for number in range(1, len(MIGRATIONS))]
    assert sorted(path.name for path in tmp_path.glob("*.backup")) == copies


def test_a_migration_that_breaks_leaves_the_database_as_it_was(version_1: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (MIGRATIONS[0], (*MIGRATIONS[1], "this is no statement"))
    monkeypatch.setattr("i2vedit_server.migrations.MIGRATIONS", broken)
    with pytest.raises(Exception, match="cannot be opened"):
        JobStore(version_1)
    monkeypatch.undo()
    assert version(version_1) == 1
    JobStore(version_1).close()


def test_a_copy_holds_what_is_still_in_the_log(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "a.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE told (word TEXT)")
        connection.execute("INSERT INTO told VALUES ('kept')")
        back_up(connection, tmp_path / "copy")
    with contextlib.closing(sqlite3.connect(tmp_path / "copy")) as copy:
        assert copy.execute("SELECT word FROM told").fetchone() == ("kept",)
