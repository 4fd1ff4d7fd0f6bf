"""The extension in the real Blender, from a strip of a real clip to rendered pixels. `tools/blender_test.py` installs it and runs this."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.client.conftest import Command, Server
from tests.client.saving import paint
from tests.media import shared_media

from i2vedit_client.plugins.install import install
from i2vedit_client.plugins.machine import Machine
from i2vedit_core.media.ffmpeg import find_ffmpeg

HERE = Path(__file__).parent
BLENDERS = os.environ.get("I2VEDIT_BPY", "").split(os.pathsep)
"""Pythons that have `bpy`."""
LIMIT = 2 / 1023
SIZE = (640, 360)
HOSTILE = {"LD_LIBRARY_PATH": "/nowhere/lib", "PYTHONPATH": "/nowhere/python"}


@pytest.fixture(params=BLENDERS, ids=lambda path: Path(path).parents[1].name if path else "none")
def blender(request):
    if not request.param:
        pytest.skip("I2VEDIT_BPY names no Python that has bpy; tools/blender_test.py installs one and runs this")
    return request.param


@pytest.fixture
def clip(tmp_path):
    """Frames 30 to 49 of a real clip, tagged with the curve that Blender takes every 8-bit movie for."""
    source = shared_media("clips/05_juggle_5s.mp4")
    path = tmp_path / "juggle.mp4"
    scale = f"trim=start_frame=30:end_frame=50,setpts=PTS-STARTPTS,scale={SIZE[0]}:{SIZE[1]},setparams=color_trc=iec61966-2-1"
    coding = ["-c:v", "libx264", "-qp", "12", "-pix_fmt", "yuv420p"]
    tags = ["-color_primaries", "bt709", "-colorspace", "bt709", "-color_trc", "iec61966-2-1", "-color_range", "tv"]
    command = [find_ffmpeg(), "-v", "error", "-i", str(source), "-vf", scale, "-an", *coding, *tags, str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture
def server(tmp_path):
    command = Command(tmp_path / "data")
    launched = Server.launch(command.data, command.environment, "picture_runner:run")
    yield command
    launched.end()


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_strip_gets_its_result_above_it_in_the_right_colours(blender, server, clip, tmp_path):
    job = _job(clip, server, tmp_path)
    extensions = _installed(server, tmp_path)
    seen = _run(blender, extensions, job, tmp_path)
    assert seen["menu"] and seen["unregistered"] and seen["idle_poll"]
    assert seen["result"] == {
        "name": "plate v001",
        "channel": 2,
        "start": 104,
        "length": 8,
        "space": "Linear Rec.709",
        "alpha": "PREMUL",
        "offset": 2,
    }
    mine, first, second = ["take 2", 105], ["plate: Paint thi", 107], ["plate: A join th", 109]
    assert seen["markers"] == [[mine, first, second], [mine, first], [mine]]
    assert seen["reopened"] == {"asked": True, "strips": 2}
    assert seen["slowest_tick"] < 0.2 and seen["operator_seconds"] < 0.5, seen
    for frame in job["render"]:
        _compare(frame, job, tmp_path)


def _job(clip, server, tmp_path):
    reference = tmp_path / "frame.tif"
    told = server("frame", clip, "--at", "4", "--out", reference, "--no-prepare", "--json")
    assert told.code == 0, told.err
    edited = paint(reference, tmp_path / "painted.tif", 0.5, box=(200, 100, 160, 120))
    return {
        "clip": str(clip),
        "edited": str(edited),
        "model": "mini",
        "out": str(tmp_path / "out"),
        "handles": 2,
        "rate": [24, 1.0],
        "frame_start": 100,
        "offset_start": 4,
        "offset_end": 8,
        "size": SIZE,
        "render": [104, 107, 111],
        "pictures": str(tmp_path / "rendered"),
        "report": str(tmp_path / "report.json"),
        "blend": str(tmp_path / "edit.blend"),
        "seconds": 600,
    }


def _installed(server, tmp_path):
    """As `i2vedit plugins install blender` puts it into a home of its own."""
    home = tmp_path / "home"
    (home / ".config" / "blender" / "5.0").mkdir(parents=True)
    install("blender", Machine("linux", tmp_path, home, server.environment, server.data))
    return home / ".config" / "blender" / "5.0" / "extensions" / "user_default"


def _run(blender, extensions, job, tmp_path):
    words = tmp_path / "job.json"
    words.write_text(json.dumps(job))
    command = [blender, str(HERE / "in_blender.py"), str(extensions), str(words)]
    # What Blender itself would put into its children's environment, and worse.
    environment = {"HOME": str(tmp_path / "home"), **HOSTILE, "PATH": ""}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1400, cwd=tmp_path)
    assert Path(job["report"]).exists(), ran.stdout[-3000:] + ran.stderr[-3000:]
    return json.loads(Path(job["report"]).read_text())


def _compare(frame, job, tmp_path):
    """Where the patch is opaque, what was delivered; where it is not there, the plate strip's own rendering."""
    plate, result = (_read(Path(f"{job['pictures']}_{name}_{frame:04}.png")) for name in ("plate", "result"))
    source = frame - 100
    delivered = _read(tmp_path / "out" / "juggle_v001" / f"juggle_v001.{source:04}.exr")
    alpha = delivered[..., 3]
    assert (alpha == 1).sum() > 160 * 120 * 0.9
    wanted = _srgb(delivered[..., :3])
    assert np.abs(result[alpha == 1] - wanted[alpha == 1]).max() <= LIMIT
    assert np.array_equal(result[alpha == 0], plate[alpha == 0])


def _read(path):
    return np.asarray(oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT))


def _srgb(linear):
    """IEC 61966-2-1."""
    low = linear * 12.92
    return np.where(linear <= 0.0031308, low, 1.055 * np.clip(linear, 0, None) ** (1 / 2.4) - 0.055)
