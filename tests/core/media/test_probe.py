"""Probing: what is read, and one calm sentence for everything that is not a clip."""

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.media import H264, encode, numbered_clip, numbered_frame, shared_media

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media import child
from i2vedit_core.media import probe as probe_module
from i2vedit_core.media.child import Child, ChildFailedError
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.ffmpeg import find_ffmpeg
from i2vedit_core.media.probe import probe

AWKWARD_NAMES = [
    "with space.mp4",
    "100% done %04d.mp4",
    'it\'s "quoted".mp4',
    "grün 日本語 é.mp4",
    "a:b.mp4",
    "#1 ?x=2&[y].mp4",
    "-dash.mp4",
    "a,b;c=d\\e.mp4",
]


def refused(path: str | Path) -> BridgeError:
    with pytest.raises(BridgeError) as caught:
        probe(path)
    sentence = caught.value.sentence
    assert sentence.endswith(".") and "Traceback" not in sentence and "\n" not in sentence
    return caught.value


def test_what_a_clip_says(tmp_path: Path) -> None:
    options = (
        "-timecode",
        "01:00:00;00",
        "-vf",
        "setsar=16/15,setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv",
        *H264,
    )
    clip = probe(encode(tmp_path / "clip.mov", [numbered_frame(n) for n in range(7)], options, rate="30000/1001"))
    assert (clip.width, clip.height, clip.frame_count) == (96, 64, 7)
    assert clip.rate == Fraction(30000, 1001)
    assert clip.pixel_aspect == Fraction(16, 15)
    assert clip.start_timecode == "01:00:00;00"
    assert (clip.codec, clip.pixel_format, clip.bit_depth, clip.full_range) == ("h264", "yuv420p", 8, False)
    assert (clip.matrix, clip.primaries, clip.transfer) == ("bt709", "bt709", "bt709")
    assert clip.color_space == "Gamma 2.4 Encoded Rec.709"
    assert not clip.has_alpha and clip.rotation == 0
    assert len(clip.timestamps) == 7


@pytest.mark.parametrize(
    ("transfer", "primaries", "space"),
    [
        ("smpte2084", "bt2020", "Rec.2100-PQ - Display"),
        ("arib-std-b67", "bt2020", "Rec.2100-HLG - Display"),
        ("iec61966-2-1", "bt709", "sRGB Encoded Rec.709 (sRGB)"),
        ("iec61966-2-1", "smpte432", "sRGB Encoded P3-D65"),
        ("smpte170m", "smpte170m", "Gamma 2.4 Encoded Rec.709"),
        ("unknown", "unknown", "Gamma 2.4 Encoded Rec.709"),
        ("linear", "bt2020", "Linear Rec.2020"),
    ],
)
def test_colour_spaces_are_those_of_the_pinned_config(transfer: str, primaries: str, space: str) -> None:
    import OpenImageIO as oiio

    from i2vedit_core.media import tags

    assert tags.ocio_space(primaries, transfer) == space
    assert space in oiio.ColorConfig(tags.OCIO_CONFIG).getColorSpaceNames()


def test_untagged_clips_are_601_when_small_and_709_when_large(tmp_path: Path) -> None:
    assert probe(numbered_clip(tmp_path / "small.mp4", 1)).matrix == "smpte170m"
    assert probe(encode(tmp_path / "large.mp4", [numbered_frame(0, 1280, 720)])).matrix == "bt709"


@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_awkward_names_work(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder with ' and %d and ü"
    folder.mkdir()
    path = folder / name
    path.write_bytes(numbered_clip(tmp_path / "plain.mp4", 2).read_bytes())
    assert probe(path).frame_count == 2


def test_long_paths_work(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40) / ("er" * 80)
    folder.mkdir(parents=True)
    path = folder / "clip.mp4"
    path.write_bytes(numbered_clip(tmp_path / "plain.mp4", 2).read_bytes())
    assert probe(path).frame_count == 2


def test_missing_clip(tmp_path: Path) -> None:
    error = refused(tmp_path / "nowhere.mp4")
    assert (error.code, error.reason) == (Code.NOT_FOUND, Reason.CLIP_NOT_FOUND)
    assert refused("nul\0.mp4").reason is Reason.CLIP_NOT_FOUND


def test_a_folder_is_no_clip(tmp_path: Path) -> None:
    error = refused(tmp_path)
    assert error.reason is Reason.CLIP_UNREADABLE and "folder" in error.sentence


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        ("Notes about the shot, with an é.\n".encode() * 300, "text file"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "text file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG picture"),
        (b"\0\0\0\x14ftypisom\0\0\2\0mp41" + b"\0\1\0\0mdat" + bytes(500), "moov"),
        (bytes(range(256)) * 40, "cannot be read"),
    ],
)
def test_what_is_not_a_movie(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    error = refused(path)
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, Reason.CLIP_UNREADABLE)
    assert word in error.sentence


def test_a_playlist_that_reads_local_files_is_not_followed(tmp_path: Path) -> None:
    real = numbered_clip(tmp_path / "real.ts", 3)
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{real}\n#EXT-X-ENDLIST\n")
    assert refused(playlist).reason is Reason.CLIP_UNREADABLE
    concat = tmp_path / "list.mp4"
    concat.write_text(f"ffconcat version 1.0\nfile '{real.name}'\n")
    assert refused(concat).reason is Reason.CLIP_UNREADABLE


