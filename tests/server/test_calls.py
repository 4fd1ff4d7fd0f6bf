"""The calls that need no worker: what is there, what a clip is, which model can be used, and what is refused at the door."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from tests.server.conftest import FRAMES
from tests.server.harness import ServerProcess, refusal

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb

Change = Callable[[job_pb2.JobSpec], None]


def test_the_server_says_what_it_is(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    info = server.call("GetServerInfo", pb.GetServerInfoRequest())
    assert info.process_id == server.process.pid
    assert info.data_directory == str(server.folder)
    assert info.version and info.libraries["grpcio"] == grpc.__version__
    assert info.device == "" and (info.queued_count, info.running_count) == (0, 0)
    assert not info.HasField("memory_plan")
    server.ended(server.create(spec).job.name)
    told = server.call("GetServerInfo", pb.GetServerInfoRequest())
    assert told.device == "stand-in"
    plan = told.memory_plan
    assert (plan.width, plan.height, plan.frame_count, plan.free_bytes, plan.total_bytes) == (1024, 576, 14, 8 * 10**9, 12 * 10**9)
    stages = [pb.MemoryPlan.STAGE_ENCODE, pb.MemoryPlan.STAGE_INVERT, pb.MemoryPlan.STAGE_EDIT, pb.MemoryPlan.STAGE_DECODE]
    assert [peak.stage for peak in plan.stages] == stages  # it trains nothing
    assert plan.fits == all(0 < peak.peak_bytes <= plan.free_bytes for peak in plan.stages)
    assert plan.map_store == pb.MemoryPlan.MAP_STORE_REPLAY and 1 <= plan.decode_frame_count <= 14


def test_a_clip_is_probed(shared_server: ServerProcess, clip: Path) -> None:
    info = shared_server.call("ProbeClip", pb.ProbeClipRequest(path=str(clip))).clip
    assert (info.width, info.height, info.frame_count, info.bit_depth) == (96, 64, FRAMES, 8)
    assert (info.rate.numerator, info.rate.denominator) == (24, 1)
    assert (info.codec, info.pixel_format) == ("h264", "yuv420p")


def test_a_frame_is_written_and_never_over_another_file(shared_server: ServerProcess, clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "frame 3.png"
    request = pb.ExtractFrameRequest(path=str(clip), frame=3, output_path=str(output))
    assert shared_server.call("ExtractFrame", request).output_path == str(output)
    written = output.read_bytes()
    assert written.startswith(b"\x89PNG")
    with pytest.raises(grpc.RpcError) as caught:
        shared_server.call("ExtractFrame", request)
    refusal(caught.value)
    assert output.read_bytes() == written


def test_a_frame_outside_the_clip_is_refused(shared_server: ServerProcess, clip: Path, tmp_path: Path) -> None:
    for frame in (-1, FRAMES, 2**62):
        with pytest.raises(grpc.RpcError) as caught:
            shared_server.call("ExtractFrame", pb.ExtractFrameRequest(path=str(clip), frame=frame, output_path=str(tmp_path / "x.png")))
        assert refusal(caught.value)[:2] == (grpc.StatusCode.OUT_OF_RANGE, "RANGE_OUTSIDE_CLIP")
    assert not list(tmp_path.glob("*.png"))


def test_a_model_is_checked(shared_server: ServerProcess, model_folder: Path) -> None:
    model = shared_server.call("CheckModel", pb.CheckModelRequest(model=str(model_folder))).model
    assert (model.path, model.frame_count, len(model.sha256)) == (str(model_folder), 14, 64)
    quick = shared_server.call("CheckModel", pb.CheckModelRequest(model=str(model_folder), without_hash=True)).model
    assert (quick.byte_count, quick.sha256) == (model.byte_count, "")
    with pytest.raises(grpc.RpcError) as caught:
        shared_server.call("CheckModel", pb.CheckModelRequest(model="nothing-of-the-kind"))
    assert refusal(caught.value)[:2] == (grpc.StatusCode.NOT_FOUND, "MODEL_UNKNOWN")


def test_models_lie_in_the_data_folder_that_the_server_was_given(shared_server: ServerProcess) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        shared_server.call("CheckModel", pb.CheckModelRequest(model="svd"))
    assert str(shared_server.folder / "models" / "stable-video-diffusion-img2vid") in refusal(caught.value)[2]


@pytest.mark.parametrize("name", ["jobs/none", "nonsense", "", "jobs/", "jobs/" + "x" * 10_000, "jobs/" + "é" * 10_000])
def test_a_job_that_is_not_there(shared_server: ServerProcess, name: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: shared_server.job(name),
        lambda: shared_server.call("CancelJob", pb.CancelJobRequest(name=name)),
        lambda: list(shared_server.watch(name)),
    ]
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert refusal(caught.value)[:2] == (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")


def _no_edit(spec: job_pb2.JobSpec) -> None:
    del spec.edits[:]


def _two_edits(spec: job_pb2.JobSpec) -> None:
    spec.edits.add(path=spec.edits[0].path, frame=0)


def _later_edit(spec: job_pb2.JobSpec) -> None:
    spec.edits[0].frame = 4000


def _missing_clip(spec: job_pb2.JobSpec) -> None:
    spec.clip.path += ".missing"


def _relative_clip(spec: job_pb2.JobSpec) -> None:
    spec.clip.path = "clip.mp4"


def _nul_in_path(spec: job_pb2.JobSpec) -> None:
    spec.edits[0].path += "\0.png"


def _no_directory(spec: job_pb2.JobSpec) -> None:
    spec.delivery.directory = ""


def _directory_in_a_file(spec: job_pb2.JobSpec) -> None:
    spec.delivery.directory = spec.clip.path + "/out"


def _missing_edit(spec: job_pb2.JobSpec) -> None:
    spec.edits[0].path += ".missing"


def _edit_that_is_no_picture(spec: job_pb2.JobSpec) -> None:
    spec.edits[0].path = spec.clip.path


def _clip_that_is_no_clip(spec: job_pb2.JobSpec) -> None:
    spec.clip.path = __file__


def _too_long(spec: job_pb2.JobSpec) -> None:
    spec.clip.frame_count = FRAMES + 1


def _longest(spec: job_pb2.JobSpec) -> None:
    spec.clip.frame_count = 2**63 - 1


def _before_the_first(spec: job_pb2.JobSpec) -> None:
    spec.clip.source_in = -1


def _unknown_model(spec: job_pb2.JobSpec) -> None:
    spec.settings.model = "nothing-of-the-kind"


def _unknown_preset(spec: job_pb2.JobSpec) -> None:
    spec.settings.preset = 77  # type: ignore[assignment]


def _negative_steps(spec: job_pb2.JobSpec) -> None:
    spec.settings.lora_steps = -1


def _largest_seed(spec: job_pb2.JobSpec) -> None:
    spec.settings.seed = 2**64 - 1


def _stride_of_a_second(spec: job_pb2.JobSpec) -> None:
    spec.settings.stride = 24


def _unknown_compression(spec: job_pb2.JobSpec) -> None:
    spec.delivery.compression = "b44"


def _more_grain_than_there_is(spec: job_pb2.JobSpec) -> None:
    spec.delivery.grain = 1.5


def _relative_region(spec: job_pb2.JobSpec) -> None:
    spec.edits[0].region_path = "matte.png"


def _missing_region(spec: job_pb2.JobSpec) -> None:
    spec.edits[0].region_path = spec.edits[0].path + ".gone.png"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_no_edit, "EDIT_NOT_FOUND"),
        (_two_edits, "EDIT_FRAME_TAKEN"),
        (_later_edit, "RANGE_OUTSIDE_CLIP"),
        (_missing_clip, "CLIP_NOT_FOUND"),
        (_relative_clip, "PATH_INVALID"),
        (_nul_in_path, "PATH_INVALID"),
        (_no_directory, "PATH_INVALID"),
        (_directory_in_a_file, "OUTPUT_NOT_WRITABLE"),
        (_missing_edit, "EDIT_NOT_FOUND"),
        (_edit_that_is_no_picture, "EDIT_UNREADABLE"),
        (_clip_that_is_no_clip, "CLIP_UNREADABLE"),
        (_too_long, "RANGE_OUTSIDE_CLIP"),
        (_longest, "RANGE_OUTSIDE_CLIP"),
        (_before_the_first, "RANGE_OUTSIDE_CLIP"),
        (_unknown_model, "MODEL_UNKNOWN"),
        (_unknown_preset, "SETTING_INVALID"),
        (_negative_steps, "SETTING_INVALID"),
        (_largest_seed, "SETTING_INVALID"),
        (_stride_of_a_second, "SETTING_INVALID"),
        (_unknown_compression, "SETTING_INVALID"),
        (_more_grain_than_there_is, "SETTING_INVALID"),
        (_relative_region, "PATH_INVALID"),
        (_missing_region, "REGION_UNUSABLE"),
    ],
)
def test_a_mistake_is_told_before_anything_is_stored(
    shared_server: ServerProcess, spec: job_pb2.JobSpec, change: Change, reason: str
) -> None:
    change(spec)
    with pytest.raises(grpc.RpcError) as caught:
        shared_server.create(spec)
    assert refusal(caught.value)[1] == reason
    assert not shared_server.call("ListJobs", pb.ListJobsRequest()).jobs
    assert not Path(spec.delivery.directory).exists() or reason == "PATH_INVALID"


@pytest.mark.parametrize("request_id", ["x" * 129, "line\nbreak"])
def test_a_request_id_has_a_form(shared_server: ServerProcess, spec: job_pb2.JobSpec, request_id: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        shared_server.create(spec, request_id)
    assert refusal(caught.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_INVALID")


def test_without_a_request_id_every_call_makes_a_job(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    assert server.create(spec, "").job.name != server.create(spec, "").job.name
