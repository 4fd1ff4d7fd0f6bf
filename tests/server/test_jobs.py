"""Jobs over real channels, run by a real worker process."""

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from tests.server.conftest import FRAMES, StartServer
from tests.server.harness import ServerProcess, refusal, wait_for

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_client.installing import install_command as install_command_of_the_client
from i2vedit_server.installing import install_command

State = job_pb2.Job


def test_a_job_goes_through_to_its_last_frame(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    created = server.create(spec)
    assert created.job.state == State.STATE_QUEUED and not created.attached
    job = server.ended(created.job.name)
    assert job.state == State.STATE_SUCCEEDED
    assert (job.delivered_count, job.frame_count, job.attempt) == (FRAMES, FRAMES, 1)
    assert len(list(Path(job.delivered_directory).glob("*.exr"))) == FRAMES
    assert job.create_time.ToMicroseconds() <= job.start_time.ToMicroseconds() <= job.end_time.ToMicroseconds()
    assert job.spec.settings.preset == job_pb2.PRESET_FULL and job.spec.delivery.compression == "zip", "defaults are written out"
    assert not list((server.folder / "work").iterdir()), "the scratch folder goes with the job"


def test_a_watcher_sees_everything_in_order(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 60
    events = list(server.watch(server.create(spec).job.name))
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[0] == "job" and kinds[-1] == "job" and "progress" in kinds
    assert events[-1].job.state == State.STATE_SUCCEEDED
    assert [event.frame.frame for event in events if event.WhichOneof("event") == "frame"] == list(range(FRAMES))
    markers = [event.resume_marker for event in events]
    assert markers == sorted(markers)
    losses = [event.progress.loss for event in events if event.progress.HasField("loss")]
    assert losses == sorted(losses, reverse=True)


def test_watching_an_ended_job_gives_the_snapshot_and_ends(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    name = server.create(spec).job.name
    server.ended(name)
    events = list(server.watch(name))
    assert [event.job.state for event in events] == [State.STATE_SUCCEEDED]


def test_a_slow_watcher_loses_no_state(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("chatter")
    name = server.create(spec).job.name
    answers = server.watch(name, timeout=120)
    next(answers)
    server.ended(name, seconds=120)
    assert list(answers)[-1].job.state == State.STATE_SUCCEEDED


def test_a_watcher_that_leaves_disturbs_nobody(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 60
    name = server.create(spec).job.name
    answers = server.watch(name)
    next(answers)
    answers.cancel()  # type: ignore[attr-defined]
    assert server.ended(name).state == State.STATE_SUCCEEDED


def test_jobs_run_one_after_another_in_the_order_of_their_coming(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    names = [server.create(spec).job.name for _ in range(3)]
    jobs = [server.ended(name) for name in names]
    for earlier, later in itertools.pairwise(jobs):
        assert earlier.end_time.ToMicroseconds() <= later.start_time.ToMicroseconds()


@pytest.mark.parametrize(
    ("runner", "code", "reason"),
    [
        ("refuse", "RESOURCE_EXHAUSTED", "DISK_FULL"),
        ("explode", "INTERNAL", "UNEXPECTED"),
        ("run_out_of_memory", "RESOURCE_EXHAUSTED", "OUT_OF_MEMORY"),
        ("not_there", "INTERNAL", "UNEXPECTED"),
    ],
)
def test_a_failed_job_says_why(start_server: StartServer, spec: job_pb2.JobSpec, runner: str, code: str, reason: str) -> None:
    server = start_server(runner)
    job = server.ended(server.create(spec).job.name)
    assert job.state == State.STATE_FAILED
    assert (job.failure.code, job.failure.reason) == (code, reason)
    assert job.failure.message and "secret" not in job.failure.message


def test_a_missing_package_is_told_with_how_it_is_installed(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("lack_a_package")
    failure = server.ended(server.create(spec).job.name).failure
    assert (failure.code, failure.reason) == ("FAILED_PRECONDITION", "LIBRARY_MISSING")
    assert "'diffusers'" in failure.message and failure.message.endswith(f"Run: {install_command('server')}")
    assert install_command("server") == install_command_of_the_client("server"), "one way to install, whoever tells it"


def test_fifty_clients_with_one_request_id_make_one_job(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    request_id = str(uuid.uuid4())
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: server.create(spec, request_id), range(50)))
    assert len({answer.job.name for answer in answers}) == 1
    assert sum(not answer.attached for answer in answers) == 1
    assert len(server.call("ListJobs", pb.ListJobsRequest()).jobs) == 1
    server.ended(answers[0].job.name)
    assert server.create(spec, request_id).job.name == answers[0].job.name, "also after the job has ended"


def test_a_request_id_means_one_spec(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    server.create(spec, "mine")
    spec.settings.seed = 11
    with pytest.raises(grpc.RpcError) as caught:
        server.create(spec, "mine")
    assert refusal(caught.value)[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "REQUEST_ID_REUSED")


def test_attach_takes_up_an_unfinished_job_and_makes_a_new_one_after(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 100
    first = server.create(spec, "first")
    second = server.create(spec, "second", attach=True)
    assert second.attached and second.job.name == first.job.name
    assert not server.create(spec, "third").attached, "without attach it is another job"
    server.call("CancelJob", pb.CancelJobRequest(name=server.call("ListJobs", pb.ListJobsRequest()).jobs[0].name))
    server.ended(first.job.name)
    assert server.create(spec, "second", attach=True).job.name == first.job.name, "the same id gives the same job"
    assert not server.create(spec, "fourth", attach=True).attached


def test_attach_looks_at_the_painted_pixels(server: ServerProcess, spec: job_pb2.JobSpec, edited: Path, tmp_path: Path) -> None:
    painted = tmp_path / "painted.png"
    painted.write_bytes(edited.read_bytes())
    spec.edits[0].path = str(painted)
    spec.settings.seed = 100
    first = server.create(spec)
    with painted.open("ab") as file:
        file.write(b"\0")  # saved again
    assert not server.create(spec, attach=True).attached
    assert server.job(first.job.name).state in (State.STATE_QUEUED, State.STATE_RUNNING)


def test_a_running_job_is_cancelled(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 100
    name = server.create(spec).job.name
    wait_for(lambda: server.job(name).progress.step > 0)
    assert server.call("CancelJob", pb.CancelJobRequest(name=name)).job.state == State.STATE_CANCELLED
    assert server.call("CancelJob", pb.CancelJobRequest(name=name)).job.state == State.STATE_CANCELLED, "twice is once"
    assert list(server.watch(name))[-1].job.state == State.STATE_CANCELLED


def test_a_waiting_job_is_cancelled_at_once(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 100
    server.create(spec)
    waiting = server.create(spec).job.name
    assert server.call("CancelJob", pb.CancelJobRequest(name=waiting)).job.state == State.STATE_CANCELLED
    assert server.job(waiting).attempt == 0


def test_an_ended_job_cannot_be_cancelled(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    name = server.create(spec).job.name
    server.ended(name)
    with pytest.raises(grpc.RpcError) as caught:
        server.call("CancelJob", pb.CancelJobRequest(name=name))
    assert refusal(caught.value)[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "JOB_ENDED")


def test_a_worker_that_does_not_listen_is_ended(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("deaf", "--cancel-grace", "0.5")
    name = server.create(spec).job.name
    wait_for(lambda: server.trains(name))
    worker = server.worker()
    assert server.call("CancelJob", pb.CancelJobRequest(name=name)).job.state == State.STATE_CANCELLED
    wait_for(lambda: not worker.is_running())


def test_lists_come_in_pages_newest_first(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 1
    names = [server.create(spec).job.name for _ in range(5)]
    server.ended(names[-1])
    seen, token = [], ""
    while True:
        page = server.call("ListJobs", pb.ListJobsRequest(page_size=2, page_token=token))
        seen += [job.name for job in page.jobs]
        token = page.next_page_token
        if not token:
            break
    assert seen == names[::-1]
    failed = pb.ListJobsRequest(states=[State.STATE_FAILED, State.STATE_QUEUED])
    assert not server.call("ListJobs", failed).jobs
    page = server.call("ListJobs", pb.ListJobsRequest(page_size=2))
    for wrong in ("nonsense", "é", page.next_page_token[:-4]):
        with pytest.raises(grpc.RpcError) as caught:
            server.call("ListJobs", pb.ListJobsRequest(page_token=wrong))
        assert refusal(caught.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    other = pb.ListJobsRequest(page_token=page.next_page_token, states=[State.STATE_FAILED])
    with pytest.raises(grpc.RpcError) as caught:
        server.call("ListJobs", other)
    assert refusal(caught.value)[1] == "PAGE_TOKEN_INVALID"
