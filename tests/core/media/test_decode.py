"""Decode: the right frame, the right numbers, and nothing left running."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from tests.media import H264, encode, encode_planes, numbered_clip, numbered_frame, read_number, shared_media

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media import frame_pipe, movie_frames
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.ffmpeg import find_ffmpeg
from i2vedit_core.media.probe import ClipInfo, probe

MATRICES = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}


def numbers(clip: ClipInfo, first: int, last: int) -> list[int]:
    return [read_number(frame) for frame in decode_frames(clip, first, last)]


@pytest.mark.parametrize("name", ["b_frames.mp4", "b_frames.mkv", "b_frames.mov", "b_frames.ts", "b_frames.avi"])
def test_every_range_gives_its_own_frames(tmp_path: Path, name: str) -> None:
    clip = probe(numbered_clip(tmp_path / name, 12, ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "3", "-g", "5")))
    assert clip.frame_count == 12
    for first, last in [(0, 11), (0, 0), (11, 11), (3, 7)]:
        assert numbers(clip, first, last) == list(range(first, last + 1))


@pytest.mark.parametrize("container", ["mp4", "mkv"])
@pytest.mark.parametrize("open_gop", ["0", "1"])
def test_seeking_gives_the_same_frames_as_decoding_from_the_start(tmp_path: Path, container: str, open_gop: str) -> None:
    options = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "8", "-x264-params", f"open-gop={open_gop}:bframes=3:b-adapt=0:scenecut=0")
    clip = probe(numbered_clip(tmp_path / f"gop.{container}", 60, options))
    assert len(clip.keyframes) >= 6
    whole = list(decode_frames(clip, 0, 59))
    for first in (16, 23, 24, 25, 32, 59):
        assert "ss" in movie_frames._seek_options(clip, first) or first < 24
        for offset, frame in enumerate(decode_frames(clip, first, min(first + 2, 59))):
            np.testing.assert_array_equal(frame, whole[first + offset])


def test_variable_rate_is_counted_by_frames(tmp_path: Path) -> None:
    constant = numbered_clip(tmp_path / "constant.mp4", 20)
    varied = tmp_path / "varied.mkv"
    command = [
        find_ffmpeg(),
        "-v",
        "error",
        "-i",
        str(constant),
        "-vf",
        "select=not(eq(mod(n\\,5)\\,3))",
        "-fps_mode",
        "passthrough",
        *H264,
    ]
    subprocess.run([*command, str(varied)], check=True)
    clip = probe(varied)
    assert clip.frame_count == 16
    assert numbers(clip, 0, 15) == [n for n in range(20) if n % 5 != 3]
    assert numbers(clip, 5, 8) == [6, 7, 9, 10]


def test_an_edit_list_hides_frames_from_both_count_and_decode(tmp_path: Path) -> None:
    whole = numbered_clip(tmp_path / "whole.mp4", 20, (*H264, "-g", "10"))
    cut = tmp_path / "cut.mp4"
    subprocess.run([find_ffmpeg(), "-v", "error", "-ss", "0.26", "-i", str(whole), "-c", "copy", str(cut)], check=True)
    clip = probe(cut)
    found = numbers(clip, 0, clip.frame_count - 1)
    assert found == list(range(found[0], 20))
    assert found[0] in (6, 7)


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("bits", [8, 10, 12])
def test_numbers_are_those_of_the_textbook(tmp_path: Path, matrix: str, full: bool, bits: int) -> None:
    pixels = "yuv444p" + ("" if bits == 8 else f"{bits}le")
    dtype = np.uint8 if bits == 8 else np.uint16
    planes = [np.random.default_rng(seed).integers(0, 1 << bits, (32, 48)).astype(dtype) for seed in range(3)]
    path = encode_planes(tmp_path / "codes.mkv", planes, pixels, f"colorspace={matrix}:range={'pc' if full else 'tv'}")
    clip = probe(path)
    assert (clip.matrix, clip.full_range, clip.bit_depth) == (matrix, full, bits)
    (frame,) = decode_frames(clip, 0, 0)

    y, u, v = (plane.astype(np.float64) for plane in planes)
    step = 1 << (bits - 8)
    luma, chroma = ((1 << bits) - 1,) * 2 if full else (219 * step, 224 * step)
    y, u, v = (y - (0 if full else 16 * step)) / luma, (u - 128 * step) / chroma, (v - 128 * step) / chroma
    kr, kb = MATRICES[matrix]
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    np.testing.assert_allclose(frame, np.stack([red, green, blue], axis=2), atol=5e-7)


def test_black_and_white_are_exact(tmp_path: Path) -> None:
    luma = np.full((16, 16), 16, np.uint8)
    luma[:, 8:] = 235
    chroma = np.full((8, 8), 128, np.uint8)
    (frame,) = decode_frames(probe(encode_planes(tmp_path / "ends.mkv", [luma, chroma, chroma], "yuv420p")), 0, 0)
    np.testing.assert_array_equal(np.unique(frame), [0.0, 1.0])


def test_chroma_is_interpolated_where_it_was_sampled(tmp_path: Path) -> None:
    """A linear ramp of chroma, sampled on the left of each pair as H.264 has it, comes back linear and unshifted."""
    width, height = 64, 32
    luma = np.full((height, width), 126, np.uint8)
    x = np.arange(width // 2) * 2
    y = np.arange(height // 2) * 2 + 0.5
    blue = np.broadcast_to(64 + x, (height // 2, width // 2)).astype(np.uint8)
    red = np.broadcast_to((np.round(64 + 2 * y))[:, None], (height // 2, width // 2)).astype(np.uint8)
    path = encode_planes(tmp_path / "ramp.mkv", [luma, blue, red], "yuv420p", "colorspace=bt709")
    (frame,) = decode_frames(probe(path), 0, 0)
    base = (126 - 16) / 219
    expected_blue = base + 2 * (1 - 0.0722) * (64 + np.arange(width) - 128) / 224
    np.testing.assert_allclose(frame[8, 1:-2, 2], expected_blue[1:-2], atol=1e-6)
    expected_red = base + 2 * (1 - 0.2126) * (64 + 2 * np.arange(height) - 128) / 224
    np.testing.assert_allclose(frame[1:-1, 9, 0], expected_red[1:-1], atol=1e-6)


def test_rgb_and_alpha_keep_their_codes(tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(0, 256, (16, 24, 4)).astype(np.uint8)
    path = encode(tmp_path / "alpha.mov", [codes], ("-c:v", "qtrle", "-pix_fmt", "argb"), pixels="rgba")
    clip = probe(path)
    assert clip.has_alpha and clip.matrix == "gbr" and clip.full_range
    (frame,) = decode_frames(clip, 0, 0)
    np.testing.assert_array_equal(np.rint(frame * 255).astype(np.uint8), codes)


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    codes = np.random.default_rng(2).integers(0, 65536, (16, 24, 3)).astype("<u2")
    path = encode(tmp_path / "deep.mkv", [codes], ("-c:v", "ffv1", "-pix_fmt", "gbrp16le"), pixels="rgb48le")
    (frame,) = decode_frames(probe(path), 0, 0)
    np.testing.assert_array_equal(np.rint(frame.astype(np.float64) * 65535), codes)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_applied(tmp_path: Path, degrees: int) -> None:
    stored = numbered_clip(tmp_path / "stored.mp4", 1)
    turned = tmp_path / "turned.mp4"
    command = [find_ffmpeg(), "-v", "error", "-display_rotation", str(-degrees), "-i", str(stored), "-c", "copy", str(turned)]
    subprocess.run(command, check=True)
    clip = probe(turned)
    assert clip.rotation == degrees
    (upright,), (frame,) = decode_frames(probe(stored), 0, 0), decode_frames(clip, 0, 0)
    assert frame.shape[:2] == (clip.height, clip.width)
    np.testing.assert_array_equal(frame, np.rot90(upright, -degrees // 90))


def test_ranges_outside_the_clip(tmp_path: Path) -> None:
    clip = probe(numbered_clip(tmp_path / "short.mp4", 3))
    for first, last in [(0, 3), (-1, 1), (2, 1), (9, 9)]:
        with pytest.raises(BridgeError) as caught:
            decode_frames(clip, first, last)
        assert caught.value.reason is Reason.RANGE_OUTSIDE_CLIP


def test_a_frame_that_does_not_decode_is_an_error(tmp_path: Path) -> None:
    clip = probe(numbered_clip(tmp_path / "short.mp4", 6))
    promised = replace(clip, frame_count=7, timestamps=(*clip.timestamps, clip.timestamps[-1] + 512))
    with pytest.raises(BridgeError) as caught:
        list(decode_frames(promised, 0, 6))
    assert caught.value.reason is Reason.CLIP_UNREADABLE
    assert "6 can be decoded" in caught.value.sentence


def _ffmpeg_children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "ffmpeg" in child.name()]


def test_ffmpeg_ends_with_the_generator(tmp_path: Path) -> None:
    path = encode(tmp_path / "long.mp4", [numbered_frame(n, 640, 480) for n in range(60)])
    frames = decode_frames(probe(path), 0, 59)
    next(frames)
    assert _ffmpeg_children()
    frames.close()  # type: ignore[attr-defined]
    assert not _ffmpeg_children()


def test_a_decoder_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = probe(numbered_clip(tmp_path / "short.mp4", 2))
    monkeypatch.setattr(frame_pipe, "FRAME_SECONDS", 0.5)
    monkeypatch.setattr(movie_frames, "_command", lambda *_: ["sleep", "60"])
    started = time.monotonic()
    with pytest.raises(BridgeError):
        list(decode_frames(clip, 0, 1))
    assert time.monotonic() - started < 10


@pytest.mark.media
def test_golden_frames() -> None:
    from PIL import Image

    clip = probe(shared_media("stress/first_frame_golden_testvid.mp4"))
    for number in (0, 14, 29):
        golden = np.asarray(Image.open(shared_media(f"stress/first_frame_golden_testvid_{number:03}.png")), np.float32) / 255
        (frame,) = decode_frames(clip, number, number)
        # The golden frames were made without chroma interpolation, so edges differ.
        assert np.abs(np.clip(frame, 0, 1) - golden).mean() < 0.002


@pytest.mark.media
def test_full_and_limited_range_decode_alike() -> None:
    from PIL import Image

    truth = np.asarray(Image.open(shared_media("stress/greyramp_raw.png")).convert("RGB"), np.float32) / 255
    for name in ("stress/greyramp_full.mp4", "stress/greyramp_tv.mp4"):
        (frame,) = decode_frames(probe(shared_media(name)), 0, 0)
        assert np.abs(frame - truth).max() < 0.5 / 219 + 1e-4
