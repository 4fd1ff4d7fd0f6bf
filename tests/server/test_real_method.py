"""The real method behind the real server: random weights, so the pictures mean nothing, but every stage runs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.chaos.files import sequence_digest
from tests.chaos.notes import attempts, read_notes
from tests.chaos.stage import make_stage
from tests.server.harness import ServerProcess, wait_for
from tests.server.noting import notes_file

from i2vedit.v1 import delivery_pb2, job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_client.events import Event, watch_events
from i2vedit_client.submit import PreparedNotice

TINY_MODEL = Path(__file__).resolve().parent.parent / "tiny_model.py"
pytestmark = pytest.mark.slow
JOB_SECONDS = 270.0
LONGEST_SECONDS = 800.0
FRAMES = 5
"""Two chunks of the tiny model."""


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made in a process of its own, so that torch stays out of this one."""
    folder = tmp_path_factory.mktemp("tiny") / "model"
    subprocess.run([sys.executable, str(TINY_MODEL), str(folder)], check=True, capture_output=True, timeout=600)
    return folder


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path_factory.mktemp("real") / "data")
    yield server
    server.close()


@pytest.fixture
def real_spec(spec: job_pb2.JobSpec, tiny_model: Path, edited: Path, tmp_path: Path) -> job_pb2.JobSpec:
    """A bright square on the first frame, and a few steps of training."""
    spec.edits[0].path = _painted(edited, tmp_path / "square.png", np.s_[16:48, 24:56])
    spec.clip.frame_count = FRAMES
    spec.settings.model = str(tiny_model)
    spec.settings.lora_steps = 6
    return spec


def _painted(frame: Path, target: Path, where: tuple[slice, slice]) -> str:
    pixels = np.array(oiio.ImageBuf(str(frame)).get_pixels(oiio.UINT8))
    pixels[where] = (255, 32, 32)
    assert oiio.ImageBuf(pixels).write(str(target))
    return str(target)


def delivered_frames(job: job_pb2.Job) -> list[str]:
    return sorted(path.name for path in Path(job.delivered_directory).glob("*.exr"))


def test_the_method_runs_through_the_server(real_server: ServerProcess, real_spec: job_pb2.JobSpec) -> None:
    name = real_server.create(real_spec).job.name
    events = list(real_server.watch(name, timeout=JOB_SECONDS))
    job = events[-1].job
    assert job.state == job_pb2.Job.STATE_SUCCEEDED, job.failure
    folder = Path(job.delivered_directory)
    assert delivered_frames(job) == [f"{folder.name}.{frame:04d}.exr" for frame in range(FRAMES)]
    stages = {event.progress.stage for event in events if event.WhichOneof("event") == "progress"}
    assert {job_pb2.JobProgress.STAGE_INVERT, job_pb2.JobProgress.STAGE_TRAIN, job_pb2.JobProgress.STAGE_EDIT} <= stages
    assert job.progress.chunk_count == 2
    assert (folder / "report.json").is_file() and job.quality.HasField("drift_delta_e")
    assert real_server.job(name).quality == job.quality
    assert real_server.call("GetServerInfo", pb.GetServerInfoRequest()).device.startswith(("cpu", "cuda", "mps"))


def test_the_second_edit_of_a_shot_is_said_to_need_no_preparation(
    real_server: ServerProcess, real_spec: job_pb2.JobSpec, edited: Path, tmp_path: Path
) -> None:
    real_server.ended(real_server.create(real_spec).job.name, JOB_SECONDS)
    real_spec.edits[0].path = _painted(edited, tmp_path / "other.png", np.s_[8:30, 20:50])
    told: list[Event] = []
    notice = PreparedNotice(told.append)
    for answer in real_server.watch(real_server.create(real_spec).job.name, timeout=JOB_SECONDS):
        for event in watch_events("jobs/second", answer):
            notice(event)
    assert "prepared" in [event["event"] for event in told]
    assert not {"invert", "train"} & {event.get("stage") for event in told}


