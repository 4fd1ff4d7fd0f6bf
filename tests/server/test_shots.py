"""Shots: prepared while nothing else is to be done, found by whoever needs them."""

import os
import shutil
from pathlib import Path

import grpc
import pytest
from tests.media import numbered_pictures
from tests.server.conftest import FRAMES, StartServer
from tests.server.harness import ServerProcess, refusal, wait_for

from i2vedit.v1 import clip_pb2, job_pb2, shot_pb2
from i2vedit.v1 import propagation_service_pb2 as pb

Job, Shot = job_pb2.Job, shot_pb2.Shot


@pytest.fixture
def shots(start_server: StartServer) -> ServerProcess:
    """A server whose stand-in prepares and delivers."""
    return start_server("shot")


def prepared(server: ServerProcess, name: str) -> shot_pb2.Shot:
    wait_for(lambda: server.shot(name).state == Shot.STATE_PREPARED)
    return server.shot(name)


def steps(server: ServerProcess, name: str) -> list[int]:
    """Steps of training that a watcher of this job is told of."""
    return [event.progress.step for event in server.watch(name) if event.progress.stage == job_pb2.JobProgress.STAGE_TRAIN]


def test_the_job_of_a_prepared_shot_trains_nothing(shots: ServerProcess, spec: job_pb2.JobSpec) -> None:
    shot = shots.prepare(spec)
    assert shot.name.startswith("shots/") and shot.frame_count == FRAMES
    done = prepared(shots, shot.name)
    assert done.artifact_byte_count > 0 and done.HasField("end_time")
    job = shots.job(done.job)
    assert (job.kind, job.priority, job.shot) == (Job.KIND_PREPARATION, job_pb2.PRIORITY_LOW, shot.name)
    assert shots.prepare(spec).job == done.job, "the same shot is prepared once"
    assert steps(shots, shots.create(spec).job.name) == []
    spec.settings.seed += 1
    assert shots.prepare(spec).name != shot.name


def test_a_preparation_is_for_one_stride(shots: ServerProcess, spec: job_pb2.JobSpec) -> None:
    whole = shots.prepare(spec).name
    spec.settings.stride = 1
    assert shots.prepare(spec).name == whole
    spec.settings.stride = 3
    third = shots.prepare(spec).name
    spec.settings.auto_stride = True
    assert len({whole, third, shots.prepare(spec).name}) == 3


def test_a_preparation_is_for_one_size_one_treatment_of_cuts_and_one_state_of_the_model(
    shots: ServerProcess, spec: job_pb2.JobSpec, tmp_path: Path
) -> None:
    model = shutil.copytree(spec.settings.model, tmp_path / "model of this test")
    spec.settings.model = str(model)
    names = [shots.prepare(spec).name]
    spec.settings.picture_area = 32 * 32
    names.append(shots.prepare(spec).name)
    spec.settings.picture_area = 32 * 16
    names.append(shots.prepare(spec).name)
    spec.settings.ignore_cuts = True
    names.append(shots.prepare(spec).name)
    assert shots.prepare(spec).name == names[-1]
    os.utime(model / "unet" / "config.json", ns=(0, 0))
    names.append(shots.prepare(spec).name)
    assert len(set(names)) == 5
    spec.settings.edit_kind = job_pb2.EDIT_KIND_STYLE
    assert shots.prepare(spec).name == names[-1], "what kind of edit comes decides nothing"


def test_a_preparation_of_pictures_is_told_by_their_own_numbers(shots: ServerProcess, spec: job_pb2.JobSpec, tmp_path: Path) -> None:
    spec.clip.CopyFrom(clip_pb2.ClipRef(path=str(numbered_pictures(tmp_path, 1001, 3))))
    job = shots.job(shots.prepare(spec).job)
    assert (job.first_frame, job.frame_count) == (1001, 3)


