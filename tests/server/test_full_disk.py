"""Disks that fill up under a real server: a clear error, nothing broken, and once there is room again everything goes on."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from tests.chaos.files import sequence_digest
from tests.chaos.stage import FRAMES, Stage, make_stage
from tests.server.conftest import FRAMES as STAND_IN_FRAMES
from tests.server.conftest import StartServer
from tests.server.harness import START_SECONDS, ServerProcess, refusal, server_command, wait_for, workers_of
from tests.small_disk import MakeDisk, fill, small_disks

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb

State = job_pb2.Job
MEGABYTE = 2**20
JOB_SECONDS = 270.0
WAIT_SECONDS = 90.0


@pytest.fixture
def make_disk() -> Iterator[MakeDisk]:
    with small_disks() as make:
        yield make


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return make_stage(tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """With the product's own runner, and its artifacts on a small disk."""
    folder = tmp_path_factory.mktemp("real") / "data"
    with small_disks() as make:
        make(folder / "artifacts", 16 * MEGABYTE)
        server = ServerProcess(folder)
        yield server
        server.close()


def failed_for_room(server: ServerProcess, name: str, file: str) -> job_pb2.JobFailure:
    """The failure of a job whose disk was filled; it says which file did not fit, and what that takes."""
    job = server.ended(name, JOB_SECONDS)
    assert job.state == State.STATE_FAILED
    assert (job.failure.code, job.failure.reason) == ("RESOURCE_EXHAUSTED", "DISK_FULL"), job.failure
    assert "MB are needed for" in job.failure.message and "MB are free" in job.failure.message
    assert file in job.failure.message
    return job.failure


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_full_delivery_disk_breaks_no_frame_and_the_same_call_goes_through_later(
    real_server: ServerProcess, stage: Stage, make_disk: MakeDisk, tmp_path: Path
) -> None:
    disk = make_disk(tmp_path / "comp", 4 * MEGABYTE)
    spec = stage.spec(seed=2, directory=disk / "out")
    spec.settings.preset = job_pb2.PRESET_PREVIEW  # what is delivered is looked at, not what is trained
    name = real_server.create(spec).job.name
    wait_for(lambda: list(disk.glob("out/*/*.0000.exr")), JOB_SECONDS)
    ballast = fill(disk)
    failed_for_room(real_server, name, "shot_v001.0001.exr")
    (folder,) = disk.glob("out/*")
    assert sorted(os.listdir(folder)) == ["shot_v001.0000.exr", "ticket.json"], "no stub of the frame that did not fit"
    assert list(sequence_digest(folder)) == [0]
    ballast.unlink()
    again = real_server.ended(real_server.create(spec).job.name, JOB_SECONDS)
    assert (again.state, again.delivered_count) == (State.STATE_SUCCEEDED, FRAMES), again.failure
    assert list(sequence_digest(Path(again.delivered_directory))) == list(range(FRAMES))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_checkpoint_that_does_not_fit_costs_no_more_than_its_steps(real_server: ServerProcess, stage: Stage, tmp_path: Path) -> None:
    artifacts = real_server.folder / "artifacts"
    kept = set(artifacts.glob("*/*"))
    spec = stage.spec(seed=4, directory=tmp_path / "out")
    name = real_server.create(spec).job.name
    wait_for(lambda: real_server.trains(name), JOB_SECONDS)
    ballast = fill(artifacts)
    (trajectory,) = set(artifacts.glob("*/trajectory.safetensors")) - kept
    failed_for_room(real_server, name, "lora_000050.safetensors")
    assert not list(artifacts.rglob("*.part"))
    made = trajectory.stat().st_mtime_ns
    ballast.unlink()
    again = real_server.ended(real_server.create(spec).job.name, JOB_SECONDS)
    assert (again.state, again.delivered_count) == (State.STATE_SUCCEEDED, FRAMES), again.failure
    assert trajectory.stat().st_mtime_ns == made, "what had been written before the disk was full is not made again"


def test_jobs_are_refused_while_the_data_disk_is_full_and_taken_when_it_is_not(
    start_server: StartServer, spec: job_pb2.JobSpec, make_disk: MakeDisk, tmp_path: Path
) -> None:
    disk = make_disk(tmp_path / "local", 4 * MEGABYTE)
    server = start_server("deliver", folder=disk / "data")
    before = [server.create(spec, "before").job.name]
    server.ended(before[0], WAIT_SECONDS)
    ballast = fill(disk)
    with pytest.raises(grpc.RpcError) as caught:
        for number in range(100):  # the log of the database has a little room left of its own
            before.append(server.create(spec, f"full {number}").job.name)
    code, reason, sentence = refusal(caught.value)
    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "DISK_FULL")
    assert "MB are needed for 'jobs.sqlite3'" in sentence and "MB are free" in sentence and str(disk) in sentence
    server.call("GetServerInfo", pb.GetServerInfoRequest())
    ballast.unlink()
    before.append(server.create(spec, "after").job.name)
    for name in before:
        assert server.ended(name, WAIT_SECONDS).state == State.STATE_SUCCEEDED


