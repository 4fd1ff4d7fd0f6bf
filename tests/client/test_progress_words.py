"""How progress reaches programs and people."""

import io
import json

from rich.console import Console

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as service_pb2
from i2vedit_client import words
from i2vedit_client.bars import BarReport
from i2vedit_client.batch import words as batch_words
from i2vedit_client.batch.bars import BatchBars
from i2vedit_client.counting import counted
from i2vedit_client.events import job_event, watch_events
from i2vedit_client.report import PlainReport
from i2vedit_client.submit import PreparedNotice

JOB = "jobs/1"


def progress(
    chunk: int = 0, step: int = 0, stage: job_pb2.JobProgress.Stage.ValueType = job_pb2.JobProgress.STAGE_TRAIN, loss: float | None = None
):
    message = job_pb2.JobProgress(stage=stage, chunk=chunk, chunk_count=2, step=step, step_count=10, loss=loss)
    message.remaining.FromSeconds(150)
    return service_pb2.WatchJobResponse(progress=message)


def test_progress_as_json():
    (event,) = watch_events(JOB, progress(chunk=1, step=4, loss=0.25))
    assert json.loads(json.dumps(event)) == {
        "event": "progress",
        "job": JOB,
        "stage": "train",
        "chunk": 1,
        "chunks": 2,
        "step": 4,
        "of": 10,
        "loss": 0.25,
        "seconds_left": 150.0,
    }
    (without,) = watch_events(JOB, progress())
    assert "loss" not in without


def test_a_snapshot_of_a_running_job_tells_how_far_it_is():
    job = job_pb2.Job(name=JOB, state=job_pb2.Job.STATE_RUNNING, progress=progress(step=7).progress)
    assert [event["event"] for event in watch_events(JOB, service_pb2.WatchJobResponse(job=job))] == ["running", "progress"]


def test_an_answer_of_a_newer_server_is_passed_over():
    assert watch_events(JOB, service_pb2.WatchJobResponse(resume_marker="9")) == []


def test_a_failed_job_carries_code_reason_and_message():
    failure = job_pb2.JobFailure(code="RESOURCE_EXHAUSTED", reason="DISK_FULL", message="The disk is full.")
    event = job_event(job_pb2.Job(name=JOB, state=job_pb2.Job.STATE_FAILED, failure=failure))
    assert event == {"event": "failed", "code": "RESOURCE_EXHAUSTED", "reason": "DISK_FULL", "message": "The disk is full.", "job": JOB}


def test_a_stage_grows_from_0_to_1_over_all_its_chunks():
    parts = [words.part_done(watch_events(JOB, progress(chunk, step))[0]) for chunk in range(2) for step in range(10)]
    assert parts == sorted(parts) and parts[-1] == 1.0 and 0 < parts[0] < 0.1


def test_odd_counts_of_a_server_break_no_bar():
    event = {"event": "progress", "stage": "new stage", "chunk": 3, "chunks": 0, "step": 9, "of": 0}
    assert words.part_done(event) == 1.0
    assert words.stage_words("new stage") == "new stage"


def test_times_are_said_roughly():
    assert [words.duration(seconds) for seconds in (3.4, 59, 61, 3599, 3 * 3600 + 120)] == ["3 s", "59 s", "1 min", "60 min", "3 h 2 min"]


def test_a_shot_that_needed_no_preparation_is_said_to_be_prepared():
    def told(*stages: str, attempt: int = 1) -> list[str]:
        events: list[dict] = []
        notice = PreparedNotice(events.append)
        notice({"event": "running", "job": JOB, "attempt": attempt})
        for stage in stages:
            notice({"event": "progress", "job": JOB, "stage": stage, "chunk": 0})
        return [event["event"] for event in events if event["event"] == "prepared"]

    assert told("load", "deliver", "decode", "edit", "edit", "deliver", "decode", "edit") == ["prepared"]
    assert told("load", "deliver", "decode", "train", "edit", "deliver", "decode", "edit") == []
    assert told("edit", "decode", "edit") == [], "who comes later cannot know"
    assert told("load", "decode", "edit", attempt=2) == []


def test_plain_lines_are_few(capsys):
    with PlainReport() as report:
        for chunk in range(2):
            for step in range(10):
                report(watch_events(JOB, progress(chunk, step, loss=0.5))[0])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1] == "Learning its motion: 55%, chunk 2 of 2, loss 0.5000, about 2 min left"


