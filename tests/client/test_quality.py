"""What is told of a delivery's quality: to programs, to people, to hosts."""

import json
from fractions import Fraction

from click.testing import CliRunner

from i2vedit.v1 import job_pb2
from i2vedit_client import words
from i2vedit_client.commands import jobs
from i2vedit_client.events import job_event
from i2vedit_client.host.timing import Grid, Span
from i2vedit_client.quality import MOST_LINES, advice, markers, quality_fields


def _quality(suggested=(88,), seams=(), cuts=()):
    quality = job_pb2.Quality(drift_delta_e=0.25, worst_join_frame=40, worst_seam_ratio=1.75)
    for frame in suggested:
        quality.suggested_keyframes.add(frame=frame, why="Only 20 % of the edit can be followed back to a painted frame here.")
    for frame in cuts:
        quality.notes.add(frame=frame, severity="note", text=f"A shot begins at frame {frame}.")
    for frame in seams:
        quality.notes.add(frame=frame, severity="warning", text=f"The edit changes 1.8 times as much at frame {frame} as beside it.")
    quality.notes.add(severity="note", text="The model's colours drift.")
    return quality


def _job(quality=None):
    job = job_pb2.Job(name="jobs/1", state=job_pb2.Job.STATE_SUCCEEDED, delivered_directory="/out/a_v001", delivered_count=9, frame_count=9)
    if quality is not None:
        job.quality.CopyFrom(quality)
    return job


def test_programs_get_all_of_it():
    event = job_event(_job(_quality(cuts=(57,))))
    assert event["quality"]["suggested_keyframes"] == [{"frame": 88, "why": _quality().suggested_keyframes[0].why}]
    assert event["quality"]["worst_join"] == {"frame": 40, "seam_ratio": 1.75} and event["quality"]["drift_delta_e"] == 0.25
    assert [note["frame"] for note in event["quality"]["notes"]] == [57, None]
    assert "quality" not in job_event(_job())


def test_people_get_a_few_calm_lines():
    said = words.sentence(job_event(_job(_quality()))).splitlines()
    assert said == [
        "Done: 9 frames in /out/a_v001",
        "The edit is least sure around frame 88; paint that frame too for a better result.",
    ]
    assert words.sentence(job_event(_job())) == "Done: 9 frames in /out/a_v001"
    assert words.sentence(job_event(_job(_quality(suggested=())))) == "Done: 9 frames in /out/a_v001"


def test_a_seam_is_said_before_a_cut_and_never_too_much():
    lines = advice(quality_fields(_quality(suggested=(20, 40, 88), seams=(30, 60), cuts=(57,))))
    assert lines[0].startswith("The edit is least sure around frames 20, 40 and 88; paint one of them")
    assert len(lines) == MOST_LINES and "1.8 times" in lines[1] and "1.8 times" in lines[2]


def _span(record_start, record_count, timeline_rate, media_rate):
    return Span(Fraction(timeline_rate), Fraction(media_rate), record_start, record_count)


def test_hosts_get_markers_where_their_clip_shows_the_frames():
    lies = Grid("media", tuple(range(80, 120)), 4, 30, Fraction(24))
    found = markers(_quality(suggested=(88, 82, 118), seams=(88, 100)), _span(90000, 30, 24, 24), lies)
    assert [(each["frame"], each["offset"], each["record_frame"], each["kind"]) for each in found] == [
        (88, 4, 90004, "suggestion"),
        (100, 16, 90016, "warning"),
    ]
    assert "Paint this frame too." in found[0]["text"] and "1.8 times" in found[0]["text"]


def test_markers_lie_at_the_timelines_rate():
    lies = Grid("media", tuple(range(50)), 0, 50, Fraction(25))
    (found,) = markers(_quality(suggested=(20,)), _span(1000, 100, 50, 25), lies)
    assert (found["offset"], found["record_frame"]) == (20, 1040)


class _Server:
    """Stands for a connection to a server that knows one job."""

    def __init__(self, job):
        self._job = job

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def get_job(self, name):
        return self._job


def _said(monkeypatch, job, *words):
    monkeypatch.setattr(jobs, "connect", lambda: _Server(job))
    monkeypatch.setattr(jobs, "fetch", lambda connect, found, folder: found)
    outcome = CliRunner().invoke(jobs.command, words, catch_exceptions=False)
    assert outcome.exit_code == 0
    return outcome.stdout


def test_a_person_is_shown_a_jobs_quality_in_words(monkeypatch):
    said = _said(monkeypatch, _job(_quality(seams=(40,))), "show", "1")
    assert "quality      The edit is least sure around frame 88; paint that frame too for a better result.\n" in said
    assert "             The edit changes 1.8 times as much at frame 40 as beside it.\n" in said and "{" not in said
    assert "No other frame asks to be painted" in _said(monkeypatch, _job(_quality(suggested=())), "show", "1")
    assert "quality" not in _said(monkeypatch, _job(), "show", "1")


def test_what_there_is_nothing_to_say_of_has_no_row(monkeypatch):
    job = _job()
    said = _said(monkeypatch, job, "show", "1")
    assert "last interruption" not in said and all(line.split(maxsplit=1)[1:] for line in said.splitlines())
    job.last_interruption = "Its process ended."
    assert "last interruption Its process ended.\n" in _said(monkeypatch, job, "show", "1")
    assert json.loads(_said(monkeypatch, _job(), "show", "1", "--json"))["last_interruption"] == "", "programs find every field"


def test_fetching_the_frames_of_a_job_that_failed_is_a_success(monkeypatch):
    job = _job()
    job.state, job.failure.reason = job_pb2.Job.STATE_FAILED, "DISK_FULL"
    told = json.loads(_said(monkeypatch, job, "fetch", "1", "--out", "later", "--json"))
    assert (told["event"], told["state"], told["directory"]) == ("succeeded", "failed", "/out/a_v001")
