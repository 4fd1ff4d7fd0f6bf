"""The job table by itself: whose turn it is, its counts, and a full disk."""

import itertools
import sqlite3
from pathlib import Path

import pytest

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_server.record import Failure, JobKind, JobRecord, NewJob, NewShot, Priority, StopRequest
from i2vedit_server.rows import Details
from i2vedit_server.states import JobState, Step
from i2vedit_server.store import LARGEST_SEQUENCE, JobStore

NUMBERS = itertools.count()
BROKEN = Failure("INTERNAL", "WORKER_LOST", "It broke.")

WAYS: dict[JobState, list[Step]] = {
    JobState.QUEUED: [],
    JobState.PAUSED: [Step.PAUSE],
    JobState.RUNNING: [Step.CLAIM],
    JobState.SUCCEEDED: [Step.CLAIM, Step.SUCCEED],
    JobState.FAILED: [Step.CLAIM, Step.FAIL],
    JobState.CANCELLED: [Step.CANCEL],
}


def add(store: JobStore, state: JobState = JobState.QUEUED, priority: Priority = Priority.NORMAL, shot_id: str = "") -> JobRecord:
    """A job that has been brought into this state."""
    new = NewJob(f"request {next(NUMBERS)}", b"spec", "fingerprint", frame_count=3, attach=False, shot_id=shot_id, priority=priority)
    record, _ = store.create(new)
    for step in WAYS[state]:
        attempt = record.attempt if record.state is JobState.RUNNING else None
        record = store.transition(record.job_id, step, Details(attempt=attempt)) or record
    assert record.state is state
    return record


def claimed(store: JobStore, *kinds: JobKind) -> str | None:
    """The id of the job whose turn it is, which runs from now on."""
    record = store.claim_next(kinds or list(JobKind), "here:1", 30)
    return None if record is None else record.job_id


def test_a_lost_worker_is_counted_and_its_reason_kept(store: JobStore) -> None:
    job_id = add(store).job_id
    for attempt in (1, 2):
        assert claimed(store) == job_id
        record = store.lost(job_id, attempt, f"reason {attempt}", 3, BROKEN)
        assert record is not None and record.state is JobState.QUEUED
        assert (record.attempt, record.losses, record.last_interruption) == (attempt, attempt, f"reason {attempt}")
    claimed(store)
    failed = store.lost(job_id, 3, "reason 3", 3, BROKEN)
    assert failed is not None and (failed.state, failed.failure) == (JobState.FAILED, BROKEN)
    again = store.retry(job_id)
    assert (again.state, again.losses, again.attempt, again.failure) == (JobState.QUEUED, 0, 3, None)


def test_a_job_that_was_to_be_paused_when_its_worker_died_is_paused(store: JobStore) -> None:
    record = add(store, JobState.RUNNING)
    store.request_stop(record.job_id, StopRequest.PAUSE)
    paused = store.lost(record.job_id, 1, "killed", 3, BROKEN)
    assert paused is not None and (paused.state, paused.stop_request) == (JobState.PAUSED, StopRequest.NONE)


def test_the_first_is_claimed_first_and_a_requeued_one_keeps_its_place(store: JobStore) -> None:
    first, second = add(store).job_id, add(store).job_id
    assert claimed(store) == first
    store.stopped(first, 1)
    assert claimed(store) == first
    store.transition(first, Step.FAIL, Details(attempt=2, failure=BROKEN))
    assert claimed(store) == second
    assert claimed(store) is None


def test_priority_goes_before_age_and_kinds_can_be_left_out(store: JobStore) -> None:
    low, normal, high = (add(store, priority=priority).job_id for priority in Priority)
    preparation = store.shots.prepare(NewShot("shot", b"spec", 3), is_whole=False).job.job_id
    assert [claimed(store) for _ in range(3)] == [high, normal, low]
    assert claimed(store, JobKind.PROPAGATION) is None
    assert claimed(store) == preparation


def test_jobs_move_before_another_and_to_the_end(store: JobStore) -> None:
    a, b, c, d = (add(store).job_id for _ in range(4))
    store.move(d, None, before=b)
    store.move(a, None, before="")
    store.move(c, None, before=d)
    store.move(c, None, before=c)
    assert [claimed(store) for _ in range(4)] == [c, d, b, a]


