"""A clip's colour space as the host or a person gives it, and what the answers say about colour and pictures."""

from pathlib import Path

import grpc
import pytest
from PIL import Image
from tests.server.harness import ServerProcess, refusal

from i2vedit.v1 import clip_pb2, job_pb2, shot_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_core.media.exported_profile import profile_bytes


def test_a_named_space_is_part_of_the_job(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    """By any of its names; the same space by another name is the same job, another space is another."""
    spec.clip.color_tag = "arri_logc4"
    first = server.create(spec, "first")
    assert first.job.spec.clip.color_tag == "ARRI LogC4"
    spec.clip.color_tag = "ARRI LogC4"
    assert server.create(spec, "first").attached
    spec.clip.color_tag = "ACEScct"
    with pytest.raises(grpc.RpcError) as caught:
        server.create(spec, "first")
    assert refusal(caught.value)[1] == "REQUEST_ID_REUSED"


def test_a_named_space_is_part_of_the_shot(server: ServerProcess, spec: job_pb2.JobSpec) -> None:
    shots = set()
    for tag in ("", "sRGB", "Linear Rec.2020"):
        clip = clip_pb2.ClipRef(path=spec.clip.path, color_tag=tag)
        wanted = pb.PrepareShotRequest(spec=shot_pb2.ShotSpec(clip=clip, settings=spec.settings))
        shots.add(server.call("PrepareShot", wanted).shot.name)
    assert len(shots) == 3


def test_a_space_that_nobody_knows_is_refused(shared_server: ServerProcess, spec: job_pb2.JobSpec, tmp_path: Path) -> None:
    spec.clip.color_tag = "Kodachrome"
    for call in (
        lambda: shared_server.create(spec),
        lambda: shared_server.call("ExtractFrame", pb.ExtractFrameRequest(clip=spec.clip, output_path=str(tmp_path / "a.tif"))),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert refusal(caught.value)[1] == "SETTING_INVALID" and "Kodachrome" in refusal(caught.value)[2]
    assert not (tmp_path / "a.tif").exists()


def test_a_frame_carries_the_profile_of_the_named_space(shared_server: ServerProcess, clip: Path, tmp_path: Path) -> None:
    plain = pb.ExtractFrameRequest(path=str(clip), output_path=str(tmp_path / "plain.png"))
    assert list(shared_server.call("ExtractFrame", plain).notices) == []
    named = clip_pb2.ClipRef(path=str(clip), color_tag="arri_logc4")
    log = pb.ExtractFrameRequest(clip=named, output_path=str(tmp_path / "log.png"))
    (notice,) = shared_server.call("ExtractFrame", log).notices
    assert "ARRI LogC4" in notice
    assert Image.open(tmp_path / "plain.png").info["icc_profile"] == profile_bytes("Gamma 2.4 Encoded Rec.709")
    assert Image.open(tmp_path / "log.png").info["icc_profile"] == profile_bytes("ARRI LogC4")


def test_what_was_done_to_a_picture_is_told(server: ServerProcess, spec: job_pb2.JobSpec, edited: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    Image.open(edited).resize((192, 128)).save(large)
    spec.edits[0].path = str(large)
    notices = server.create(spec).notices
    assert any("192x128" in notice for notice in notices) and any("8 bits" in notice for notice in notices)