def test_sound_alone(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    subprocess.run([find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "sine=duration=0.2", str(path)], check=True)
    error = refused(path)
    assert error.reason is Reason.CLIP_UNSUPPORTED and "no video" in error.sentence


def test_cover_art_is_not_the_picture(tmp_path: Path) -> None:
    art, sound = tmp_path / "art.png", tmp_path / "sound.mp4"
    subprocess.run([find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "color=size=32x32", "-frames:v", "1", str(art)], check=True)
    inputs = ["-f", "lavfi", "-i", "sine=duration=0.2", "-i", str(art)]
    mapping = ["-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic"]
    subprocess.run([find_ffmpeg(), "-v", "error", *inputs, *mapping, str(sound)], check=True)
    assert refused(sound).reason is Reason.CLIP_UNSUPPORTED


def test_several_video_streams(tmp_path: Path) -> None:
    large, small = numbered_clip(tmp_path / "large.mkv", 2), encode(tmp_path / "small.mkv", [numbered_frame(n, 48, 32) for n in range(3)])
    both = tmp_path / "both.mkv"
    inputs = ["-i", str(large), "-i", str(small), "-map", "0:v", "-map", "1:v", "-c", "copy"]
    subprocess.run([find_ffmpeg(), "-v", "error", *inputs, "-disposition:v:0", "0", "-disposition:v:1", "default", str(both)], check=True)
    preferred, first = probe(both), probe(both, 1)
    assert (preferred.video_stream, preferred.video_stream_count, preferred.width, preferred.frame_count) == (2, 2, 48, 3)
    assert (first.video_stream, first.width, first.frame_count) == (1, 96, 2)
    assert "2 video streams; number 1 is used" in first.notices[0]
    assert [frame.shape[1] for frame in decode_frames(preferred, 2, 2)] == [48]
    with pytest.raises(BridgeError) as caught:
        probe(both, 3)
    assert caught.value.reason is Reason.SETTING_INVALID and "has 2 video streams" in caught.value.sentence


def test_a_clip_that_is_cut_off(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (12, 64, 96, 3)).astype(np.uint8)
    whole = encode(tmp_path / "whole.mp4", frames, (*H264, "-movflags", "+faststart"))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    error = refused(cut)
    assert error.reason is Reason.CLIP_UNREADABLE and "cut off" in error.sentence


def test_matrices_that_cannot_be_decoded_are_refused_by_name(tmp_path: Path) -> None:
    path = encode(tmp_path / "ictcp.mp4", [numbered_frame(0)], ("-vf", "format=yuv420p,setparams=colorspace=ictcp", *H264))
    error = refused(path)
    assert error.reason is Reason.CLIP_UNSUPPORTED and "ictcp" in error.sentence


@pytest.mark.parametrize("program", ["import os; os.abort()", "import time; time.sleep(60)", "x = bytearray(1 << 36)", "print('not json')"])
def test_a_reader_that_crashes_hangs_or_swells_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    path = numbered_clip(tmp_path / "clip.mp4", 1)
    (tmp_path / "scan_clip.py").write_text(program)
    monkeypatch.setattr(child, "CHILDREN", tmp_path)
    monkeypatch.setattr(probe_module, "PROBE_SECONDS", 2.0)
    assert refused(path).reason is Reason.CLIP_UNREADABLE


def test_a_child_cannot_outgrow_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "grow.py").write_text("x = bytearray(8 << 30)\nprint('grown')")
    monkeypatch.setattr(child, "CHILDREN", tmp_path)
    with pytest.raises(ChildFailedError):
        Child("grow.py", 20.0).run()


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("zero_bytes.mp4", "empty"),
        ("moov_missing.mp4", "moov"),
        ("png_named_mp4.mp4", "PNG picture"),
        ("truncated_60pct_moov_first.mp4", "152 frames"),
        ("truncated_edit.png", "cut off"),
        ("chunk_out_of_range.mp4", "damaged"),
        ("test_case_1185230.mp4", "damaged"),
    ],
)
def test_corrupt_clips(name: str, word: str) -> None:
    assert word in refused(shared_media(f"corrupt/{name}")).sentence


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "size", "count", "rate"),
    [
        ("pairs/anyv2v_oldman/source.mp4", (512, 512), 16, Fraction(8)),
        ("clips/05_juggle_5s.mp4", (1280, 720), 122, Fraction(24)),
        ("clips/bbb_960x540_60p_1s.webm", (960, 540), 60, Fraction(60)),
        ("stress/edit_list_open_gop_iibbibb.mp4", (704, 576), 12, Fraction(1)),
        ("stress/vfr_hlg_rot90_editlist_iphone.mp4", (1080, 1920), 77, Fraction(30000, 1001)),
        ("stress/derived/prores422_10bit_23976_tc.mov", (1280, 720), 3, Fraction(24000, 1001)),
        ("stress/derived/mpeg2_576i50_sar16x15.mxf", (720, 576), 25, Fraction(25)),
    ],
)
def test_real_clips(name: str, size: tuple[int, int], count: int, rate: Fraction) -> None:
    clip = probe(shared_media(name))
    assert ((clip.width, clip.height), clip.frame_count, clip.rate) == (size, count, rate)
