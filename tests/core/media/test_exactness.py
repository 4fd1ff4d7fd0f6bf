"""Frame k asked for is frame k delivered: at every rate, in every container, and in every clip of the shared media folder."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.media import H264, encode, numbered_clip, numbered_frame, read_number, shared_media

from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.pixels import Layout, Picture, to_rgb
from i2vedit_core.media.probe import ClipInfo, probe

COUNT = 40
B_FRAMES = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "veryfast", "-bf", "3", "-b_strategy", "0", "-g", "12")
PYRAMID = (*B_FRAMES, "-x264-params", "b-pyramid=normal:open-gop=1:scenecut=0")
PRORES = ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le")
VP9 = ("-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p", "-deadline", "realtime", "-cpu-used", "8", "-g", "10")
MPEG2 = ("-c:v", "mpeg2video", "-pix_fmt", "yuv420p", "-bf", "2", "-q:v", "3")
MADE = [
    ("12.mp4", "12", B_FRAMES),
    ("15.mov", "15", B_FRAMES),
    ("23976.mp4", "24000/1001", PYRAMID),
    ("23976.mov", "24000/1001", PRORES),
    ("24.mkv", "24", PYRAMID),
    ("25.mxf", "25", MPEG2),
    ("2997.mp4", "30000/1001", B_FRAMES),
    ("2997.ts", "30000/1001", MPEG2),
    ("30.webm", "30", VP9),
    ("48.mp4", "48", PYRAMID),
    ("50.mkv", "50", B_FRAMES),
    ("5994.mov", "60000/1001", PYRAMID),
    ("5994.webm", "60000/1001", VP9),
    ("60.mkv", "60", B_FRAMES),
    ("100.mp4", "100", B_FRAMES),
    ("11988.mkv", "120000/1001", PYRAMID),
    ("120.mp4", "120", PYRAMID),
    ("24.avi", "24", MPEG2),
]


SHARED = (
    "clips/01_dog.mp4",
    "clips/05_juggle_5s.mp4",
    "clips/bbb_960x540_60p_1s.webm",
    "clips/boxing_cats_81f.mp4",
    "clips/gopro_karma_aerial.mp4",
    "clips/nasa_two_video_streams.mp4",
    "clips/wolf.mp4",
    "stress/bt601_mixed_tags_29_41.mov",
    "stress/derived/dnxhr_hqx_10bit_24.mov",
    "stress/derived/h264_1080i5994_tff.mp4",
    "stress/derived/mpeg2_576i50_sar16x15.mxf",
    "stress/derived/odd_853x479_yuv420p.webm",
    "stress/derived/odd_853x479_yuv444p.mp4",
    "stress/derived/prores422_10bit_23976_tc.mov",
    "stress/edit_list_open_gop_iibbibb.mp4",
    "stress/edit_list_start_at_1s.mp4",
    "stress/first_frame_golden_testvid.mp4",
    "stress/fullrange_gamma22_60.mp4",
    "stress/greyramp_full.mp4",
    "stress/greyramp_tv.mp4",
    "stress/h264_10bit_420.mp4",
    "stress/hdr10_pq_1frame.mp4",
    "stress/hlg10_colour_chart.mp4",
    "stress/p3_primaries.mp4",
    "stress/pq_av1_mdcv_clli_5994.mp4",
    "stress/rot90_1frame_100x60.mp4",
    "stress/rotate_and_reflect.mp4",
    "stress/sar64x45_bpyramid.mp4",
    "stress/vfr_android_slowmo_fullrange.mp4",
    "stress/vfr_hdr10_container_says_sdr.mp4",
    "stress/vfr_hlg_rot90_editlist_iphone.mp4",
    "stress/yuv422p10_av1_1frame.mp4",
    "stress/yuv422p10_h264_1frame.mp4",
    "stress/yuv422p10_hevc_1frame.mp4",
    "stress/yuv422p10_vp9_1frame.mp4",
)


def numbers(clip: ClipInfo, first: int, last: int) -> list[int]:
    return [read_number(frame) for frame in decode_frames(clip, first, last)]


@pytest.mark.parametrize(("name", "rate", "options"), MADE, ids=[made[0] for made in MADE])
def test_every_rate(tmp_path: Path, name: str, rate: str, options: tuple[str, ...]) -> None:
    clip = probe(numbered_clip(tmp_path / name, COUNT, options, rate))
    assert (clip.frame_count, clip.rate) == (COUNT, Fraction(rate))
    assert numbers(clip, 0, COUNT - 1) == list(range(COUNT))
    for first, last in ((17, 17), (24, 26), (COUNT - 1, COUNT - 1)):
        assert numbers(clip, first, last) == list(range(first, last + 1))


@pytest.mark.parametrize(
    ("rate", "start", "frame", "label"),
    [
        ("30000/1001", "00:00:59;28", 2, "00:01:00;02"),
        ("30000/1001", "00:00:59:28", 2, "00:01:00:00"),
        ("60000/1001", "00:00:59;58", 2, "00:01:00;04"),
        ("24000/1001", "01:00:00:23", 1, "01:00:01:00"),
        ("25", "23:59:59:24", 1, "00:00:00:00"),
    ],
)
def test_labels_of_frames(tmp_path: Path, rate: str, start: str, frame: int, label: str) -> None:
    clip = probe(numbered_clip(tmp_path / "labelled.mov", 3, (*H264, "-timecode", start), rate))
    assert clip.start_timecode == start and str(clip.timecode_of(frame)) == label


@pytest.mark.parametrize(
    ("name", "options", "label"),
    [
        ("a.mxf", MPEG2, "10:11:12:13"),
        ("a.mov", PRORES, "10:11:12:13"),
        ("a.mp4", H264, "10:11:12:13"),
        # ffmpeg's encoder writes the label of the next picture into the group's header.
        ("a.ts", MPEG2, "10:11:12:14"),
    ],
)
def test_timecode_from_where_it_hides(tmp_path: Path, name: str, options: tuple[str, ...], label: str) -> None:
    """A track, the container's header, and MPEG-2's groups of pictures."""
    clip = probe(encode(tmp_path / name, [numbered_frame(n) for n in range(COUNT)], (*options, "-timecode", "10:11:12:13"), "25"))
    assert clip.start_timecode == label


def reference(clip: ClipInfo, chosen: set[int]) -> tuple[int, dict[int, Picture]]:
    """How many frames there are, and some of them, from a decode of the whole file in one go by another library."""
    found: dict[int, Picture] = {}
    layout = Layout.of(clip)
    with av.open(str(clip.path)) as container:
        stream: Any = container.streams[clip.stream_index]
        number = -1
        frame: Any
        for number, frame in enumerate(container.decode(stream)):
            if number in chosen:
                planes = frame.reformat(format=clip.planar_format).planes
                raw = b"".join(_tight(plane, layout.dtype.itemsize) for plane in planes)
                found[number] = to_rgb(raw, layout, clip)
    return number + 1, found


def _tight(plane, sample_bytes: int) -> bytes:
    """A plane without what pads its lines."""
    lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width * sample_bytes].tobytes()


@pytest.mark.media
@pytest.mark.parametrize("name", SHARED)
def test_shared_clips(name: str) -> None:
    clip = probe(shared_media(name))
    last = clip.frame_count - 1
    chosen = {0, min(1, last), last // 2, last}
    count, pictures = reference(clip, chosen)
    assert count == clip.frame_count
    for number in chosen:
        (picture,) = decode_frames(clip, number, number)
        np.testing.assert_array_equal(picture, pictures[number], err_msg=f"frame {number}")
