"""From options to the job that the server gets."""

import os
from pathlib import Path
from typing import Any

import pytest

from i2vedit.v1 import job_pb2
from i2vedit_client.errors import BadInput
from i2vedit_client.painted import Painted, painted_frames
from i2vedit_client.spec import (
    PropagateOptions,
    Reading,
    ShotOptions,
    absolute,
    clip_stem,
    job_spec,
    model_reference,
    parse_range,
    parse_rate,
    shot_spec,
)


def options(**changes) -> PropagateOptions:
    return PropagateOptions(**{"clip": "a.mp4", "edits": (Painted("e.png"),), "directory": "o", **changes})


def test_a_range_is_inclusive():
    spec = job_spec(options(frames=(10, 51)))
    assert (spec.clip.source_in, spec.clip.frame_count) == (10, 42)


def test_the_clips_colour_goes_along():
    assert job_spec(options(reading=Reading(color_space="ARRI LogC4"))).clip.color_tag == "ARRI LogC4"
    assert job_spec(options()).clip.color_tag == ""
    assert shot_spec(ShotOptions("a.mp4", 0, None, "mini", "full", 0, reading=Reading(color_space="ACEScct"))).clip.color_tag == "ACEScct"


def test_without_a_range_the_whole_clip_is_meant():
    spec = job_spec(options())
    assert (spec.clip.source_in, spec.clip.frame_count) == (0, 0)


@pytest.mark.parametrize(("text", "frames"), [("0-41", (0, 41)), ("7-7", (7, 7)), (" 3 - 9 ", (3, 9)), ("0001-0010", (1, 10))])
def test_ranges_that_are_understood(text, frames):
    assert parse_range(text) == frames


@pytest.mark.parametrize("text", ["", "5", "-5", "5-", "a-b", "1-2-3", "1.0-2.0", "٣-٩", "9-3", f"0-{10**30}"])
def test_ranges_that_are_not(text):
    with pytest.raises(BadInput):
        parse_range(text)


def test_paths_are_absolute_since_the_server_runs_elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    spec = job_spec(options(clip="späce 100% 'q'.mp4"))
    paths = (spec.clip.path, spec.edits[0].path, spec.delivery.directory)
    assert all(Path(path).is_absolute() for path in paths)
    assert Path(spec.clip.path) == tmp_path / "späce 100% 'q'.mp4"
    assert absolute("~/x") == str(Path.home() / "x")


def test_the_painted_frame_is_left_to_the_server_unless_named():
    assert not job_spec(options()).edits[0].HasField("frame")
    assert job_spec(options(edits=(Painted("e.png", 0),))).edits[0].HasField("frame")


def test_pictures_and_frames_are_paired_in_order():
    assert painted_frames(["a.png"], [], []) == (Painted("a.png"),)
    assert painted_frames(["a.png"], [7], ["m.png"]) == (Painted("a.png", 7, "m.png"),)
    both = painted_frames(["b.png", "a.png"], [160, 100], ["m.mov"])
    assert both == (Painted("b.png", 160, "m.mov"), Painted("a.png", 100, "m.mov")), "one region is everybody's"
    assert [edit.region for edit in painted_frames(["a.png", "b.png"], [1, 2], ["m.png", "n.png"])] == ["m.png", "n.png"]
    assert [(edit.path, edit.frame) for edit in job_spec(options(edits=both)).edits] == [(absolute("b.png"), 160), (absolute("a.png"), 100)]


@pytest.mark.parametrize(
    ("at", "regions", "hint"),
    [
        ([], [], "2 pictures and 0 frames"),
        ([5], [], "2 pictures and 1 frame[.]"),
        ([1, 2, 3], [], "--at once for each"),
        ([5, 5], [], "Frame 5 is painted twice"),
        ([5, 6], ["a", "b", "c"], "2 pictures and 3 regions"),
    ],
)
def test_pictures_and_frames_that_do_not_pair_up(at, regions, hint):
    with pytest.raises(BadInput, match=hint):
        painted_frames(["a.png", "b.png"], at, regions)


