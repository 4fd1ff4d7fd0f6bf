"""Plates that are more than a movie as it lies there: sequences, fields, and what the host knows better, over a real channel."""

import subprocess
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import OpenImageIO as oiio
import pytest
from tests.server.harness import ServerProcess, refusal

from i2vedit.v1 import clip_pb2, job_pb2, shot_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_core.media.ffmpeg import find_ffmpeg
from i2vedit_server.convert import order
from i2vedit_server.messages import NOWHERE


@pytest.fixture(scope="module")
def sequence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`shot.1001.exr` to `shot.1006.exr` of 96x64, without 1005."""
    folder = tmp_path_factory.mktemp("plates")
    for number in (1001, 1002, 1003, 1004, 1006):
        path = str(folder / f"shot.{number}.exr")
        output: Any = oiio.ImageOutput.create(path)
        assert output.open(path, oiio.ImageSpec(96, 64, 3, oiio.HALF))
        assert output.write_image(np.full((64, 96, 3), number / 2000, np.float16)) and output.close()
    return folder / "shot.%04d.exr"


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plates") / "fields.mxf"
    source = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=0.2"]
    encoder = ["-vf", "setfield=tff", "-c:v", "mpeg2video", "-pix_fmt", "yuv420p", "-flags", "+ilme+ildct"]
    subprocess.run([find_ffmpeg(), "-v", "error", *source, *encoder, str(path)], check=True)
    return path


def refused(server: ServerProcess, method: str, request: object) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        server.call(method, request, 120.0)
    _, reason, sentence = refusal(caught.value)
    return reason, sentence


def test_a_sequence_says_what_it_is(shared_server: ServerProcess, sequence: Path) -> None:
    clip = shared_server.call("ProbeClip", pb.ProbeClipRequest(path=str(sequence)), 120.0).clip
    assert (clip.first_frame, clip.frame_count, clip.pixel_format, clip.rate.numerator) == (1001, 6, "half", 24)
    assert list(clip.notices) == ["'shot.%04d.exr' lacks frame 1005."]


def test_what_the_host_knows_better(shared_server: ServerProcess, sequence: Path) -> None:
    rate = clip_pb2.Rational(numerator=30000, denominator=1001)
    reference = clip_pb2.ClipRef(path=str(sequence), rate=rate, start_timecode="00:01:00;02", source_in=1003, frame_count=1)
    clip = shared_server.call("ProbeClip", pb.ProbeClipRequest(clip=reference), 120.0).clip
    assert (clip.rate, clip.start_timecode) == (rate, "00:00:59;28")
    for wrong in (clip_pb2.Rational(numerator=-1, denominator=1), clip_pb2.Rational(numerator=24)):
        reference.rate.CopyFrom(wrong)
        assert refused(shared_server, "ProbeClip", pb.ProbeClipRequest(clip=reference))[0] == "SETTING_INVALID"


def test_a_frame_of_a_sequence(shared_server: ServerProcess, sequence: Path, tmp_path: Path) -> None:
    clip = clip_pb2.ClipRef(path=str(sequence))
    for frame, written in ((0, 1001), (1003, 1003)):
        request = pb.ExtractFrameRequest(clip=clip, frame=frame, output_path=str(tmp_path / f"{written}.exr"))
        answer = shared_server.call("ExtractFrame", request, 120.0)
        assert answer.frame == written and "lacks frame 1005" in answer.notices[0]
    request = pb.ExtractFrameRequest(clip=clip, frame=1005, output_path=str(tmp_path / "missing.exr"))
    assert refused(shared_server, "ExtractFrame", request)[0] == "FRAMES_MISSING"
    assert not (tmp_path / "missing.exr").exists()


def test_a_job_on_a_sequence(shared_server: ServerProcess, spec: job_pb2.JobSpec, sequence: Path) -> None:
    spec.clip.CopyFrom(clip_pb2.ClipRef(path=str(sequence), source_in=1001, frame_count=4))
    assert shared_server.create(spec).job.frame_count == 4
    spec.clip.CopyFrom(clip_pb2.ClipRef(path=str(sequence)))
    assert refused(shared_server, "CreateJob", pb.CreateJobRequest(spec=spec))[0] == "FRAMES_MISSING"
    spec.edits[0].frame = 1001
    spec.clip.CopyFrom(clip_pb2.ClipRef(path=str(sequence), source_in=0, frame_count=4))
    assert refused(shared_server, "CreateJob", pb.CreateJobRequest(spec=spec))[0] == "RANGE_OUTSIDE_CLIP"


def test_the_whole_clip_begins_where_it_begins(spec: job_pb2.JobSpec) -> None:
    spec.edits[0].frame = 0
    spec.settings.preset, spec.settings.edit_kind = job_pb2.PRESET_FULL, job_pb2.EDIT_KIND_LOCAL
    spec.delivery.depth, spec.delivery.alpha = job_pb2.DEPTH_AUTO, job_pb2.ALPHA_MODE_PLATE
    spec.delivery.compression, spec.delivery.color_space = "zip", "match"
    spec.delivery.inside = job_pb2.INSIDE_AUTO
    found = order("1", spec, NOWHERE)
    assert (found.first, found.last, found.edits[0].frame) == (None, None, None)
    spec.clip.frame_count = 3
    found = order("1", spec, NOWHERE)
    assert (found.first, found.last, found.edits[0].frame) == (0, 2, 0)


def test_fields_are_refused_until_somebody_asks_for_whole_frames(
    shared_server: ServerProcess, spec: job_pb2.JobSpec, fields: Path, tmp_path: Path
) -> None:
    clip = shared_server.call("ProbeClip", pb.ProbeClipRequest(path=str(fields)), 120.0).clip
    assert clip.interlaced and "--deinterlace" in clip.notices[0]
    spec.clip.CopyFrom(clip_pb2.ClipRef(path=str(fields)))
    reason, sentence = refused(shared_server, "CreateJob", pb.CreateJobRequest(spec=spec))
    assert reason == "CLIP_INTERLACED" and "--deinterlace" in sentence
    request = pb.ExtractFrameRequest(clip=spec.clip, output_path=str(tmp_path / "frame.png"))
    assert refused(shared_server, "ExtractFrame", request)[0] == "CLIP_INTERLACED"
    spec.clip.deinterlace = request.clip.deinterlace = True
    answer = shared_server.call("ExtractFrame", request, 120.0)
    assert Path(answer.output_path).exists() and "whole frames" in answer.notices[0]
    wanted = pb.PrepareShotRequest(spec=shot_pb2.ShotSpec(clip=spec.clip, settings=spec.settings))
    assert shared_server.call("PrepareShot", wanted, 120.0).shot.frame_count == clip.frame_count


def test_a_stream_that_is_not_there(shared_server: ServerProcess, clip: Path) -> None:
    request = pb.ProbeClipRequest(clip=clip_pb2.ClipRef(path=str(clip), video_stream=2))
    reason, sentence = refused(shared_server, "ProbeClip", request)
    assert reason == "SETTING_INVALID" and "1 video stream;" in sentence
