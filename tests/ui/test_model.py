"""The model behind the window: plain Python, fed with changes."""

from dataclasses import replace
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_client.errors import BadInput
from i2vedit_client.painted import Painted
from i2vedit_client.spec import Reading
from i2vedit_monitor.job.details import facts_html
from i2vedit_monitor.model.book import MOST_NOTES, MOST_WATCHED, JobBook, News
from i2vedit_monitor.model.changes import AllTold, FrameLanded, JobForgotten, JobTold, PreviewSeen, Progressed
from i2vedit_monitor.model.draft import ClipFacts, Draft
from i2vedit_monitor.model.facts import JobFacts, Progress, State, Trouble
from i2vedit_monitor.model.loss_curve import MOST_POINTS, LossCurve
from i2vedit_monitor.model.notices import Way, notice_of
from i2vedit_monitor.model.read import read_event, read_job
from i2vedit_monitor.model.timing import overall_part, stage_parts
from i2vedit_monitor.words import in_window, job_line


def job(name: str = "jobs/a", state: State = State.RUNNING, **more) -> JobFacts:
    return JobFacts(name, state, False, f"/shots/{name[-1]}.mov", 0, 24, **more)


@pytest.fixture
def book() -> JobBook:
    return JobBook()


def test_a_batch_is_told_once_and_names_what_changed(book):
    heard: list[News] = []
    book.news.subscribe(heard.append)
    book.take([JobTold(job()), Progressed("jobs/a", Progress("train", 0, 2, 3, 10, 0.5)), FrameLanded("jobs/a", 7, "/out/7.exr")])
    assert len(heard) == 1
    assert heard[0].changed == {"jobs/a"} and [frame.frame for frame in heard[0].landed] == [7]
    assert book.get("jobs/a").progress.step == 3
    assert list(book.watched("jobs/a").loss.losses) == [0.5]


def test_who_ends_the_subscription_hears_no_more(book):
    heard: list[News] = []
    stop = book.news.subscribe(heard.append)
    book.take([JobTold(job())])
    stop()
    book.take([JobTold(job(state=State.FAILED))])
    assert len(heard) == 1


def test_jobs_that_the_server_no_longer_has_are_forgotten(book):
    book.take([JobTold(job("jobs/a")), JobTold(job("jobs/b")), JobTold(job("jobs/c"))])
    heard: list[News] = []
    book.news.subscribe(heard.append)
    book.take([JobForgotten("jobs/c"), AllTold(frozenset({"jobs/b"}))])
    assert heard[0].forgotten == {"jobs/a", "jobs/c"}
    assert [one.name for one in book.jobs()] == ["jobs/b"]


def test_progress_of_an_unknown_job_is_no_job(book):
    book.take([Progressed("jobs/x", Progress("train", 0, 1, 0, 1))])
    assert len(book) == 0


def test_versions_are_finished_jobs_of_the_same_shot_newest_first(book):
    old = job("jobs/a", State.SUCCEEDED, directory="/out/v1", ended=1.0)
    new = replace(old, name="jobs/b", directory="/out/v2", ended=2.0)
    other = replace(old, name="jobs/c", first=5)
    book.take([JobTold(one) for one in (old, new, other, replace(old, name="jobs/d", state=State.FAILED))])
    assert [one.name for one in book.versions(old)] == ["jobs/b", "jobs/a"]


def test_the_list_has_what_runs_then_what_waits_in_turn_then_what_ended_newest_first():
    jobs = [
        job("jobs/old", State.SUCCEEDED, ended=1.0),
        job("jobs/low", State.QUEUED, priority=1, position=1),
        job("jobs/second", State.QUEUED, priority=2, position=9),
        job("jobs/paused", State.PAUSED, priority=2, position=8),
        job("jobs/new", State.FAILED, ended=2.0),
        job("jobs/run", State.RUNNING, started=5.0),
    ]
    assert [one.name[5:] for one in sorted(jobs, key=lambda one: one.turn)] == ["run", "paused", "second", "low", "new", "old"]


