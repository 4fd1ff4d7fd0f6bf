"""Watching everything, and coming back to where one was."""

import itertools
from collections.abc import Iterator

import grpc
import pytest
from tests.server.conftest import FRAMES, StartServer
from tests.server.harness import ServerProcess, refusal, wait_for

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb

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


def test_a_watcher_of_all_sees_what_is_unfinished_and_then_what_happens(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    done = server.create(spec).job.name
    server.ended(done)
    spec.settings.seed = 60
    running, waiting = server.create(spec).job.name, server.create(spec).job.name
    answers = server.watch_all()
    assert [answer.name for answer in snapshot(answers)] == [running, waiting]
    events = until_ended(answers, waiting)
    for name in (running, waiting):
        frames = [event.frame.frame for event in events if event.name == name and event.HasField("frame")]
        assert frames == list(range(FRAMES))
    markers = [event.resume_marker for event in events]
    assert markers == sorted(markers) and len(set(markers)) == len(markers)
    server.call("DeleteJob", pb.DeleteJobRequest(name=done))
    deleted = next(answers)
    assert deleted.name == done and deleted.HasField("deleted")
    answers.cancel()  # type: ignore[attr-defined]


def test_kinds_can_be_left_out(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("shot")
    spec.settings.seed = 200
    shot = server.prepare(spec)
    name = server.create(spec).job.name
    assert [answer.name for answer in snapshot(server.watch_all(State.KIND_PREPARATION))] == [shot.job]
    events = until_ended(server.watch_all(State.KIND_PROPAGATION), name)
    assert {event.name for event in events} <= {name, ""}
    listed = server.call("ListJobs", pb.ListJobsRequest(kinds=[State.KIND_PREPARATION]))
    assert [job.name for job in listed.jobs] == [shot.job]


def test_whoever_comes_back_hears_what_was_missed_and_nothing_twice(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 100
    name = server.create(spec).job.name
    answers = server.watch(name)
    seen = [next(answers)]
    while not seen[-1].HasField("frame"):
        seen.append(next(answers))
    answers.cancel()  # type: ignore[attr-defined]
    wait_for(lambda: server.job(name).delivered_count >= 3)
    rest = list(server.watch(name, after=seen[-1].resume_marker))
    frames = [event.frame.frame for event in (*seen, *rest) if event.HasField("frame")]
    assert frames == list(range(FRAMES))
    assert not rest[0].HasField("job"), "no snapshot where the server still knows what came after"


def test_a_marker_of_an_earlier_server_gives_a_fresh_snapshot(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("deliver")
    spec.settings.seed = 200
    name = server.create(spec).job.name
    answers = server.watch_all()
    marker = next(answers).resume_marker
    server.kill()
    again = start_server("deliver")
    assert [answer.name for answer in snapshot(again.watch_all(after=marker))] == [name]
    assert next(again.watch(name, after=marker)).HasField("job")


@pytest.mark.parametrize("marker", ["nonsense", "1-x", "é-1", "-"])
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
