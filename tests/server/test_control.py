"""What people do to jobs: pause, resume, retry, move, delete, and taking the card back."""

from pathlib import Path

import grpc
import pytest
from tests.server.conftest import FRAMES, StartServer
from tests.server.harness import ServerProcess, refusal, wait_for

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb

State = job_pb2.Job


def paused(server: ServerProcess, name: str) -> None:
    """Pauses a job and waits until it is."""
    server.call("PauseJob", pb.PauseJobRequest(name=name))
    wait_for(lambda: server.job(name).state == State.STATE_PAUSED)


def begun(server: ServerProcess, name: str) -> None:
    wait_for(lambda: server.job(name).progress.step >= 1)


def refused(server: ServerProcess, method: str, request: object) -> str:
    """The reason; every one of these is FAILED_PRECONDITION with a sentence."""
    with pytest.raises(grpc.RpcError) as caught:
        server.call(method, request)
    code, reason, sentence = refusal(caught.value)
    assert code == grpc.StatusCode.FAILED_PRECONDITION and sentence.endswith(".")
    return reason


def test_a_running_job_is_paused_and_goes_on_where_it_was(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("note_attempts")
    spec.settings.seed = 150
    name = server.create(spec).job.name
    begun(server, name)
    paused(server, name)
    assert server.call("PauseJob", pb.PauseJobRequest(name=name)).job.state == State.STATE_PAUSED, "twice is once"
    assert server.create(spec, attach=True).job.name == name, "it is not finished"
    assert server.call("ResumeJob", pb.ResumeJobRequest(name=name)).job.state in (State.STATE_QUEUED, State.STATE_RUNNING)
    job = server.ended(name)
    assert (job.state, job.attempt, job.losses, job.delivered_count) == (State.STATE_SUCCEEDED, 2, 0, FRAMES)
    found = [int(line) for line in (Path(spec.delivery.directory) / "attempts.txt").read_text().split()]
    assert found[0] == 0 and found[1] >= 1


def test_a_paused_job_stays_paused_over_a_restart(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("deliver")
    spec.settings.seed = 150
    name = server.create(spec).job.name
    begun(server, name)
    paused(server, name)
    server.kill()
    again = start_server("deliver")
    waiting = again.create(spec).job.name
    again.ended(waiting)
    assert again.job(name).state == State.STATE_PAUSED
    again.call("ResumeJob", pb.ResumeJobRequest(name=name))
    assert again.ended(name).state == State.STATE_SUCCEEDED


def test_a_cancelled_job_is_retried_and_goes_on_where_it_was(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("note_attempts")
    spec.settings.seed = 150
    name = server.create(spec).job.name
    begun(server, name)
    server.call("CancelJob", pb.CancelJobRequest(name=name))
    server.ended(name)
    assert refused(server, "ResumeJob", pb.ResumeJobRequest(name=name)) == "JOB_ENDED"
    assert refused(server, "PauseJob", pb.PauseJobRequest(name=name)) == "JOB_ENDED"
    server.call("RetryJob", pb.RetryJobRequest(name=name))
    job = server.ended(name)
    assert (job.state, job.attempt, job.delivered_count) == (State.STATE_SUCCEEDED, 2, FRAMES)
    found = [int(line) for line in (Path(spec.delivery.directory) / "attempts.txt").read_text().split()]
    assert found[1] >= 1
    assert refused(server, "RetryJob", pb.RetryJobRequest(name=name)) == "JOB_NOT_RETRIABLE"


def test_a_deleted_job_is_gone_and_its_frames_are_not(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 150
    name = server.create(spec).job.name
    begun(server, name)
    assert refused(server, "DeleteJob", pb.DeleteJobRequest(name=name)) == "JOB_RUNNING"
    job = server.ended(name)
    server.call("DeleteJob", pb.DeleteJobRequest(name=name))
    with pytest.raises(grpc.RpcError) as caught:
        server.job(name)
    assert refusal(caught.value)[:2] == (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")
    assert len(list(Path(job.delivered_directory).glob("*.exr"))) == FRAMES
    assert not list((server.folder / "work").iterdir())


def test_jobs_change_places(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 3000  # milliseconds a step: it still runs when everything has been looked at
    running = server.create(spec).job.name
    begun(server, running)
    spec.settings.seed = 10
    first, second, third = (server.create(spec).job.name for _ in range(3))
    assert refused(server, "MoveJob", pb.MoveJobRequest(name=running)) == "JOB_NOT_WAITING"
    server.call("MoveJob", pb.MoveJobRequest(name=third, before_job=second))
    server.call("MoveJob", pb.MoveJobRequest(name=second, priority=job_pb2.PRIORITY_HIGH))
    queue = server.call("GetServerInfo", pb.GetServerInfoRequest())
    assert queue.running_job == running
    counted = [(one.kind, one.priority, one.state, one.count) for one in queue.queue]
    assert counted == [
        (State.KIND_PROPAGATION, job_pb2.PRIORITY_HIGH, State.STATE_QUEUED, 1),
        (State.KIND_PROPAGATION, job_pb2.PRIORITY_NORMAL, State.STATE_QUEUED, 2),
        (State.KIND_PROPAGATION, job_pb2.PRIORITY_NORMAL, State.STATE_RUNNING, 1),
    ]
    server.call("CancelJob", pb.CancelJobRequest(name=running))
    ends = {name: server.ended(name).end_time.ToMicroseconds() for name in (first, second, third)}
    assert sorted(ends, key=lambda name: ends[name]) == [second, first, third]


def test_an_idle_worker_gives_the_card_back_on_request(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    assert server.call("FreeMemory", pb.FreeMemoryRequest()).freed, "there is nothing to give"
    server.ended(server.create(spec).job.name)
    worker = server.worker()
    assert server.call("FreeMemory", pb.FreeMemoryRequest()).freed
    wait_for(lambda: not worker.is_running())
    assert server.ended(server.create(spec).job.name).state == State.STATE_SUCCEEDED, "jobs are not put off by that"


def test_a_preparation_is_put_off_for_the_card_and_a_job_only_by_force(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("shot")
    spec.settings.seed = 300
    shot = server.prepare(spec)
    begun(server, shot.job)
    answer = server.call("FreeMemory", pb.FreeMemoryRequest())
    assert answer.freed and answer.pause.seconds > 0
    waiting = server.job(shot.job)
    assert (waiting.state, waiting.losses) == (State.STATE_QUEUED, 0)
    name = server.create(spec).job.name
    wait_for(lambda: server.trains(name))
    kept = server.call("FreeMemory", pb.FreeMemoryRequest())
    assert (kept.freed, kept.running_job) == (False, name)
    worker = server.worker()
    assert server.call("FreeMemory", pb.FreeMemoryRequest(force=True)).freed
    assert not worker.is_running()
    assert (server.job(name).state, server.job(name).losses) == (State.STATE_QUEUED, 0)


def test_the_plan_after_a_step_down_is_the_one_that_is_told(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("step_down")
    server.ended(server.create(spec).job.name)
    assert server.call("GetServerInfo", pb.GetServerInfoRequest()).memory_plan.decode_frame_count < 14


@pytest.mark.parametrize("runner", ["freeze", "dawdle"])
def test_a_worker_that_hangs_is_ended_and_the_reason_kept(start_server: StartServer, spec: job_pb2.JobSpec, runner: str) -> None:
    options = {"freeze": ("--worker-silence", "6"), "dawdle": ("--longest-step", "4")}[runner]
    server = start_server(runner, *options)
    name = server.create(spec).job.name
    wait_for(lambda: server.job(name).worker)
    assert server.job(name).HasField("lease_expire_time")
    job = server.ended(name, seconds=60)
    assert job.state == State.STATE_SUCCEEDED and job.attempt == job.losses + 1 >= 2
    assert {"freeze": "no sign of life", "dawdle": "no step"}[runner] in job.last_interruption
    assert not job.worker and not job.HasField("lease_expire_time")