def test_bars_show_each_stage_once_and_leave_paths_whole():
    screen = io.StringIO()
    console = Console(file=screen, width=100, force_terminal=False)
    path = "/shots/[v2] " + "long " * 30 + "name"
    with BarReport(console) as report:
        for chunk in range(2):
            for stage in (job_pb2.JobProgress.STAGE_INVERT, job_pb2.JobProgress.STAGE_TRAIN):
                report(watch_events(JOB, progress(chunk, 9, stage, 0.5))[0])
        report({"event": "succeeded", "job": JOB, "directory": path, "delivered": 6, "frames": 6})
    text = screen.getvalue()
    assert f"Done: 6 frames in {path}" in text
    assert text.count("Tracing the shot") == text.count("Learning its motion") == 1
    assert "100% chunk 2 of 2, loss 0.5000" in text


def test_a_batch_has_one_bar_for_all_shots_and_one_for_the_running_one():
    screen = io.StringIO()
    row = {"event": "row", "row": 2, "clip": "[a].mov", "job": JOB, "of": 2}
    running = {**watch_events(JOB, progress(1, 4, loss=0.5))[0], "row": 2, "clip": "[a].mov"}
    with BatchBars(Console(file=screen, width=120, force_terminal=False)) as report:
        report({**row, "state": "queued", "done": 0})
        report(running)
        report({**row, "state": "succeeded", "directory": "/out/[v1]", "delivered": 6, "done": 1})
        report({**row, "row": 3, "clip": "b.mov", "state": "failed", "message": "The card is full.", "done": 2})
    lines = [line.rstrip() for line in screen.getvalue().splitlines()]
    assert lines[:2] == ["Row 2, [a].mov: 6 frames in /out/[v1] (1 of 2)", "Row 3, b.mov: not done. The card is full. (2 of 2)"]
    text = screen.getvalue()
    assert text.count("All shots") == 1 and "100% 2 of 2" in text
    assert "75% Learning its motion, chunk 2 of 2, loss 0.5000, about 2 min left" in text


def test_one_thing_is_said_as_one():
    def said(kind: str, **facts: object) -> str:
        return words.sentence({"event": "succeeded", "kind": kind, **facts})

    assert [counted(number, "frame") for number in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
    assert [counted(number, "job goes", "jobs go") for number in (1, 2)] == ["1 job goes", "2 jobs go"]
    assert said("", directory="/out", delivered=1) == "Done: 1 frame in /out"
    assert said("", jobs=["jobs/1"]).startswith("Stopped; 1 save was propagated.")
    assert said("rerun", frames=1) == "Identical: 1 frame came out the same, pixel by pixel."
    assert said("rerun", frames=27) == "Identical: all 27 frames came out the same, pixel by pixel."
    assert words.sentence({"event": "delivered", "directory": "/out", "delivered": 1}) == "Done: 1 frame in /out"
    row = {"event": "row", "row": 2, "clip": "a", "state": "succeeded", "directory": "/out", "delivered": 1, "done": 1, "of": 1}
    assert batch_words.sentence(row) == "Row 2, a: 1 frame in /out (1 of 1)"


def test_what_happens_to_many_shots_in_words():
    plan = {"event": "plan", "row": 2, "clip": "a.mov", "first": 0, "last": 9, "painted": [3, 7], "out": "/o"}
    assert batch_words.sentence(plan) == "Row 2, a.mov: frames 0 to 9, painted: 3, 7, into /o"
    unseen = {"event": "plan", "row": 2, "clip": "a.mov", "painted": [], "out": "/o"}
    assert batch_words.sentence(unseen) == "Row 2, a.mov: as the server finds it, painted: the first, into /o"
    assert batch_words.sentence({"event": "skipped", "count": 1}) == "1 shot of the timeline without a painted frame: left out."
    assert batch_words.sentence({"event": "row", "row": 2, "clip": "a", "state": "running", "done": 0, "of": 1}) == ""
    assert (
        batch_words.sentence({"event": "row", "row": 2, "clip": "a", "state": "cancelled", "done": 1, "of": 1})
        == "Row 2, a: cancelled (1 of 1)"
    )
    detached = batch_words.sentence({"event": "succeeded", "rows": 2, "detached": True, "report": "/r.csv"})
    assert "i2vedit jobs list" in detached and "/r.csv" in detached
