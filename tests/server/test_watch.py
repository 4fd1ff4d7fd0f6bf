"""Watching everything, and coming back to where one was."""

import asyncio
import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from tests.server.conftest import FRAMES, StartServer
from tests.server.harness import ServerProcess, refusal, wait_for

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_server.hub import MOST_WATCHERS, Hub
from i2vedit_server.record import JobKind

State = job_pb2.Job


def snapshot(answers: Iterator[pb.WatchJobsResponse]) -> list[pb.WatchJobsResponse]:
    """Up to its end, which is left out."""
    return list(itertools.takewhile(lambda answer: answer.WhichOneof("event") != "snapshot_end", answers))


def until_ended(answers: Iterator[pb.WatchJobsResponse], name: str) -> list[pb.WatchJobsResponse]:
    seen = []
    for answer in answers:
        seen.append(answer)
        if answer.name == name and answer.job.state == State.STATE_SUCCEEDED:
            return seen
    raise AssertionError("the stream ended")


def held(server: ServerProcess, name: str) -> str:
    """A job that does nothing until it is resumed, however busy the machine is."""
    server.call("PauseJob", pb.PauseJobRequest(name=name))
    wait_for(lambda: server.job(name).state == State.STATE_PAUSED)
    return name


def resume(server: ServerProcess, name: str) -> None:
    server.call("ResumeJob", pb.ResumeJobRequest(name=name))