def test_a_frame_for_painting_starts_the_preparation(shots: ServerProcess, spec: job_pb2.JobSpec, tmp_path: Path) -> None:
    wanted = shot_pb2.ShotSpec(clip=spec.clip, settings=spec.settings)
    request = pb.ExtractFrameRequest(path=spec.clip.path, frame=0, output_path=str(tmp_path / "frame.png"), prepare=wanted)
    answer = shots.call("ExtractFrame", request)
    assert Path(answer.output_path).exists()
    assert prepared(shots, answer.shot.name).spec.clip.path == spec.clip.path
    wanted.settings.model = "nothing-of-the-kind"
    request.output_path = str(tmp_path / "other.png")
    request.prepare.CopyFrom(wanted)
    with pytest.raises(grpc.RpcError) as caught:
        shots.call("ExtractFrame", request)
    assert refusal(caught.value)[1] == "MODEL_UNKNOWN"
    assert not (tmp_path / "other.png").exists(), "nothing is half done"


def test_a_preparation_gives_way_at_its_next_step_and_its_steps_are_kept(shots: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 2000  # milliseconds a step: it still prepares when the files of the job have been looked at
    shot = shots.prepare(spec)
    wait_for(lambda: shots.job(shot.job).progress.step >= 1)
    told = steps(shots, shots.create(spec).job.name)
    assert told and told[0] >= 1, "the job goes on where the preparation was"
    done = shots.job(prepared(shots, shot.name).job)
    assert (done.attempt, done.losses) == (2, 0), "giving way is no loss"


def test_shots_are_listed_in_pages_and_deleted(shots: ServerProcess, spec: job_pb2.JobSpec) -> None:
    names = []
    for seed in (1, 2, 3):
        spec.settings.seed = seed
        names.append(shots.prepare(spec).name)
    for name in names:
        prepared(shots, name)
    first = shots.call("ListShots", pb.ListShotsRequest(page_size=2))
    rest = shots.call("ListShots", pb.ListShotsRequest(page_size=2, page_token=first.next_page_token))
    assert [shot.name for shot in (*first.shots, *rest.shots)] == names[::-1] and not rest.next_page_token
    artifacts = shots.folder / "artifacts"
    assert len(list(artifacts.iterdir())) == 3
    shots.call("DeleteShot", pb.DeleteShotRequest(name=names[0]))
    assert len(list(artifacts.iterdir())) == 2
    for request in (pb.DeleteShotRequest(name=names[0]), pb.DeleteShotRequest(name="nonsense")):
        with pytest.raises(grpc.RpcError) as caught:
            shots.call("DeleteShot", request)
        assert refusal(caught.value)[:2] == (grpc.StatusCode.NOT_FOUND, "SHOT_NOT_FOUND")
    with pytest.raises(grpc.RpcError) as caught:
        shots.call("ListJobs", pb.ListJobsRequest(page_token=first.next_page_token))
    assert refusal(caught.value)[1] == "PAGE_TOKEN_INVALID"


def test_a_shot_that_is_worked_on_is_not_deleted_and_a_cancelled_one_begins_again(shots: ServerProcess, spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 400
    shot = shots.prepare(spec)
    wait_for(lambda: shots.job(shot.job).progress.step >= 1)
    with pytest.raises(grpc.RpcError) as caught:
        shots.call("DeleteShot", pb.DeleteShotRequest(name=shot.name))
    assert refusal(caught.value)[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "SHOT_IN_USE")
    shots.call("CancelJob", pb.CancelJobRequest(name=shot.job))
    assert shots.shot(shot.name).state == Shot.STATE_CANCELLED
    assert shots.prepare(spec).state in (Shot.STATE_QUEUED, Shot.STATE_PREPARING)
    prepared(shots, shot.name)


def test_what_had_to_make_room_is_said_and_made_again(shots: ServerProcess, spec: job_pb2.JobSpec) -> None:
    shot = shots.prepare(spec)
    prepared(shots, shot.name)
    shutil.rmtree(shots.folder / "artifacts")
    assert shots.shot(shot.name).state == Shot.STATE_EVICTED
    again = shots.prepare(spec)
    assert again.name == shot.name and again.job != shot.job
    assert prepared(shots, shot.name).artifact_byte_count > 0


def test_a_preparation_waits_for_the_card_and_a_job_does_not_wait_for_it(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("busy")
    shot = server.prepare(spec)
    wait_for(lambda: server.job(shot.job).attempt == 1 and server.job(shot.job).state == Job.STATE_QUEUED)
    assert (server.job(shot.job).losses, server.shot(shot.name).state) == (0, Shot.STATE_QUEUED)
