"""The job table by itself: its state machine, its counts, and a full disk."""

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_server.record import MAY_COME_FROM, Failure, JobRecord, JobState, NewJob
from i2vedit_server.store import LARGEST_SEQUENCE, JobStore

NUMBERS = itertools.count()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    opened = JobStore(tmp_path / "jobs.sqlite3")
    yield opened
    opened.close()


def add(store: JobStore, state: JobState = JobState.QUEUED) -> JobRecord:
    """A job that has been brought into this state."""
    record, _ = store.create(NewJob(f"request {next(NUMBERS)}", b"spec", "fingerprint", frame_count=3, attach=False))
    ways = {JobState.QUEUED: [], JobState.RUNNING: [JobState.RUNNING]}
    for to in ways.get(state, [JobState.RUNNING, state]):
        store.transition(record.job_id, to)
    return store.get(record.job_id)


@pytest.mark.parametrize(("begin", "to"), list(itertools.product(JobState, JobState)))
def test_only_what_the_table_allows_happens(store: JobStore, begin: JobState, to: JobState) -> None:
    record = add(store, begin)
    moved = store.transition(record.job_id, to)
    if begin in MAY_COME_FROM[to]:
        assert moved is not None and moved.state is to
        assert (moved.end_microseconds is not None) == to.ended
    else:
        assert moved is None
        assert store.get(record.job_id) == record


def test_an_attempt_is_counted_when_a_worker_takes_the_job(store: JobStore) -> None:
    record = add(store)
    for _ in range(2):
        store.transition(record.job_id, JobState.RUNNING)
        store.transition(record.job_id, JobState.QUEUED, lost=True)
    again = store.get(record.job_id)
    assert (again.attempt, again.losses) == (2, 2)


def test_the_oldest_is_claimed_first_and_a_requeued_one_keeps_its_place(store: JobStore) -> None:
    first, second = add(store), add(store)
    claimed = store.claim_oldest()
    assert claimed is not None and claimed.job_id == first.job_id
    store.transition(first.job_id, JobState.QUEUED)
    again = store.claim_oldest()
    assert again is not None and again.job_id == first.job_id
    store.transition(first.job_id, JobState.FAILED, failure=Failure("INTERNAL", "UNEXPECTED", "It broke."))
    last = store.claim_oldest()
    assert last is not None and last.job_id == second.job_id
    assert store.claim_oldest() is None


def test_frames_are_counted_once_and_again_in_another_folder(store: JobStore, tmp_path: Path) -> None:
    record = add(store, JobState.RUNNING)
    for frame in (0, 1, 1):
        counted = store.add_frame(record.job_id, frame, tmp_path / "v001" / f"{frame}.exr")
    assert (counted.delivered_count, counted.delivered_directory) == (2, tmp_path / "v001")
    counted = store.add_frame(record.job_id, 0, tmp_path / "v002" / "0.exr")
    assert (counted.delivered_count, counted.delivered_directory) == (1, tmp_path / "v002")


def test_a_restart_requeues_and_honours_a_wish_to_cancel(store: JobStore) -> None:
    kept, unwanted, done = add(store, JobState.RUNNING), add(store, JobState.RUNNING), add(store, JobState.SUCCEEDED)
    store.request_cancel(unwanted.job_id)
    assert {record.job_id for record in store.requeue_running()} == {kept.job_id, unwanted.job_id}
    states = [store.get(record.job_id).state for record in (kept, unwanted, done)]
    assert states == [JobState.QUEUED, JobState.CANCELLED, JobState.SUCCEEDED]


def test_jobs_outlive_the_store(tmp_path: Path) -> None:
    first = JobStore(tmp_path / "jobs.sqlite3")
    record = add(first)
    first.close()
    second = JobStore(tmp_path / "jobs.sqlite3")
    assert second.get(record.job_id) == record
    assert (second.count_start(), second.count_start()) == (1, 2)
    second.close()


def test_ten_thousand_jobs_are_listed_page_by_page(store: JobStore) -> None:
    connection = store._connection
    connection.execute("BEGIN")
    row = "INSERT INTO jobs (job_id, state, spec, fingerprint, frame_count, create_microseconds) VALUES (?, 'failed', x'', '', 1, 0)"
    connection.executemany(row, [(str(number),) for number in range(10_000)])
    connection.execute("COMMIT")
    before, seen = LARGEST_SEQUENCE, 0
    while page := store.page(before, 1000, [JobState.FAILED]):
        before, seen = page[-1].sequence, seen + len(page)
    assert seen == 10_000


def test_a_full_disk_is_told_and_leaves_the_table_whole(store: JobStore) -> None:
    record = add(store)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(BridgeError) as caught:
        store.create(NewJob("large", b"x" * 100_000, "", frame_count=1, attach=False))
    assert caught.value.reason is Reason.DISK_FULL
    assert store.page(LARGEST_SEQUENCE, 10, []) == [record]
    assert store._connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite3")
    full = 2
    assert store._connection.execute("PRAGMA synchronous").fetchone()[0] == full
    assert store._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    store.close()
    assert sqlite3.connect(tmp_path / "jobs.sqlite3").execute("SELECT COUNT(*) FROM jobs").fetchone() == (0,)
