"""Kills, stops and restarts, with real processes: an accepted job is finished or fails with a reason."""

import time
from pathlib import Path

import grpc
import psutil
import pytest
from tests.server.conftest import FRAMES, StartServer
from tests.server.harness import ServerProcess, refusal, wait_for

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb

State = job_pb2.Job


def begun(server: ServerProcess, name: str, step: int = 2) -> None:
    """Waits until the job is in the middle of its steps."""
    wait_for(lambda: server.job(name).progress.step >= step)


def attempts(spec: job_pb2.JobSpec) -> list[int]:
    """How many steps each attempt found done."""
    return [int(line) for line in (Path(spec.delivery.directory) / "attempts.txt").read_text().split()]


def test_a_killed_worker_costs_an_attempt_and_not_the_job(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("note_attempts")
    spec.settings.seed = 150
    name = server.create(spec).job.name
    answers = server.watch(name)
    begun(server, name)
    server.worker().kill()
    job = server.ended(name)
    assert (job.state, job.attempt, job.delivered_count) == (State.STATE_SUCCEEDED, 2, FRAMES)
    first, second = attempts(spec)
    assert first == 0 and second >= 2, "the second attempt goes on from where the first one was"
    states = [event.job.state for event in answers if event.WhichOneof("event") == "job"]
    assert states[-3:] == [State.STATE_QUEUED, State.STATE_RUNNING, State.STATE_SUCCEEDED]


def test_a_worker_killed_between_frames_delivers_each_frame_once(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 150
    name = server.create(spec).job.name
    wait_for(lambda: server.job(name).delivered_count >= 3)
    server.worker().kill()
    job = server.ended(name)
    assert (job.state, job.delivered_count) == (State.STATE_SUCCEEDED, FRAMES)


def test_a_job_that_kills_its_worker_every_time_fails_with_a_reason(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("die")
    job = server.ended(server.create(spec).job.name)
    assert (job.state, job.failure.reason, job.attempt) == (State.STATE_FAILED, "WORKER_LOST", 3)
    assert "worker.log" in job.failure.message
    server.call("GetServerInfo", pb.GetServerInfoRequest())


def test_a_killed_server_goes_on_when_it_runs_again(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("note_attempts")
    spec.settings.seed = 150
    name = server.create(spec, "mine").job.name
    waiting = server.create(spec, "next").job.name
    begun(server, name)
    markers = [next(server.watch(name)).resume_marker]
    worker = server.worker()
    server.kill()
    wait_for(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, 5)
    again = start_server("note_attempts")
    markers.append(next(again.watch(name)).resume_marker)
    assert again.create(spec, "mine").job.name == name
    job = again.ended(name)
    assert (job.state, job.attempt, job.delivered_count) == (State.STATE_SUCCEEDED, 2, FRAMES)
    assert again.ended(waiting).state == State.STATE_SUCCEEDED
    assert attempts(spec)[1] >= 2
    assert markers == sorted(markers), "markers grow over restarts too"


def test_a_wish_to_cancel_outlives_the_server(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("deaf")
    name = server.create(spec).job.name
    wait_for(lambda: server.trains(name))
    server.call("CancelJob", pb.CancelJobRequest(name=name))
    assert server.job(name).state == State.STATE_RUNNING
    server.kill()
    assert start_server("deaf").ended(name).state == State.STATE_CANCELLED


@pytest.mark.parametrize("runner", ["deliver", "deaf"])
def test_a_stop_waits_for_nobody_and_keeps_the_job(start_server: StartServer, spec: job_pb2.JobSpec, runner: str) -> None:
    server = start_server(runner, "--stop-grace", "1")
    spec.settings.seed = 300
    name = server.create(spec).job.name
    wait_for(lambda: server.trains(name))
    worker = server.worker()
    answers = server.watch(name)
    next(answers)
    assert server.stop() == 0
    assert not worker.is_running()
    with pytest.raises(grpc.RpcError) as caught:
        list(answers)
    assert refusal(caught.value)[:2] == (grpc.StatusCode.UNAVAILABLE, "SERVER_STOPPING")
    again = start_server("deliver")
    assert again.ended(name).state == State.STATE_SUCCEEDED


def test_an_idle_server_ends_by_itself_but_not_while_it_has_work(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("deliver", "--idle-exit", "1")
    spec.settings.seed = 200
    server.create(spec)
    time.sleep(2)
    assert server.process.poll() is None, "thirteen steps of 200 ms are not done yet"
    assert server.process.wait(timeout=20) == 0
    assert not (server.folder / "server.json").exists()


def test_calls_are_answered_while_a_worker_burns_every_core(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    """How soon, `benchmarks/server.py` measures."""
    server = start_server("burn")
    name = server.create(spec).job.name
    wait_for(lambda: server.trains(name))
    for _ in range(100):
        server.call("GetServerInfo", pb.GetServerInfoRequest())
    assert server.trains(name), "all were answered while it was at work"
    server.call("CancelJob", pb.CancelJobRequest(name=name))


def test_a_worker_without_a_job_gives_its_memory_back_and_the_next_job_finds_another(
    start_server: StartServer, spec: job_pb2.JobSpec
) -> None:
    server = start_server("deliver", "--free-gpu-after", "0.5")
    first = server.create(spec).job.name
    worker = server.worker()
    assert server.ended(first).state == job_pb2.Job.STATE_SUCCEEDED
    wait_for(lambda: not worker.is_running())
    second = server.create(spec).job.name
    assert server.ended(second).state == job_pb2.Job.STATE_SUCCEEDED
    assert server.job(second).attempt == 1, "its worker was not lost"