def test_whoever_is_numbered_anew_is_named_and_rarely_anybody_is(store: JobStore) -> None:
    a, b, c, d = (add(store).job_id for _ in range(4))
    moved, *others = store.move(d, None, before=b)
    assert moved.job_id == d and {each.job_id for each in others} == {a, b, c}
    assert [each.position for each in (moved, *others)] == [store.get(each.job_id).position for each in (moved, *others)]
    for _ in range(8):
        (only,) = store.move(c, None, before=d)
        assert only.job_id == c
        (only,) = store.move(d, None, before=c)
        assert only.job_id == d
    assert [claimed(store) for _ in range(4)] == [a, d, c, b]


def test_a_job_takes_the_priority_of_the_one_it_moves_before(store: JobStore) -> None:
    normal, high = add(store).job_id, add(store, JobState.PAUSED, Priority.HIGH).job_id
    assert store.move(normal, None, before=high)[0].priority is Priority.HIGH
    assert store.move(normal, Priority.LOW, before="")[0].priority is Priority.LOW
    with pytest.raises(BridgeError) as caught:
        store.move(normal, Priority.NORMAL, before=high)
    assert caught.value.reason is Reason.SETTING_INVALID


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED])
def test_only_waiting_jobs_have_a_turn(store: JobStore, state: JobState) -> None:
    moved, waiting = add(store, state).job_id, add(store).job_id
    for job_id, before in ((moved, ""), (waiting, moved)):
        with pytest.raises(BridgeError) as caught:
            store.move(job_id, None, before)
        assert caught.value.reason is Reason.JOB_NOT_WAITING


def test_a_wish_to_cancel_outweighs_one_to_pause_and_a_pause_can_be_taken_back(store: JobStore) -> None:
    record = add(store, JobState.RUNNING)
    assert store.request_stop(record.job_id, StopRequest.PAUSE).stop_request is StopRequest.PAUSE
    assert store.resume(record.job_id).stop_request is StopRequest.NONE
    store.request_stop(record.job_id, StopRequest.CANCEL)
    assert store.request_stop(record.job_id, StopRequest.PAUSE).stop_request is StopRequest.CANCEL
    assert store.resume(record.job_id).stop_request is StopRequest.CANCEL
    stopped = store.stopped(record.job_id, 1)
    assert stopped is not None and stopped.state is JobState.CANCELLED


def test_a_running_job_is_not_deleted_and_a_deleted_one_leaves_no_rows(store: JobStore) -> None:
    running = add(store, JobState.RUNNING)
    store.add_frame(running.job_id, 0, Path("/out/0.exr"))
    with pytest.raises(BridgeError) as caught:
        store.delete(running.job_id)
    assert caught.value.reason is Reason.JOB_RUNNING
    store.transition(running.job_id, Step.SUCCEED, Details(attempt=1))
    store.delete(running.job_id)
    connection = store._rows.connection
    assert [connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in ("jobs", "frames", "requests")] == [0, 0, 0]


def test_a_lease_is_extended_for_the_running_attempt_alone(store: JobStore) -> None:
    record = add(store, JobState.RUNNING)
    store.extend_lease(record.job_id, 1, "here:7", 123)
    store.extend_lease(record.job_id, 2, "there:8", 456)
    now = store.get(record.job_id)
    assert (now.worker, now.lease_microseconds) == ("here:7", 123)


def test_the_queue_is_counted_by_what_jobs_have_in_common(store: JobStore) -> None:
    for state, priority in [(JobState.RUNNING, Priority.NORMAL), (JobState.PAUSED, Priority.HIGH), (JobState.FAILED, Priority.HIGH)]:
        add(store, state, priority)
    add(store), add(store)
    counted = [(one.priority, one.state, one.count) for one in store.queue()]
    assert counted == [
        (Priority.HIGH, JobState.PAUSED, 1),
        (Priority.NORMAL, JobState.QUEUED, 2),
        (Priority.NORMAL, JobState.RUNNING, 1),
    ]
    assert store.counts() == {JobState.QUEUED: 2, JobState.RUNNING: 1}