def test_a_curve_of_any_length_takes_little_room_and_keeps_its_shape():
    curve = LossCurve()
    for step in range(50_000):
        curve.add(step // 10_000, step % 10_000, 10_000, 1.0 / (step + 1))
    assert len(curve) <= MOST_POINTS
    assert list(curve.steps) == sorted(curve.steps)
    assert curve.steps[-1] > 49_000 and curve.losses[0] > curve.losses[-1]
    assert curve.kept == [10_000, 20_000, 30_000, 40_000]


def test_steps_that_are_made_again_replace_the_old_ones():
    curve = LossCurve()
    for step in range(10):
        curve.add(0, step, 20, 1.0)
    curve.add(0, 5, 20, 2.0)
    assert list(curve.steps) == [0, 1, 2, 3, 4, 5] and curve.losses[-1] == 2.0


def test_a_long_day_leaves_no_more_than_its_bounds(book):
    for number in range(300):
        name = f"jobs/{number}"
        book.take([JobTold(job(name)), *(Progressed(name, Progress("train", step % 3, 3, step, 40, 0.1)) for step in range(40))])
        book.take([JobTold(job(name, State.SUCCEEDED))])
    assert len(book.notes) <= MOST_NOTES
    assert sum(book.watched(f"jobs/{number}") is not None for number in range(300)) <= MOST_WATCHED


def test_stages_that_were_not_seen_are_done_as_far_as_the_later_ones():
    running = job(progress=Progress("train", 1, 4, 4, 10))
    parts = stage_parts(running, {})
    assert parts == {"decode": 1.0, "invert": 0.5, "train": 0.375, "edit": 0.0, "deliver": 0.0}
    assert set(stage_parts(job(state=State.SUCCEEDED), {}).values()) == {1.0}


def test_the_whole_is_measured_by_time_where_the_server_says_how_much_is_left():
    timed = job(started=100.0, progress=Progress("train", 0, 2, 0, 10, seconds_left=30.0))
    assert overall_part(timed, now=110.0) == pytest.approx(0.25)
    untimed = [overall_part(job(progress=Progress(stage, 0, 1, 5, 10))) for stage in ("decode", "invert", "train", "edit")]
    assert untimed == sorted(untimed) and untimed[0] > 0


@pytest.mark.parametrize(("reason", "way"), [("DISK_FULL", Way.OPEN_OUT), ("OUT_OF_MEMORY", Way.FREE_MEMORY), ("WORKER_LOST", Way.RETRY)])
def test_a_failure_leads_somewhere(reason, way):
    notice = notice_of(job(state=State.FAILED, trouble=Trouble("INTERNAL", reason, "It did not go.")))
    assert notice is not None and notice.sentence == "It did not go." and notice.ways[0] is way


def test_a_lost_worker_is_told_while_the_job_lives_and_not_after():
    notice = notice_of(job(last_interruption="It was killed."))
    assert notice is not None and not notice.is_bad
    assert notice_of(job(state=State.SUCCEEDED, last_interruption="It was killed.")) is None


def test_a_message_becomes_facts():
    message = job_pb2.Job(name="jobs/1", state=job_pb2.Job.STATE_FAILED, frame_count=9, delivered_count=4)
    message.stop_request = job_pb2.Job.STOP_REQUEST_PAUSE
    message.spec.clip.path, message.spec.clip.source_in, message.spec.clip.video_stream = "/a/b.mov", 3, 2
    message.spec.settings.preset = job_pb2.PRESET_PREVIEW
    message.spec.edits.add(path="/a/painted.png")
    message.failure.reason, message.failure.message = "DISK_FULL", "Full."
    message.progress.remaining.seconds = 7
    facts = read_job(message)
    assert (facts.state, facts.preset, facts.first, facts.keys, facts.stop_request) == (State.FAILED, "preview", 3, (3,), "pause")
    assert facts.video_stream == 2
    assert facts.trouble is not None and facts.trouble.reason == "DISK_FULL"
    assert facts.progress is not None and facts.progress.seconds_left == 7.0
    newer: Any = job_pb2.Job(name="jobs/1")
    newer.state = 99
    assert read_job(newer).state is State.UNSPECIFIED


@pytest.mark.parametrize(("delivered", "words"), [(1, "1 frame in 4 s"), (24, "24 frames in 4 s")])
def test_one_frame_is_said_as_one(delivered, words):
    assert job_line(job(state=State.SUCCEEDED, delivered=delivered, started=10.0, ended=14.0)) == words


def test_pictures_without_a_range_have_their_own_numbers():
    message = job_pb2.Job(name="jobs/1", frame_count=6, first_frame=1001)
    message.spec.clip.path = "/a/shot.%04d.exr"
    message.spec.edits.add(path="/a/painted.png", frame=0)
    message.spec.edits.add(path="/a/painted_too.png", frame=1004)
    facts = read_job(message)
    assert (facts.first, facts.keys) == (1001, (1001, 1004))
    assert "1001–1006" in facts_html(facts)


def test_how_it_came_out_is_said_in_sentences():
    message = job_pb2.Job(name="jobs/1", state=job_pb2.Job.STATE_SUCCEEDED)
    assert read_job(message).advice == ()
    message.quality.suggested_keyframes.add(frame=88, why="…")
    assert read_job(message).advice == ("The edit is least sure around frame 88; paint that frame too for a better result.",)


def test_events_become_changes():
    told = pb.WatchJobsResponse(name="jobs/1", frame=job_pb2.DeliveredFrame(frame=4, path="/x.exr"))
    assert read_event("jobs/1", told) == FrameLanded("jobs/1", 4, "/x.exr")
    assert read_event("jobs/1", pb.WatchJobsResponse(deleted=pb.JobDeleted())) == JobForgotten("jobs/1")
    assert read_event("", pb.WatchJobsResponse(snapshot_end=pb.SnapshotEnd())) is None


def test_pictures_of_a_newer_server_are_understood():
    """A message as servers send it that show frames while they denoise, made here since this proto may not have it yet."""
    kind = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="newer.proto", package="newer", syntax="proto3")
    frame = file.message_type.add(name="PreviewFrame")
    for number, (name, type_) in enumerate(
        [("frame", kind.TYPE_INT64), ("chunk", kind.TYPE_INT32), ("step", kind.TYPE_INT32), ("image", kind.TYPE_BYTES)], start=1
    ):
        frame.field.add(name=name, number=number, type=type_, label=kind.LABEL_OPTIONAL)
    response = file.message_type.add(name="WatchJobResponse")
    response.oneof_decl.add(name="event")
    response.field.add(name="preview", number=9, type=kind.TYPE_MESSAGE, type_name=".newer.PreviewFrame", label=1, oneof_index=0)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    make = message_factory.GetMessageClass(pool.FindMessageTypeByName("newer.WatchJobResponse"))
    message: Any = make()
    message.preview.frame, message.preview.step, message.preview.image = 12, 3, b"png"
    assert read_event("jobs/1", message) == PreviewSeen("jobs/1", 12, 0, 3, b"png")