def test_a_job_goes_on_when_the_data_disk_was_full_for_a_while(
    start_server: StartServer, spec: job_pb2.JobSpec, make_disk: MakeDisk, tmp_path: Path
) -> None:
    disk = make_disk(tmp_path / "local", 4 * MEGABYTE)
    server = start_server("deliver", folder=disk / "data")
    spec.settings.seed = 300
    name = server.create(spec).job.name
    wait_for(lambda: server.job(name).state == State.STATE_RUNNING, WAIT_SECONDS)
    ballast = fill(disk)
    delivered = Path(spec.delivery.directory)
    wait_for(lambda: list(delivered.glob("*/*.exr")), WAIT_SECONDS)
    time.sleep(1)  # in which the server meets the full disk; it need not be able to say so
    server.call("GetServerInfo", pb.GetServerInfoRequest())
    ballast.unlink()
    job = server.ended(name, WAIT_SECONDS)
    assert (job.state, job.delivered_count) == (State.STATE_SUCCEEDED, STAND_IN_FRAMES)
    assert len(list(delivered.iterdir())) == 1


def test_logs_that_cannot_be_written_stop_nothing(
    start_server: StartServer, spec: job_pb2.JobSpec, make_disk: MakeDisk, tmp_path: Path
) -> None:
    disk = make_disk(tmp_path / "logs", MEGABYTE)
    data = tmp_path / "data"
    data.mkdir()
    for log in ("server.log", "worker.log"):
        (disk / log).touch()
        (data / log).symlink_to(disk / log)
    ballast = fill(disk)
    server = start_server("deliver", folder=data)
    assert server.ended(server.create(spec).job.name, WAIT_SECONDS).state == State.STATE_SUCCEEDED
    assert not (disk / "server.log").read_text()
    ballast.unlink()
    server.stop()
    assert "stops" in (disk / "server.log").read_text()


def test_a_picture_that_does_not_fit_is_named_with_its_size(
    shared_server: ServerProcess, clip: Path, make_disk: MakeDisk, tmp_path: Path
) -> None:
    disk = make_disk(tmp_path / "paint", MEGABYTE)
    ballast = fill(disk)
    request = pb.ExtractFrameRequest(path=str(clip), frame=0, output_path=str(disk / "frame.tif"))
    with pytest.raises(grpc.RpcError) as caught:
        shared_server.call("ExtractFrame", request)
    code, reason, sentence = refusal(caught.value)
    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "DISK_FULL")
    assert "MB are needed for 'frame.tif'" in sentence
    assert os.listdir(disk) == [ballast.name]
    ballast.unlink()
    shared_server.call("ExtractFrame", request)


def test_a_server_on_a_full_disk_says_so_in_a_sentence(make_disk: MakeDisk, tmp_path: Path) -> None:
    disk = make_disk(tmp_path / "local", MEGABYTE)
    fill(disk)
    done = subprocess.run(server_command(disk / "data"), capture_output=True, text=True, timeout=START_SECONDS, check=False)
    assert done.returncode == 1
    assert str(disk) in done.stderr and "Traceback" not in done.stderr
    assert "No space left" in done.stderr or "full" in done.stderr


def test_while_the_data_disk_is_full_no_worker_is_started_again_and_again(
    start_server: StartServer, spec: job_pb2.JobSpec, make_disk: MakeDisk, tmp_path: Path
) -> None:
    disk = make_disk(tmp_path / "local", 4 * MEGABYTE)
    server = start_server("deliver", folder=disk / "data")
    spec.settings.seed = 100
    name = server.create(spec).job.name
    wait_for(lambda: server.job(name).state == State.STATE_RUNNING, WAIT_SECONDS)
    server.worker()
    ballast = fill(disk)
    seen: set[int] = set()
    end = time.monotonic() + 12
    while time.monotonic() < end:
        seen |= {worker.pid for worker in workers_of(server.process.pid)}
        time.sleep(0.05)
    assert len(seen) <= 2, "the one that ran, and one more where the log of the database had a little room left"
    ballast.unlink()
    assert server.ended(name, WAIT_SECONDS).state == State.STATE_SUCCEEDED
    log = (disk / "data" / "server.log").read_text()
    assert log.count("jobs wait for room") <= 1 and log.count("notes on job") <= 2 and "Traceback" not in log
