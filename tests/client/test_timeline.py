"""Shots from timelines, and timelines with the result: read back with the library."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest
from tests.client.saving import paint
from tests.media import encode, numbered_frame

from i2vedit_client.errors import BadInput, ClientError
from i2vedit_client.timeline import open_shot, write_results
from i2vedit_core.media.ffmpeg import find_ffmpeg

RATE = 24


def time(value, rate=RATE):
    return otio.opentime.RationalTime(value, rate)


def span(start, length, rate=RATE):
    return otio.opentime.TimeRange(time(start, rate), time(length, rate))


def timeline(path, media, **changes):
    """Ten frames of another clip, then frames 1 to 4 of the clip, on a timeline that begins at 01:00:00:00."""
    made = otio.schema.Timeline("Cut", global_start_time=time(86400))
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    made.tracks.append(track)
    track.append(otio.schema.Gap(source_range=span(0, 4)))
    track.append(otio.schema.Clip("other", otio.schema.MissingReference(), span(0, 10)))
    reference = changes.get("reference") or otio.schema.ExternalReference(media, span(100, 6))
    clip = otio.schema.Clip("A001", reference, changes.get("shown", span(101, 4)))
    if "effect" in changes:
        clip.effects.append(changes["effect"])
    track.append(clip)
    for _ in range(changes.get("again", 0)):
        track.append(clip.deepcopy())
    otio.adapters.write_to_file(made, str(path))
    return path


def result_of(path):
    """The clip on the track above."""
    return otio.adapters.read_from_file(str(path)).video_tracks()[1].find_clips()[0]


def test_a_clip_of_a_timeline_is_propagated_and_comes_back_in_one(studio, clip, edited, model, tmp_path):
    path = timeline(tmp_path / "cut.otio", clip.as_uri())
    words = ["propagate", "--otio", path, "--clip", "A001", "--edited", edited, "--out", tmp_path / "out", "--model", model, "--json"]
    outcome = studio(*words, seconds=200)
    assert outcome.code == 0, outcome.err
    assert sorted(file.name for file in (tmp_path / "out" / "shot_v001").iterdir()) == [
        f"shot_v001.{number:04}.exr" for number in range(1, 5)
    ]
    for name in outcome.last["timelines"]:
        read = otio.adapters.read_from_file(name)
        below, above = read.video_tracks()
        assert (below.name, above.name) == ("V1", "I2VEdit")
        (result,) = above.find_clips()
        original = next(each for each in below.find_clips() if each.name == "A001")
        assert result.range_in_parent() == original.range_in_parent()
        assert result.trimmed_range().duration == original.trimmed_range().duration
    sequence, bare = (
        otio.adapters.read_from_file(name).video_tracks()[1].find_clips()[0].media_reference for name in outcome.last["timelines"]
    )
    assert isinstance(sequence, otio.schema.ImageSequenceReference)
    delivered = tmp_path / "out" / "shot_v001"
    urls = [sequence.target_url_for_image_number(number) for number in range(sequence.number_of_images_in_sequence())]
    assert urls == [(delivered / f"shot_v001.{number:04}.exr").as_uri() for number in range(1, 5)]
    assert bare.target_url == str(delivered / "shot_v001.[0001-0004].exr")


def test_handles_are_delivered_and_left_out_of_the_clip(studio, clip, edited, model, tmp_path):
    path = timeline(tmp_path / "cut.otio", clip.as_uri())
    words = [
        "propagate",
        "--otio",
        path,
        "--clip",
        "A001",
        "--edited",
        edited,
        "--out",
        tmp_path / "out",
        "--model",
        model,
        "--handles",
        "3",
    ]
    outcome = studio(*words, "--json", seconds=200)
    assert outcome.code == 0, outcome.err
    assert len(list((tmp_path / "out" / "shot_v001").iterdir())) == 6, "as far as the media has them"
    for name in outcome.last["timelines"]:
        result = result_of(name)
        assert result.trimmed_range().duration.value == 4
        assert (result.source_range.start_time - result.media_reference.available_range.start_time).value == 1


def test_the_timing_is_that_of_the_video_stream_that_is_asked_for(studio, edited, model, tmp_path):
    """The stream that the file prefers is too short for the clip, and the timeline does not say how long its media are."""
    short, long = (encode(tmp_path / f"{count}.mkv", [numbered_frame(number) for number in range(count)]) for count in (2, 6))
    both = tmp_path / "shot.mkv"
    inputs = ["-i", str(short), "-i", str(long), "-map", "0:v", "-map", "1:v", "-c", "copy"]
    subprocess.run([find_ffmpeg(), "-v", "error", *inputs, "-disposition:v:0", "default", "-disposition:v:1", "0", str(both)], check=True)
    path = timeline(tmp_path / "cut.otio", "", reference=otio.schema.ExternalReference(both.as_uri()), shown=span(1, 4))
    words = ["propagate", "--otio", path, "--clip", "A001", "--edited", edited, "--out", tmp_path / "out", "--model", model, "--json"]
    assert studio(*words).last["reason"] == "OUTSIDE_MEDIA"
    outcome = studio(*words, "--video-stream", "2", seconds=200)
    assert outcome.code == 0, outcome.err
    numbers = [file.name for file in sorted((tmp_path / "out" / "shot_v001").iterdir())]
    assert numbers == [f"shot_v001.{number:04}.exr" for number in range(1, 5)]


@pytest.mark.parametrize("name", ["plate.mov", "späte 100% #1.mov"])
@pytest.mark.parametrize("form", ["url", "bare", "relative"])
def test_media_are_found_however_they_are_written(tmp_path, name, form):
    media = tmp_path / name
    media.touch()
    url = {"url": media.as_uri(), "bare": str(media), "relative": name}[form]
    shot = open_shot(str(timeline(tmp_path / "cut.otio", url)), "A001")
    assert Path(shot.host_clip.path) == media
    told = shot.host_clip
    assert (told.record_start, told.record_count, told.timeline_rate, told.media_frames) == (86414, 4, Fraction(24), 6)
    assert told.span(Fraction(24), 6).source_frames == (1, 2, 3, 4)


def pictures_of(folder, **changes):
    """Numbers 1001 to 1006, of which the timeline says that they begin at its frame 100."""
    told = {"name_prefix": "shot.", "name_suffix": ".png", "start_frame": 1001, "rate": RATE, "frame_zero_padding": 4}
    told |= {"available_range": span(100, 6), **changes}
    return otio.schema.ImageSequenceReference(target_url_base=folder.as_uri(), **told)


@pytest.mark.parametrize(
    ("changes", "pattern"), [({}, "shot.%04d.png"), ({"frame_zero_padding": 0}, "shot.%d.png"), ({"name_prefix": "ü %1."}, "ü %1.%04d.png")]
)
def test_pictures_of_a_timeline_are_taken_by_their_numbers(tmp_path, changes, pattern):
    shot = open_shot(str(timeline(tmp_path / "cut.otio", "", reference=pictures_of(tmp_path / "späte", **changes))), "A001")
    told = shot.host_clip
    assert told.path == str(tmp_path / "späte" / pattern)
    assert (told.media_start, told.media_frames, told.media_rate) == (1001, 6, Fraction(24))
    assert told.span(Fraction(24), 42, 1001).source_frames == (1002, 1003, 1004, 1005)
    # Meanwhile somebody has rendered more of it at its beginning.
    assert told.span(Fraction(24), 50, 993).source_frames == (1002, 1003, 1004, 1005)


def test_pictures_as_resolve_names_them(tmp_path):
    reference = otio.schema.ExternalReference("/plates/shot.[1001-1006].exr", span(86400, 6))
    told = open_shot(str(timeline(tmp_path / "cut.otio", "", reference=reference, shown=span(86401, 4))), "A001").host_clip
    assert (told.path, told.media_start) == ("/plates/shot.%04d.exr", 1001)
    assert told.span(Fraction(24), 6, 1001).source_frames == (1002, 1003, 1004, 1005)


def test_pictures_of_a_timeline_are_propagated(studio, pictures, model, tmp_path):
    path = timeline(tmp_path / "cut.otio", "", reference=pictures_of(pictures.parent))
    painted = paint(pictures.with_name("shot.1002.png"), tmp_path / "painted.tif", 0.5)
    words = ["propagate", "--otio", path, "--clip", "A001", "--edited", painted, "--out", tmp_path / "out", "--model", model, "--json"]
    outcome = studio(*words, seconds=200)
    assert outcome.code == 0, outcome.err
    delivered = sorted(file.name for file in (tmp_path / "out" / "shot_v001").iterdir())
    assert delivered == [f"shot_v001.{number}.exr" for number in range(1002, 1006)]
    assert result_of(outcome.last["timelines"][0]).media_reference.start_frame == 1002


@pytest.mark.parametrize(
    ("changes", "name", "reason", "hint"),
    [
        ({"effect": otio.schema.LinearTimeWarp(time_scalar=2.0)}, "A001", "RETIMED", "speed"),
        ({"effect": otio.schema.FreezeFrame()}, "A001", "RETIMED", "speed"),
        ({"reference": otio.schema.MissingReference()}, "A001", "NOT_A_CLIP", "no movie file"),
        ({"reference": pictures_of(Path("/plates"), frame_step=2)}, "A001", "NOT_A_CLIP", "steps of 2"),
        ({"reference": pictures_of(Path("/plates"), available_range=None)}, "A001", "NOT_A_CLIP", "how long"),
        ({"reference": otio.schema.GeneratorReference(generator_kind="bars")}, "A001", "NOT_A_CLIP", "no movie file"),
        ({}, "B002", "USAGE", "A001, other"),
        ({"again": 1}, "A001", "USAGE", "A001#2"),
        ({"again": 1}, "A001#3", "USAGE", "2 clips"),
    ],
)
def test_what_cannot_be_taken_from_a_timeline_is_said(tmp_path, changes, name, reason, hint):
    path = timeline(tmp_path / "cut.otio", "/plates/a.mov", **changes)
    with pytest.raises(ClientError) as caught:
        open_shot(str(path), name)
    assert caught.value.failure.reason == reason and hint in caught.value.failure.sentence


def test_the_second_of_a_name_lies_after_the_first(tmp_path):
    path = str(timeline(tmp_path / "cut.otio", "/plates/a.mov", again=2))
    assert [open_shot(path, f"A001#{number}").host_clip.record_start for number in (1, 2, 3)] == [86414, 86418, 86422]


def test_what_is_no_timeline_is_refused(tmp_path):
    path = tmp_path / "cut.otio"
    for text in ("", "{}", json.dumps({"OTIO_SCHEMA": "Clip.2"})):
        path.write_text(text)
        with pytest.raises(BadInput):
            open_shot(str(path), "A001")
    with pytest.raises(BadInput, match="cannot be read"):
        open_shot(str(tmp_path / "none.otio"), "A001")


def test_a_timeline_of_final_cut_is_read_where_its_adapter_is(tmp_path):
    if "fcp_xml" not in otio.adapters.available_adapter_names():
        pytest.skip("otio-fcp-adapter is not installed")
    made = otio.adapters.read_from_file(str(timeline(tmp_path / "cut.otio", "file:///plates/a.mov")))
    path = tmp_path / "cut.xml"
    otio.adapters.write_to_file(made, str(path), "fcp_xml")
    told = open_shot(str(path), "A001").host_clip
    assert (told.path, told.record_count) == ("/plates/a.mov", 4)
    assert told.span(Fraction(24), 6).source_frames == (1, 2, 3, 4)


def test_handles_and_timecode_reach_the_other_form(tmp_path):
    shot = open_shot(str(timeline(tmp_path / "cut.otio", "/plates/a.mov")), "A001")
    placed = {"directory": str(tmp_path / "a_v001"), "pattern": "a_v001.%04d.exr", "first_number": 8, "count": 8, "skip": 2, "take": 4}
    placed |= {"rate": "24/1", "rate_number": 24.0, "timecode": "01:00:00:10", "job": "jobs/1", "note": "", "alpha": "premultiplied"}
    _, bare = write_results(shot, {**placed, "clip_name": "A001 v001"})
    result = result_of(bare)
    assert result.source_range.start_time.value == 86410, "the source timecode of the first frame that is shown"
    assert result.media_reference.available_range == span(86408, 8)