def test_preparing_the_same_shot_again_starts_nothing_while_it_is_of_use(store: JobStore) -> None:
    shot = NewShot("shot", b"spec", 3)
    first = store.shots.prepare(shot, is_whole=False)
    assert store.shots.prepare(shot, is_whole=False) == first
    store.request_stop(first.job.job_id, StopRequest.CANCEL)
    again = store.shots.prepare(shot, is_whole=False)
    assert (again.job.job_id, again.job.state) == (first.job.job_id, JobState.QUEUED)
    claimed(store)
    store.transition(first.job.job_id, Step.SUCCEED, Details(attempt=1))
    assert store.shots.prepare(shot, is_whole=True).job.state is JobState.SUCCEEDED
    other = store.shots.prepare(shot, is_whole=False).job
    assert other.job_id != first.job.job_id and other.state is JobState.QUEUED, "what it had made was gone"


def test_artifacts_that_somebody_needs_stay(store: JobStore) -> None:
    """`shared` is used by another shot, `own` by nobody else."""
    for shot in ("one", "two"):
        store.shots.prepare(NewShot(shot, b"spec", 3), is_whole=False)
        store.shots.note_artifact(shot, "shared")
    store.shots.note_artifact("one", "own")
    assert store.shots.needed_artifacts() == {"shared", "own"}
    waiting = add(store, shot_id="one")
    cancelled, names = store.shots.delete("one")
    assert cancelled is not None and cancelled.state is JobState.CANCELLED
    assert names == [], "a propagation of it waits"
    store.request_stop(waiting.job_id, StopRequest.CANCEL)
    store.shots.prepare(NewShot("one", b"spec", 3), is_whole=False)
    assert store.shots.delete("one")[1] == ["own"]
    assert store.shots.delete("two")[1] == ["shared"]
    with pytest.raises(BridgeError) as caught:
        store.shots.delete("two")
    assert caught.value.reason is Reason.SHOT_NOT_FOUND


def test_a_shot_that_is_worked_on_is_not_deleted(store: JobStore) -> None:
    store.shots.prepare(NewShot("shot", b"spec", 3), is_whole=False)
    add(store, JobState.QUEUED, Priority.HIGH, shot_id="shot")
    claimed(store)
    with pytest.raises(BridgeError) as caught:
        store.shots.delete("shot")
    assert caught.value.reason is Reason.SHOT_IN_USE


def test_frames_are_counted_once_and_again_in_another_folder(store: JobStore, tmp_path: Path) -> None:
    record = add(store, JobState.RUNNING)
    for frame in (0, 1, 1):
        counted = store.add_frame(record.job_id, frame, tmp_path / "v001" / f"{frame}.exr")
    assert (counted.delivered_count, counted.delivered_directory) == (2, tmp_path / "v001")
    counted = store.add_frame(record.job_id, 0, tmp_path / "v002" / "0.exr")
    assert (counted.delivered_count, counted.delivered_directory) == (1, tmp_path / "v002")


def test_a_restart_requeues_and_honours_a_wish_to_cancel(store: JobStore) -> None:
    kept, unwanted, done = add(store, JobState.RUNNING), add(store, JobState.RUNNING), add(store, JobState.SUCCEEDED)
    store.request_stop(unwanted.job_id, StopRequest.CANCEL)
    assert {record.job_id for record in store.stop_running()} == {kept.job_id, unwanted.job_id}
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
    connection = store._rows.connection
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
    pages = store._rows.connection.execute("PRAGMA page_count").fetchone()[0]
    store._rows.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(BridgeError) as caught:
        store.create(NewJob("large", b"x" * 100_000, "", frame_count=1, attach=False))
    assert caught.value.reason is Reason.DISK_FULL
    assert store.page(LARGEST_SEQUENCE, 10, []) == [record]
    assert store._rows.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite3")
    full = 2
    assert store._rows.connection.execute("PRAGMA synchronous").fetchone()[0] == full
    assert store._rows.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    store.close()
    assert sqlite3.connect(tmp_path / "jobs.sqlite3").execute("SELECT COUNT(*) FROM jobs").fetchone() == (0,)
