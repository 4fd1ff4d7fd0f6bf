"""How a delivery came out, from the worker's report to the job that callers see."""

from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_core.quality import JoinQuality, Note, Report, Suggestion
from i2vedit_core.settings import Cuts
from i2vedit_server import convert
from i2vedit_server.record import JobKind, NewJob
from i2vedit_server.rows import Details
from i2vedit_server.states import Step
from i2vedit_server.store import JobStore

REPORT = Report(
    frames=(),
    joins=(JoinQuality(0, True, None, None), JoinQuality(14, False, 1.25, 0.5), JoinQuality(27, False, 1.75, 0.25)),
    drift_delta_e=0.5,
    suggested_keyframes=(Suggestion(88, "It is unsure here."),),
    notes=(Note(57, "note", "A shot begins here."), Note(None, "note", "Colours drift.")),
)


def test_what_the_report_says_in_short_stays_with_the_job(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite3")
    new, _ = store.create(NewJob("mine", job_pb2.JobSpec().SerializeToString(), "fingerprint", frame_count=3, attach=False))
    assert not convert.job_message(new).HasField("quality")
    store.claim_next(list(JobKind), "here:1", 30)
    quality = convert.quality_message(REPORT)
    store.transition(new.job_id, Step.SUCCEED, Details(attempt=1, delivered=Path("/out"), quality=quality.SerializeToString()))
    found = convert.job_message(store.get(new.job_id)).quality
    store.close()
    assert found == quality
    assert (found.worst_join_frame, found.worst_seam_ratio, found.drift_delta_e) == (27, 1.75, 0.5)
    assert [(each.frame, each.why) for each in found.suggested_keyframes] == [(88, "It is unsure here.")]
    assert [note.HasField("frame") for note in found.notes] == [True, False]


def test_what_is_not_known_is_not_said() -> None:
    found = convert.quality_message(Report((), (JoinQuality(0, True, None, None),), None, (), ()))
    assert not found.ListFields()


def test_cuts_are_looked_for_unless_the_caller_says_otherwise() -> None:
    message = job_pb2.PropagationSettings(model="mini", preset=job_pb2.PRESET_FULL, edit_kind=job_pb2.EDIT_KIND_LOCAL, stride=1)
    assert convert._settings(message).cuts is Cuts.FIND
    message.ignore_cuts = True
    assert convert._settings(message).cuts is Cuts.IGNORE