def test_settings_arrive():
    spec = job_spec(options(preset="preview", edit="shape", seed=5, lora_steps=0, depth="float", alpha="matte", compression="piz"))
    assert spec.settings.preset == job_pb2.PRESET_PREVIEW
    assert spec.settings.edit_kind == job_pb2.EDIT_KIND_SHAPE
    assert (spec.settings.seed, spec.settings.lora_steps, spec.settings.HasField("lora_steps")) == (5, 0, True)
    assert (spec.delivery.depth, spec.delivery.alpha, spec.delivery.compression) == (job_pb2.DEPTH_FLOAT, job_pb2.ALPHA_MODE_MATTE, "piz")
    assert not job_spec(options()).settings.HasField("lora_steps")


def test_the_stride_is_a_number_or_left_to_the_shot():
    assert (job_spec(options()).settings.stride, job_spec(options()).settings.auto_stride) == (1, False)
    assert (job_spec(options(stride="4")).settings.stride, job_spec(options(stride="4")).settings.auto_stride) == (4, False)
    assert (job_spec(options(stride="auto")).settings.stride, job_spec(options(stride="auto")).settings.auto_stride) == (0, True)
    prepared = shot_spec(ShotOptions("clip.mp4", 0, None, "mini", "full", 0, stride="4"))
    assert prepared.settings.stride == 4


def test_what_is_prepared_is_what_its_job_uses():
    said: dict[str, Any] = {"preset": "balanced", "seed": 3, "lora_steps": 7, "size": (704, 384), "stride": "auto", "cuts": "ignore"}
    prepared = shot_spec(ShotOptions("a.mp4", 0, None, "mini", **said)).settings
    assert (prepared.lora_steps, prepared.ignore_cuts, prepared.picture_area) == (7, True, 704 * 384)
    used = job_spec(options(**said)).settings
    used.ClearField("edit_kind")
    assert used == prepared


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("/a/shot.mov", "shot"),
        ("/a/shot.%04d.exr", "shot"),
        ("/a/shot_####.dpx", "shot"),
        ("/a/b/%d.png", "b"),
        ("/a/100%.mov", "100%"),
        ("/a/shot.1001.exr", "shot.1001"),
    ],
)
def test_a_sequence_is_called_without_its_number(path, stem):
    assert clip_stem(path) == stem


@pytest.mark.parametrize("text", ["0", "17", "-2", "two", "1.5", "", "9" * 40])
def test_a_stride_that_is_none_is_refused(text):
    with pytest.raises(BadInput, match="from 1 to 16"):
        job_spec(options(stride=text))


def test_what_lies_inside_arrives(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    spec = job_spec(options(inside="delta", grain=0.0, edits=(Painted("e.png", region="matte.png"),)))
    assert (spec.delivery.inside, spec.delivery.grain, spec.delivery.HasField("grain")) == (job_pb2.INSIDE_DELTA, 0.0, True)
    assert spec.edits[0].region_path == str(tmp_path / "matte.png")
    left = job_spec(options())
    assert not left.delivery.HasField("grain") and not left.edits[0].region_path


def test_a_model_is_a_name_or_a_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mini").mkdir()
    assert model_reference("mini") == "mini"
    assert model_reference("svd-xt") == "svd-xt"
    assert model_reference("unknown") == "unknown"
    assert model_reference("mine") == str(tmp_path / "mine")
    assert model_reference(os.path.join("models", "svd")) == str(tmp_path / "models" / "svd")


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("24", (24, 1)),
        ("23.976", (24000, 1001)),
        ("23.98", (24000, 1001)),
        ("29.97", (30000, 1001)),
        ("59.94", (60000, 1001)),
        ("119.88", (120000, 1001)),
        ("12.5", (25, 2)),
        ("30000/1001", (30000, 1001)),
        (None, None),
    ],
)
def test_rates(text: str | None, rate: tuple[int, int] | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "0", "24/0", "-24", "24fps", "1e3", "24/1.5"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(BadInput, match="not understood"):
        parse_rate(text)


def test_how_the_clip_is_read_travels_along() -> None:
    reading = Reading(deinterlace=True, video_stream=2, rate=(25, 1), timecode="01:00:00:00")
    clip = job_spec(options(frames=(1001, 1003), reading=reading)).clip
    assert (clip.source_in, clip.frame_count, clip.deinterlace, clip.video_stream) == (1001, 3, True, 2)
    assert (clip.rate.numerator, clip.rate.denominator, clip.start_timecode) == (25, 1, "01:00:00:00")
    assert not job_spec(options()).clip.HasField("rate")