def test_a_worker_killed_in_training_goes_on_from_its_checkpoints(real_server: ServerProcess, real_spec: job_pb2.JobSpec) -> None:
    name = real_server.create(real_spec).job.name
    wait_for(lambda: real_server.job(name).progress.chunk > 0, JOB_SECONDS)
    real_server.worker().kill()
    job = real_server.ended(name, JOB_SECONDS)
    assert (job.state, job.attempt, job.delivered_count) == (job_pb2.Job.STATE_SUCCEEDED, 2, FRAMES), job.failure
    assert len(delivered_frames(job)) == FRAMES
    assert [folder.name for folder in Path(real_spec.delivery.directory).iterdir()] == [Path(job.delivered_directory).name]


@pytest.mark.timeout(1800)
def test_a_worker_killed_between_two_chunks_goes_on_with_the_second(tmp_path: Path) -> None:
    stage = make_stage(tmp_path / "stage")
    specs = [stage.spec(seed=0, directory=tmp_path / name) for name in ("killed", "undisturbed")]
    for each in specs:
        each.settings.preset = job_pb2.PRESET_PREVIEW  # no training, half the levels
    server = ServerProcess(tmp_path / "data", "--runner", "noting:run_job")
    try:
        name = server.create(specs[0]).job.name
        work = tmp_path / "data" / "work" / name.removeprefix("jobs/")
        wait_for(lambda: list((tmp_path / "data").glob("**/chunk-*/edited.safetensors")), LONGEST_SECONDS)
        server.worker().kill()
        job = server.ended(name, LONGEST_SECONDS)
        wait_for(lambda: not work.exists())  # it goes after the state is told
    finally:
        server.close()
    elsewhere = ServerProcess(tmp_path / "elsewhere", "--runner", "noting:run_job")  # where no finished chunk is found
    try:
        undisturbed = elsewhere.ended(elsewhere.create(specs[1]).job.name, LONGEST_SECONDS)
    finally:
        elsewhere.close()
    assert (job.state, job.attempt, job.delivered_count) == (job_pb2.Job.STATE_SUCCEEDED, 2, job.frame_count), job.failure
    first, second = attempts(read_notes(notes_file(tmp_path / "killed")))
    assert {0} <= {note.numbers[0] for note in first if note.word == "edit"}
    assert {note.numbers[0] for note in second if note.word == "edit"} == {1}, "chunk 0 was finished"
    assert sequence_digest(Path(job.delivered_directory)) == sequence_digest(Path(undisturbed.delivered_directory))


def test_what_was_delivered_stands_a_look_and_comes_out_the_same_again(
    real_server: ServerProcess, real_spec: job_pb2.JobSpec, tmp_path: Path
) -> None:
    """From scratch: the second time nothing is taken from the cache of the first."""
    first = real_server.ended(real_server.create(real_spec).job.name, JOB_SECONDS).delivered_directory
    looks = real_server.stub.VerifyDelivery(
        delivery_pb2.VerifyDeliveryRequest(directory=first), metadata=real_server.metadata, timeout=JOB_SECONDS
    )
    assert [answer.finding.message for answer in looks if answer.HasField("finding")] == []

    request = delivery_pb2.RepeatDeliveryRequest(directory=first, output_path=str(tmp_path / "again"))
    name = real_server.call("RepeatDelivery", request).job
    stages = {event.progress.stage for event in real_server.watch(name, timeout=JOB_SECONDS)}
    assert {job_pb2.JobProgress.STAGE_INVERT, job_pb2.JobProgress.STAGE_TRAIN} <= stages
    second = real_server.job(name).delivered_directory
    both = delivery_pb2.CompareDeliveriesRequest(directory=first, other_directory=second)
    *_, last = real_server.stub.CompareDeliveries(both, metadata=real_server.metadata, timeout=JOB_SECONDS)
    assert (last.comparison.frame_count, last.comparison.differing_frame_count) == (FRAMES, 0)