def test_a_watcher_of_all_sees_what_is_unfinished_and_then_what_happens(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    done = server.create(spec).job.name
    server.ended(done)
    spec.settings.seed = 60
    names = [held(server, server.create(spec).job.name) for _ in range(2)]
    answers = server.watch_all()
    assert [answer.name for answer in snapshot(answers)] == names
    for name in names:
        resume(server, name)
    events = until_ended(answers, names[-1])
    for name in names:
        frames = [event.frame.frame for event in events if event.name == name and event.HasField("frame")]
        assert sorted(set(frames)) == list(range(FRAMES))
    markers = [event.resume_marker for event in events]
    assert markers == sorted(markers) and len(set(markers)) == len(markers)
    server.call("DeleteJob", pb.DeleteJobRequest(name=done))
    deleted = next(answers)
    assert deleted.name == done and deleted.HasField("deleted")
    answers.cancel()  # type: ignore[attr-defined]


def test_whoever_gets_another_place_is_told_of(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    first, second, third = (held(server, server.create(spec).job.name) for _ in range(3))
    answers = server.watch_all()
    places = {answer.name: answer.job.position for answer in snapshot(answers)}
    server.call("MoveJob", pb.MoveJobRequest(name=third, before_job=second))
    told = [next(answers) for _ in range(3)]
    places |= {answer.name: answer.job.position for answer in told}
    assert places == {name: server.job(name).position for name in (first, second, third)}
    assert sorted(places, key=places.__getitem__) == [first, third, second]
    answers.cancel()  # type: ignore[attr-defined]


def test_kinds_can_be_left_out(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("shot")
    spec.settings.seed = 200
    preparation = held(server, server.prepare(spec).job)
    name = held(server, server.create(spec).job.name)
    assert [answer.name for answer in snapshot(server.watch_all(State.KIND_PREPARATION))] == [preparation]
    answers = server.watch_all(State.KIND_PROPAGATION)
    assert [answer.name for answer in snapshot(answers)] == [name]
    resume(server, preparation)
    resume(server, name)
    assert {event.name for event in until_ended(answers, name)} == {name}
    listed = server.call("ListJobs", pb.ListJobsRequest(kinds=[State.KIND_PREPARATION]))
    assert [job.name for job in listed.jobs] == [preparation]


def test_whoever_comes_back_hears_what_was_missed_and_nothing_twice(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 200
    name = server.create(spec).job.name
    answers = server.watch(name)
    seen = [next(answers)]
    while not seen[-1].HasField("frame"):
        seen.append(next(answers))
    answers.cancel()  # type: ignore[attr-defined]
    held(server, name)
    missed = []
    for event in server.watch(name, after=seen[-1].resume_marker):
        missed.append(event)
        if event.job.state == State.STATE_PAUSED:
            break
    frames = [event.frame.frame for event in (*seen, *missed) if event.HasField("frame")]
    assert frames == list(range(server.job(name).delivered_count))
    markers = [event.resume_marker for event in (*seen[1:], *missed)]
    assert markers == sorted(markers) and len(set(markers)) == len(markers)


def test_a_marker_of_an_earlier_server_gives_a_fresh_snapshot(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("deliver")
    name = held(server, server.create(spec).job.name)
    marker = next(server.watch_all()).resume_marker
    server.kill()
    again = start_server("deliver")
    assert [answer.name for answer in snapshot(again.watch_all(after=marker))] == [name]
    assert next(again.watch(name, after=marker)).HasField("job")


@pytest.mark.parametrize("marker", ["nonsense", "1-x", "é-1", "-", "1-" + "9" * 5000])
def test_a_marker_has_a_form(shared_server: ServerProcess, marker: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        next(shared_server.watch_all(after=marker))
    assert refusal(caught.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "RESUME_MARKER_INVALID")


def test_a_stalled_watcher_of_all_comes_to_a_snapshot(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("chatter")
    answers = server.watch_all(timeout=120)
    snapshot(answers)
    name = server.create(spec).job.name
    server.ended(name, seconds=120)
    other = server.create(spec).job.name
    assert until_ended(answers, other)


def _pictures(answers: Iterator[pb.WatchJobResponse] | Iterator[pb.WatchJobsResponse], count: int) -> list[job_pb2.PreviewFrame]:
    return [answer.preview for answer in itertools.islice((each for each in answers if each.HasField("preview")), count)]


def test_previews_are_made_for_whoever_asks_and_for_nobody_else(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("show")
    name = server.create(spec).job.name
    unasked, of_all = server.watch(name), server.watch_all(previews=True)
    pictures = _pictures(server.watch(name, previews=True), 3)
    assert [(each.frame, each.chunk, each.media_type) for each in pictures] == [(0, 0, "image/jpeg")] * 3
    assert [each.image for each in pictures] == [f"picture {each.step}".encode() for each in pictures]
    assert [each.step for each in pictures] == sorted({each.step for each in pictures})
    assert _pictures(of_all, 1)
    of_all.cancel()  # type: ignore[attr-defined]
    # The runner ends as soon as nobody looks any more.
    assert not any(answer.HasField("preview") for answer in unasked)
    assert server.job(name).state == State.STATE_SUCCEEDED


def test_a_watcher_that_stalls_is_told_the_latest_preview_of_a_frame() -> None:
    record: Any = SimpleNamespace(job_id="a", kind=JobKind.PROPAGATION)
    hub = Hub(1)
    watcher = hub.join(lambda told: True)
    for step in range(10_000):
        hub.tell_preview(record, job_pb2.PreviewFrame(frame=step % 3, step=step))
    taken = asyncio.run(watcher.take()) or []
    assert [told.content.step for told in taken if isinstance(told.content, job_pb2.PreviewFrame)] == [9997, 9998, 9999]
    assert hub.since(f"{1:08d}-{0:012d}", lambda told: True) == [], "nobody who comes back is told of old previews"


def test_a_flood_of_watchers_is_refused_and_leaves_room_when_it_goes() -> None:
    hub = Hub(1)
    watchers = [hub.join(lambda told: True) for _ in range(MOST_WATCHERS)]
    with pytest.raises(BridgeError) as caught:
        hub.join(lambda told: True)
    assert caught.value.reason is Reason.TOO_MANY_WATCHERS
    hub.leave(watchers[0])
    hub.join(lambda told: True)