def test_a_draft_says_what_it_still_needs_and_keeps_its_range_in_the_clip():
    draft = Draft()
    assert draft.missing == "clip"
    draft = draft.with_clip(ClipFacts("/a/b.mov", 96, 64, 10, 24.0, "x"))
    assert (draft.missing, draft.out, draft.last) == ("painted", "/a/i2vedit", 9)
    draft = replace(draft, painted="/a/p.png").with_range(0, 99)
    assert (draft.last, draft.painted, draft.missing) == (9, "/a/p.png", "")
    assert draft.with_range(2, 5).painted == "", "it was painted on another frame"
    assert draft.options().frames == (0, 9)
    other = replace(draft.with_key(6), painted="/a/q.png")
    assert (draft.with_key(6).painted, other.key, other.with_key(6)) == ("", 6, other)
    assert other.options().edits == (Painted("/a/q.png", 6),) and other.shot_options().keys == (6,)
    assert (other.with_range(4, 8).painted, other.with_range(4, 8).key) == ("/a/q.png", 6)
    assert (other.with_range(7, 8).painted, other.with_range(7, 8).key) == ("", 7), "it lies outside now"
    assert other.with_key(99).key == 9


def test_a_draft_of_pictures_counts_by_their_numbers():
    draft = Draft().with_clip(ClipFacts("/a/b.%04d.exr", 96, 64, 10, 24.0, "x", "exr", 1001))
    assert (draft.first, draft.last, draft.key) == (1001, 1010, 1001)
    assert (draft.with_range(0, 5).first, draft.with_range(0, 5).last) == (1001, 1001)
    chosen = replace(draft.with_range(1003, 2000).with_key(1004), painted="/a/p.png")
    assert chosen.options().frames == (1003, 1010) and chosen.options().edits == (Painted("/a/p.png", 1004),)
    assert (chosen.shot_options().first, chosen.shot_options().keys) == (1003, (1004,))


def test_a_draft_prepares_what_it_sends():
    draft = Draft().with_clip(ClipFacts("/a/b.mov", 96, 64, 10, 24.0, "x"))
    chosen = replace(draft, painted="/a/p.png", cuts="ignore", deinterlace=True, size="704x384")
    for options in (chosen.options(), chosen.shot_options()):
        assert (options.cuts, options.reading, options.size) == ("ignore", Reading(deinterlace=True), (704, 384))
    with pytest.raises(BadInput, match="like 704x384"):
        replace(chosen, size="big").options()


@pytest.mark.parametrize(
    "sentence",
    [
        "The range holds a cut at frame 9; give --range 0-8, or paint a frame after the cut, too. If it is no cut, give --cuts ignore.",
        "'a.mov' is interlaced (tff): each frame holds two moments. Give --deinterlace to make whole frames of them.",
        "'a' lacks frame 4; render what is missing, or give a --range without it.",
        "The model's picture must have at least 64x64 pixels; give a larger --size.",
        "The model 'svd' is not on this machine. Put its diffusers folder at '/m', or give the folder's path with --model.",
    ],
)
def test_the_window_advises_what_it_has(sentence):
    assert "--" not in in_window(sentence)
