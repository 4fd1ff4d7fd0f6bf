"""`i2vedit batch` against a real server with a stand-in for the method."""

import csv
import json
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.client.test_batch_table import a_timeline

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as service_pb2
from i2vedit_client.batch.report import BatchReport
from i2vedit_client.batch.running import BatchRun
from i2vedit_client.batch.shots import ShotJob
from i2vedit_client.client import Client
from i2vedit_core.media.edited import EIGHT_BIT_NOTICE

FRAMES = 6
FAILING, WAITING = 1, 2


@pytest.fixture
def table(clip, edited, model, tmp_path):
    """Writes a table of the clip beside copies of clip and painted frame, a dictionary of further columns for each row."""
    folder = tmp_path / "shots"
    folder.mkdir()
    (folder / "plate.mp4").write_bytes(clip.read_bytes())
    (folder / "painted.png").write_bytes(edited.read_bytes())

    def write(*rows, delimiter=","):
        whole = [{"clip": "plate.mp4", "edited": "painted.png", "out": "out", "model": str(model), **row} for row in rows]
        columns = list(dict.fromkeys(name for row in whole for name in row))
        path = folder / "shots.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, delimiter=delimiter)
            writer.writeheader()
            writer.writerows(whole)
        return path

    return write


def reported(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The report as a spreadsheet reads it; it says the same as the JSON beside it."""
    with path.with_name("shots_report.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file, delimiter=delimiter))
    as_json = json.loads(path.with_name("shots_report.json").read_text())["rows"]
    assert [(row["row"], row["state"], row["folder"]) for row in rows] == [
        (str(row["row"]), row["state"], row["folder"]) for row in as_json
    ]
    return rows


def versions(path: Path) -> list[str]:
    return sorted(folder.name for folder in (path.parent / "out").glob("*_v*"))


def events_of(process) -> list[dict]:
    found: list[dict] = []
    threading.Thread(target=lambda: found.extend(map(json.loads, process.stdout)), daemon=True).start()
    return found


def wait_until(condition, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_every_row_is_delivered_and_reported(studio, table):
    second = {"range": "0-3", "seed": "4", "edited": "painted.png|painted.png", "at": "1|3"}
    path = table({"range": "0-2"}, second, delimiter=";")
    outcome = studio("batch", path, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.last == {"event": "succeeded", "rows": 2, "report": str(path.with_name("shots_report.csv"))}
    done = [event for event in outcome.events if event["event"] == "row" and event["state"] == "succeeded"]
    assert [(event["row"], event["delivered"], event["done"]) for event in done] == [(2, 3, 1), (3, 4, 2)]
    rows = reported(path, ";")
    assert [(row["state"], row["frames"]) for row in rows] == [("succeeded", "3"), ("succeeded", "4")]
    assert [Path(row["folder"]).name for row in rows] == versions(path) == ["plate_v001", "plate_v002"]
    assert all(float(row["seconds"]) >= 0 and row["job"].startswith("jobs/") for row in rows)


def test_a_person_reads_calm_lines(studio, table):
    path = table({"range": "0-2"}, {"seed": str(FAILING)})
    outcome = studio("batch", path)
    assert outcome.code == 1
    folder = path.parent / "out" / "plate_v001"
    notices = [f"Row {row}, plate.mp4: {EIGHT_BIT_NOTICE}" for row in (2, 3)]
    said = [*notices, "2 shots submitted.", f"Row 2, plate.mp4: 3 frames in {folder} (1 of 2)"]
    assert outcome.out.splitlines() == [*said, "Row 3, plate.mp4: not done. The card is full; close other programs. (2 of 2)"]
    assert "1 of 2 shots are not done" in outcome.err and "--again" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_one_failure_stops_no_other_row_and_again_does_only_what_is_left(studio, table):
    path = table({"range": "0-2"}, {"seed": str(FAILING)}, {"range": "0-1", "seed": "5"})
    outcome = studio("batch", path, "--json")
    assert (outcome.code, outcome.last["reason"]) == (1, "BATCH_INCOMPLETE")
    before = reported(path)
    assert [row["state"] for row in before] == ["succeeded", "failed", "succeeded"]
    assert (before[1]["code"], before[1]["reason"]) == ("RESOURCE_EXHAUSTED", "OUT_OF_MEMORY")
    assert before[1]["message"] == "The card is full; close other programs."
    table({"range": "0-2"}, {"seed": "6"}, {"range": "0-1", "seed": "5"})
    again = studio("batch", path, "--again", "--json")
    assert again.code == 0, again.err
    after = reported(path)
    assert [row["job"] == old["job"] for row, old in zip(after, before, strict=True)] == [True, False, True]
    assert [row["state"] for row in after] == ["succeeded"] * 3 and len(versions(path)) == 3
    assert {"event": "kept", "count": 2} in again.events
    assert studio("batch", path, "--again", "--json").code == 0 and len(versions(path)) == 3, "nothing is left to do"


def test_a_frame_that_is_painted_again_is_done_again(studio, table):
    path = table({"range": "0-2"})
    assert studio("batch", path).code == 0
    painted = path.parent / "painted.png"
    painted.write_bytes(painted.read_bytes() + b"more")
    assert studio("batch", path, "--again").code == 0 and versions(path) == ["plate_v001", "plate_v002"]


def test_all_that_is_wrong_is_told_before_anything_is_submitted(studio, table, tmp_path):
    rows = [{}, {"clip": "none.mp4"}, {"edited": ""}, {"edited": "none.png", "at": "x"}, {"range": "2-9"}, {"range": "0-2", "at": "5"}]
    path = table(*rows)
    before = studio("jobs", "list", "--json").last["count"]
    outcome = studio("batch", path, "--json")
    assert outcome.code == 2 and outcome.last["message"] == "5 of 6 rows of shots.csv cannot be used; nothing was submitted."
    told = [(event["row"], event["message"]) for event in outcome.events if event["event"] == "problem"]
    assert [row for row, _ in told] == [3, 4, 5, 6, 7]
    for (_, message), hint in zip(told, ("none.mp4", "'edited' is missing", "'at'", "frames 0 to 5", "Frame 5"), strict=True):
        assert hint in message
    people = studio("batch", path)
    assert people.code == 2 and people.err.splitlines()[0].startswith("Row 3: ") and len(people.err.splitlines()) == 6
    assert studio("jobs", "list", "--json").last["count"] == before and not list(path.parent.glob("*report*"))


def test_a_picture_that_cannot_be_read_and_one_that_is_empty(studio, table):
    path = table({"edited": "none.png"}, {"edited": "empty.png"})
    (path.parent / "empty.png").touch()
    messages = [event["message"] for event in studio("batch", path, "--json").events if event["event"] == "problem"]
    assert "none.png cannot be read" in messages[0] and "empty.png is empty" in messages[1]


def test_a_row_that_the_server_refuses_is_in_the_report(studio, table):
    path = table({"compression": "tar"}, {"range": "0-2"})
    outcome = studio("batch", path, "--json")
    assert outcome.code == 1
    assert [(row["state"], row["reason"]) for row in reported(path)] == [("failed", "SETTING_INVALID"), ("succeeded", "")]


def test_options_of_the_call_hold_where_a_row_says_nothing(studio, table, tmp_path):
    path = table({"seed": "3"}, {"seed": ""})
    planned = studio("batch", path, "--seed", FAILING, "--dry-run", "--json")
    assert planned.code == 0 and planned.last == {"event": "succeeded", "dry_run": True, "rows": 2}
    assert not list(path.parent.glob("*report*")) and not versions(path)
    first = planned.events[0]
    assert (first["event"], first["row"], first["first"], first["last"]) == ("plan", 2, 0, FRAMES - 1)
    assert studio("batch", path, "--seed", FAILING).code == 1
    assert [row["state"] for row in reported(path)] == ["succeeded", "failed"]


def test_detached_jobs_are_taken_up_again(i2vedit, server, table):
    path = table({"range": "0-2"}, {"seed": str(WAITING)})
    left = i2vedit("batch", path, "--detach", "--json")
    assert left.code == 0 and left.last["detached"]
    jobs = [row["job"] for row in reported(path)]
    (path.parent / "out").mkdir(exist_ok=True)
    (path.parent / "out" / "go").touch()
    outcome = i2vedit("batch", path, "--again", "--json")
    assert outcome.code == 0, outcome.err
    assert [row["job"] for row in reported(path)] == jobs and len(versions(path)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
def test_ctrl_c_leaves_the_jobs_running_and_says_how_to_go_on(i2vedit, server, table):
    path = table({"seed": str(WAITING)}, {"range": "0-2"})
    process = i2vedit.start("batch", path, "--json")
    events = events_of(process)
    wait_until(lambda: any(event["event"] == "progress" for event in events))
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    said = process.stderr.read()
    assert re.search(r"2 jobs go on without this window.*i2vedit jobs list.*--again", said) and "Traceback" not in said
    assert [row["state"] for row in reported(path)] == ["running", "queued"]
    (path.parent / "out").mkdir(exist_ok=True)
    (path.parent / "out" / "go").touch()
    assert i2vedit("batch", path, "--again").code == 0
    assert [row["state"] for row in reported(path)] == ["succeeded", "succeeded"] and len(versions(path)) == 2


def test_jobs_that_are_cancelled_or_deleted_are_not_done(i2vedit, server, table):
    path = table({"seed": str(WAITING)}, {"seed": str(WAITING), "range": "0-2"})
    process = i2vedit.start("batch", path, "--json")
    events = events_of(process)
    wait_until(lambda: any(event["event"] == "progress" for event in events))
    running, waiting = [row["job"] for row in reported(path)]
    i2vedit("jobs", "cancel", waiting)
    i2vedit("jobs", "delete", waiting)
    i2vedit("jobs", "cancel", running)
    assert process.wait(30) == 1
    first, second = reported(path)
    assert first["state"] == "cancelled" and second["state"] in ("cancelled", "failed")


def test_painted_clips_of_a_timeline_are_delivered(studio, clip, edited, model, tmp_path):
    (tmp_path / "plate.mov").write_bytes(clip.read_bytes())
    folder = tmp_path / "painted"
    folder.mkdir()
    (folder / "B.png").write_bytes(edited.read_bytes())
    clips = [("A", {"edited": str(edited), "seed": 3}), ("B", None), ("C", None)]
    path = a_timeline(tmp_path / "shots.otio", *clips)
    outcome = studio("batch", path, "--edited-dir", folder, "--out", tmp_path / "out", "--model", model, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.events[0] == {"event": "skipped", "count": 1}
    rows = reported(path)
    assert [(row["clip"], row["state"], row["frames"]) for row in rows] == [("A", "succeeded", "4"), ("B", "succeeded", "4")]
    assert sorted(file.name for file in Path(rows[1]["folder"]).iterdir())[0].endswith(".0001.exr")


def test_what_holds_nothing_to_do(studio, table, tmp_path):
    path = table({})
    path.write_text(path.read_text().splitlines()[0])
    assert "Add a row" in studio("batch", path, "--json").last["message"]
    timeline = a_timeline(tmp_path / "cut.otio", ("A", None))
    assert "--edited-dir" in studio("batch", timeline, "--out", tmp_path, "--json").last["message"]
    assert "cannot be read" in studio("batch", tmp_path / "none.csv", "--json").last["message"]


class SlowlyRead(Client):
    """A server that tells of a running job, and then, since its queue has overflowed, of everything that is unfinished: nothing."""

    def __init__(self):
        self.running = True

    def close(self):
        pass

    def watch_jobs(self, kinds=(), resume_after=""):
        end = service_pb2.WatchJobsResponse(snapshot_end=service_pb2.SnapshotEnd())
        yield service_pb2.WatchJobsResponse(name="jobs/1", job=self.get_job("jobs/1"))
        yield end
        self.running = False
        yield end

    def get_job(self, name):
        state = job_pb2.Job.STATE_RUNNING if self.running else job_pb2.Job.STATE_SUCCEEDED
        return job_pb2.Job(name=name, state=state, delivered_count=3, delivered_directory="/o/a_v001")


def test_an_end_that_a_slow_reader_has_missed_is_asked_for(tmp_path, edited):
    spec = job_pb2.JobSpec(edits=[job_pb2.EditedFrame(path=str(edited))])
    jobs = [ShotJob(2, "a.mov", spec)]
    report = BatchReport(tmp_path / "shots.csv", ",", jobs)
    report.outcomes[2].take(job_pb2.Job(name="jobs/1", state=job_pb2.Job.STATE_QUEUED))
    BatchRun(SlowlyRead, jobs, report, lambda event: None, remote=False).follow()
    assert [row["state"] for row in reported(tmp_path / "shots.csv")] == ["succeeded"]
