"""Sequences of pictures as plates: what they hold comes back to the bit, and what is wrong with one is said by its name."""

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray
from tests.media import numbered_frame, read_number, shared_media

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media import child, sequence_clip
from i2vedit_core.media.clip import Window
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.fingerprint import sha256_of_plate, stamp_of_plate
from i2vedit_core.media.limits import Limits
from i2vedit_core.media.probe import ClipInfo, probe
from i2vedit_core.media.source import ClipSource
from i2vedit_core.shot import Shot

TYPES = {"uint8": oiio.UINT8, "uint16": oiio.UINT16, "float16": oiio.HALF, "float32": oiio.FLOAT, "uint32": oiio.UINT32}


def write(path: Path, pixels: NDArray[Any], **attributes: Any) -> Path:
    """A picture `[H, W, C]` in its own type. Attributes with `_` for `:` go into the header, `channels` and `at` into the spec."""
    height, width, count = pixels.shape
    spec = oiio.ImageSpec(width, height, count, TYPES[str(pixels.dtype)])
    if "channels" in attributes:
        spec.channelnames = attributes.pop("channels")
    if "window" in attributes:
        spec.x, spec.y, spec.full_x, spec.full_y, spec.full_width, spec.full_height = attributes.pop("window")
    for name, value in attributes.items():
        spec.attribute(name.replace("_", ":"), *(value if isinstance(value, tuple) else (value,)))
    output: Any = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec) and output.write_image(pixels) and output.close(), output.geterror()
    return path


def numbered(folder: Path, numbers: list[int], ending: str = "png", dtype: str = "uint8") -> Path:
    """A sequence whose pictures spell their numbers (modulo 256); gives its pattern."""
    for number in numbers:
        codes = numbered_frame(number % 256).astype(np.float32) / 255
        pixels = np.rint(codes * np.iinfo(dtype).max).astype(dtype) if dtype.startswith("uint") else codes.astype(dtype)
        write(folder / f"shot.{number:04}.{ending}", pixels)
    return folder / f"shot.%04d.{ending}"


def refused(path: Path) -> BridgeError:
    with pytest.raises(BridgeError) as caught:
        list(decode_frames(clip := probe(path), clip.first_frame, clip.last_frame))
    sentence = caught.value.sentence
    assert sentence.endswith(".") and "\n" not in sentence and "Traceback" not in sentence
    return caught.value


def only_frame(path: Path) -> tuple[ClipInfo, NDArray[np.float32]]:
    clip = probe(path)
    (picture,) = decode_frames(clip, clip.first_frame, clip.last_frame)
    return clip, picture


@pytest.mark.parametrize("ending", ["exr", "dpx", "tif", "png", "jpg"])
def test_frames_are_called_by_the_numbers_of_their_files(tmp_path: Path, ending: str) -> None:
    clip = probe(numbered(tmp_path, [98, 99, 100, 101], ending, "float16" if ending == "exr" else "uint8"))
    assert (clip.first_frame, clip.last_frame, clip.frame_count, clip.rate, clip.stem) == (98, 101, 4, Fraction(24), "shot")
    assert [read_number(frame) for frame in decode_frames(clip, 99, 101)] == [99, 100, 101]
    with pytest.raises(BridgeError) as caught:
        decode_frames(clip, 0, 3)
    assert caught.value.reason is Reason.RANGE_OUTSIDE_CLIP and "has frames 98 to 101" in caught.value.sentence


@pytest.mark.parametrize(
    ("ending", "dtype", "attributes", "depth"),
    [
        ("dpx", "uint16", {"oiio_BitsPerSample": 10}, 10),
        ("dpx", "uint16", {"oiio_BitsPerSample": 12}, 12),
        ("dpx", "uint16", {}, 16),
        ("tif", "uint8", {}, 8),
        ("tif", "uint16", {}, 16),
        ("png", "uint16", {}, 16),
    ],
)
def test_whole_numbers_are_codes_between_black_and_white(
    tmp_path: Path, ending: str, dtype: str, attributes: dict[str, Any], depth: int
) -> None:
    codes = np.random.default_rng(3).integers(0, 1 << depth, (16, 24, 3))
    codes[0, 0], codes[0, 1] = 0, (1 << depth) - 1
    stored = np.iinfo(dtype).bits
    # As a file of 16 bits holds 10: the upper bits, and those again below, so that white is white.
    widened = (codes << (stored - depth) | codes >> (2 * depth - stored)).astype(dtype)
    clip, picture = only_frame(write(tmp_path / f"codes.{ending}", widened, **attributes))
    assert clip.bit_depth == depth and clip.pixel_format == f"uint{depth}" and clip.fits_half == (depth <= 10)
    np.testing.assert_array_equal(picture, codes.astype(np.float32) / np.float32((1 << depth) - 1))


def test_every_half_keeps_its_bits(tmp_path: Path) -> None:
    """NaN with whatever they carry, infinities and denormals among them."""
    halves = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, axis=2).view(np.float16)
    clip, picture = only_frame(write(tmp_path / "halves.exr", halves, compression="zip"))
    assert clip.pixel_format == "half" and clip.fits_half and clip.transfer == "linear"
    np.testing.assert_array_equal(picture.astype(np.float16).view(np.uint16), halves.view(np.uint16))


def test_floats_keep_their_bits(tmp_path: Path) -> None:
    bits = np.random.default_rng(4).integers(0, 1 << 32, (64, 64, 3), np.uint32)
    bits[0, 0] = 0x7FC12345, 0xFF800000, 0x00000001
    clip, picture = only_frame(write(tmp_path / "floats.exr", bits.view(np.float32), compression="zip"))
    assert clip.pixel_format == "float" and not clip.fits_half
    np.testing.assert_array_equal(picture.view(np.uint32), bits)


def test_counts_stay_what_they_are(tmp_path: Path) -> None:
    counts = np.random.default_rng(5).integers(0, 1 << 20, (8, 8, 3)).astype(np.uint32)
    _, picture = only_frame(write(tmp_path / "counts.exr", counts))
    np.testing.assert_array_equal(picture, counts)


def test_the_picture_is_the_display_window(tmp_path: Path) -> None:
    pixels = np.random.default_rng(6).random((20, 30, 3)).astype(np.float32)
    clip, picture = only_frame(write(tmp_path / "inside.exr", pixels, window=(-4, 6, -10, 0, 50, 40)))
    assert clip.window == Window(-10, 0, 50, 40) and (clip.width, clip.height) == (50, 40)
    np.testing.assert_array_equal(picture[6:26, 6:36], pixels)
    assert picture[:6].max() == picture[26:].max() == picture[:, :6].max() == picture[:, 36:].max() == 0
    _, cropped = only_frame(write(tmp_path / "overscan.exr", pixels, window=(-5, -5, 0, 0, 16, 9)))
    np.testing.assert_array_equal(cropped, pixels[5:14, 5:21])


@pytest.mark.parametrize(
    ("channels", "layer", "chosen"),
    [
        (("R", "G", "B"), "", [0, 1, 2]),
        (("B", "G", "R", "A"), "", [2, 1, 0, 3]),
        (("depth.Z", "R", "G", "B", "A", "left.R"), "", [1, 2, 3, 4]),
        (("diffuse.R", "diffuse.G", "diffuse.B", "beauty.R"), "diffuse", [0, 1, 2]),
        (("Y",), "", [0, 0, 0]),
        (("Y", "A"), "", [0, 0, 0, 1]),
        (("r", "g", "b"), "", [0, 1, 2]),
    ],
)
def test_which_channels_are_the_picture(tmp_path: Path, channels: tuple[str, ...], layer: str, chosen: list[int]) -> None:
    pixels = np.random.default_rng(7).random((4, 6, len(channels))).astype(np.float16)
    clip, picture = only_frame(write(tmp_path / "layers.exr", pixels, channels=channels))
    assert clip.layer == layer and clip.has_alpha == clip.premultiplied == (len(chosen) == 4)
    assert any(layer in notice for notice in clip.notices) == bool(layer)
    # The file keeps its channels in an order of its own.
    source: Any = oiio.ImageInput.open(str(tmp_path / "layers.exr"))
    stored = list(source.spec().channelnames)
    where = [stored.index(channels[index]) for index in chosen]
    np.testing.assert_array_equal(picture, source.read_image(0, 0, 0, len(stored), oiio.FLOAT)[:, :, where])


def test_tiles(tmp_path: Path) -> None:
    pixels = np.random.default_rng(8).random((70, 90, 3)).astype(np.float16)
    spec = oiio.ImageSpec(90, 70, 3, oiio.HALF)
    spec.tile_width = spec.tile_height = 32
    output: Any = oiio.ImageOutput.create(str(tmp_path / "tiles.exr"))
    assert output.open(str(tmp_path / "tiles.exr"), spec) and output.write_image(pixels) and output.close()
    _, picture = only_frame(tmp_path / "tiles.exr")
    np.testing.assert_array_equal(picture, pixels.astype(np.float32))


def test_a_part_of_several(tmp_path: Path) -> None:
    """The first part holds depth alone."""
    depth, beauty = oiio.ImageSpec(8, 6, 1, oiio.FLOAT), oiio.ImageSpec(8, 6, 3, oiio.HALF)
    depth.channelnames = ("Z",)
    for spec, name in ((depth, "depth"), (beauty, "beauty")):
        spec.attribute("oiio:subimagename", name)
    pixels = np.random.default_rng(12).random((6, 8, 3)).astype(np.float16)
    path = str(tmp_path / "parts.exr")
    output: Any = oiio.ImageOutput.create(path)
    assert output.open(path, (depth, beauty)) and output.write_image(np.zeros((6, 8, 1), np.float32))
    assert output.open(path, beauty, "AppendSubimage") and output.write_image(pixels) and output.close()
    clip, picture = only_frame(tmp_path / "parts.exr")
    assert clip.layer == "beauty"
    np.testing.assert_array_equal(picture, pixels.astype(np.float32))


@pytest.mark.parametrize(("channels", "word"), [(("Y", "RY", "BY"), "luminance and chroma"), (("Z", "u", "v"), "no R, G and B")])
def test_channels_that_are_no_picture(tmp_path: Path, channels: tuple[str, ...], word: str) -> None:
    error = refused(write(tmp_path / "odd.exr", np.zeros((4, 4, 3), np.float16), channels=channels))
    assert error.reason is Reason.CLIP_UNSUPPORTED and word in error.sentence


def test_straight_alpha_stays_apart(tmp_path: Path) -> None:
    codes = np.random.default_rng(9).integers(0, 256, (8, 8, 4)).astype(np.uint8)
    clip, picture = only_frame(write(tmp_path / "alpha.png", codes, oiio_UnassociatedAlpha=1))
    assert clip.has_alpha and not clip.premultiplied
    np.testing.assert_array_equal(np.rint(picture * 255), codes)


@pytest.mark.parametrize(
    ("word", "rate", "label"),
    [
        ((0x01000000, 0), (24000, 1001), "01:00:00:00"),
        ((0x12345617, 0), (25, 1), "12:34:56:17"),
        ((0x01000042, 0), (30000, 1001), "01:00:00;02"),
        ((0x01020329 | 1 << 15, 0), (60, 1), "01:02:03:59"),
    ],
)
def test_rate_and_timecode_of_the_header(tmp_path: Path, word: tuple[int, int], rate: tuple[int, int], label: str) -> None:
    path = write(
        tmp_path / "a.1001.exr",
        np.zeros((4, 4, 3), np.float16),
        framesPerSecond=(oiio.TypeRational, rate),
        smpte_TimeCode=(oiio.TypeTimeCode, word),
    )
    clip = probe(path)
    assert clip.rate == Fraction(*rate) and clip.start_timecode == label and str(clip.timecode_of(1001)) == label


@pytest.mark.parametrize("rate", [(0, 1), (2**31 - 1, 1), (-24, 1), (24, -1), (1, 0)])
def test_headers_that_cannot_be_true_are_not_believed(tmp_path: Path, rate: tuple[int, int]) -> None:
    path = write(
        tmp_path / "a.1.exr",
        np.zeros((4, 4, 3), np.float16),
        framesPerSecond=(oiio.TypeRational, rate),
        smpte_TimeCode=(oiio.TypeTimeCode, (0x7F7F7F7F, 0)),
        PixelAspectRatio=1000.0,
    )
    clip = probe(path)
    assert clip.start_timecode is None and (clip.rate, clip.pixel_aspect) == (Fraction(24), Fraction(1))


def test_turned_pictures_stand_upright(tmp_path: Path) -> None:
    pixels = np.random.default_rng(10).integers(0, 256, (4, 6, 3)).astype(np.uint8)
    clip, picture = only_frame(write(tmp_path / "turned.tif", pixels, Orientation=6))
    assert (clip.width, clip.height) == (4, 6)
    np.testing.assert_array_equal(np.rint(picture * 255), np.rot90(pixels, -1))


def test_gaps_are_refused_by_number_where_they_are_needed(tmp_path: Path) -> None:
    pattern = numbered(tmp_path, [1, 2, 3, 6, 7, 9])
    clip = probe(pattern)
    assert (clip.first_frame, clip.last_frame, clip.frame_count) == (1, 9, 9)
    assert clip.notices == ("'shot.%04d.png' lacks frames 4-5, 8.",)
    with pytest.raises(BridgeError) as caught:
        Shot.open(pattern)
    assert caught.value.reason is Reason.FRAMES_MISSING and "lacks frames 4-5, 8;" in caught.value.sentence
    assert len(Shot.open(pattern, 1, 3)) == 3
    assert [read_number(frame) for frame in decode_frames(clip, 6, 7)] == [6, 7]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.97])
@pytest.mark.parametrize("ending", ["exr", "dpx", "tif", "png", "jpg"])
def test_a_half_written_frame_is_refused_by_name(tmp_path: Path, ending: str, share: float) -> None:
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (64, 96, 3)).astype(np.uint8)
        write(tmp_path / f"shot.{number}.{ending}", noise.astype(np.float16) if ending == "exr" else noise)
    broken = tmp_path / f"shot.1.{ending}"
    os.truncate(broken, int(broken.stat().st_size * share))
    error = refused(tmp_path / f"shot.#.{ending}")
    assert error.reason is Reason.CLIP_UNREADABLE and f"'shot.1.{ending}'" in error.sentence


def test_damage_in_the_middle_shows_when_the_frame_is_read(tmp_path: Path) -> None:
    # Few values, so that they are stored compressed: in numbers that are stored as they are, nothing tells damage.
    pixels = np.random.default_rng(11).integers(0, 4, (200, 96, 3)).astype(np.float32)
    path = write(tmp_path / "shot.1.exr", pixels, compression="zip")
    write(tmp_path / "shot.0.exr", pixels, compression="zip")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 2000] = bytes(2000)
    path.write_bytes(raw)
    clip = probe(tmp_path / "shot.#.exr")
    frames = decode_frames(clip, 0, 1)
    next(frames)
    with pytest.raises(BridgeError) as caught:
        next(frames)
    assert caught.value.reason is Reason.CLIP_UNREADABLE and "'shot.1.exr'" in caught.value.sentence


@pytest.mark.parametrize(
    ("odd", "word"),
    [
        (np.zeros((4, 5, 3), np.float16), "is 5x4"),
        (np.zeros((4, 4, 3), np.float32), "samples of the kind float"),
        (np.zeros((4, 4, 4), np.float16), "alpha"),
        (np.zeros((4, 4, 2), np.float16), "no R, G and B"),
    ],
)
def test_frames_that_differ_are_named(tmp_path: Path, odd: NDArray[Any], word: str) -> None:
    for number in range(4):
        write(tmp_path / f"a.{number}.exr", np.zeros((4, 4, 3), np.float16))
    channels = {2: ("u", "v"), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}[odd.shape[2]]
    write(tmp_path / "a.2.exr", odd, channels=channels)
    error = refused(tmp_path / "a.#.exr")
    assert "'a.2.exr'" in error.sentence and word in error.sentence


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "empty"), (b"#EXTM3U\nfile:///etc/passwd\n", "not a picture"), (b"\x76\x2f\x31\x01" + bytes(300), "header is damaged")],
)
def test_what_is_no_picture(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "a.7.exr").write_bytes(content)
    error = refused(tmp_path / "a.7.exr")
    assert error.reason is Reason.CLIP_UNREADABLE and "'a.7.exr'" in error.sentence and word in error.sentence


def test_deep_pixels_are_refused_by_name(tmp_path: Path) -> None:
    spec = oiio.ImageSpec(4, 4, 4, oiio.FLOAT)
    spec.channelnames, spec.deep = ("R", "G", "B", "A"), True
    deep = oiio.DeepData()
    deep.init(16, 4, (oiio.FLOAT,) * 4, spec.channelnames)
    output: Any = oiio.ImageOutput.create(str(tmp_path / "deep.exr"))
    assert output.open(str(tmp_path / "deep.exr"), spec) and output.write_deep_image(deep) and output.close()
    error = refused(tmp_path / "deep.exr")
    assert error.reason is Reason.CLIP_UNSUPPORTED and "deep" in error.sentence


def test_nothing_there(tmp_path: Path) -> None:
    for path in (tmp_path / "a.%04d.exr", tmp_path / "a.0001.exr", tmp_path / "nowhere" / "a.1.exr"):
        assert refused(path).reason is Reason.CLIP_NOT_FOUND


@pytest.mark.parametrize("program", ["import os; os.abort()", "import time; time.sleep(60)", "x = bytearray(1 << 36)"])
def test_a_reader_that_crashes_hangs_or_swells_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    pattern = numbered(tmp_path, [1, 2, 3])
    said = "import sys; sys.stdin.read(); sys.stdout.write('{}\\n'); sys.stdout.flush()\n"
    (tmp_path / "read_frames.py").write_text(said + program)
    monkeypatch.setattr(child, "CHILDREN", tmp_path)
    monkeypatch.setattr(sequence_clip, "SCAN_SECONDS", 3.0)
    error = refused(pattern)
    assert error.reason is Reason.CLIP_UNREADABLE and "'shot.0002.png'" in error.sentence


def test_limits_hold_for_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = numbered(tmp_path, [1, 2, 3])
    for limits, word in ((Limits(clip_frames=2), "3 frames, 2"), (Limits(side_pixels=95), "96x64"), (Limits(clip_megapixels=0), "96x64")):
        monkeypatch.setenv("I2VEDIT_MEDIA_LIMITS", json.dumps(vars(limits)))
        error = refused(pattern)
        assert error.reason is Reason.CLIP_UNSUPPORTED and word in error.sentence


def test_what_somebody_knows_better(tmp_path: Path) -> None:
    pattern = numbered(tmp_path, [1001, 1002, 1003])
    clip = ClipSource(pattern, rate=Fraction(30000, 1001), start_timecode="00:01:00;02", timecode_frame=1002).open()
    assert clip.rate == Fraction(30000, 1001) and clip.start_timecode == "00:00:59;29"
    assert str(clip.timecode_of(1003)) == "00:01:00;03"
    for wrong in (ClipSource(pattern, rate=Fraction(100_000)), ClipSource(pattern, start_timecode="00:00:00:24")):
        with pytest.raises(BridgeError) as caught:
            wrong.open()
        assert caught.value.reason is Reason.SETTING_INVALID


def test_links_are_not_followed_for_callers_from_elsewhere(tmp_path: Path) -> None:
    pattern = numbered(tmp_path, [1, 2])
    (tmp_path / "shot.0003.png").symlink_to(tmp_path / "shot.0001.png")
    assert ClipSource(pattern).open().frame_count == 3
    with pytest.raises(BridgeError) as caught:
        ClipSource(pattern, follow_links=False).open()
    assert caught.value.reason is Reason.PATH_NOT_ALLOWED and "'shot.0003.png'" in caught.value.sentence


def test_a_plate_is_known_by_the_pictures_of_its_range(tmp_path: Path) -> None:
    clip = probe(numbered(tmp_path, [1, 2, 3]))
    whole, part = sha256_of_plate(clip, 1, 3), sha256_of_plate(clip, 1, 2)
    stamp = stamp_of_plate(clip, 1, 2)
    write(tmp_path / "shot.0003.png", np.zeros((64, 96, 3), np.uint8))
    assert sha256_of_plate(clip, 1, 3) != whole and sha256_of_plate(clip, 1, 2) == part and stamp_of_plate(clip, 1, 2) == stamp
    (tmp_path / "shot.0002.png").replace(tmp_path / "shot.0001.png")
    assert sha256_of_plate(clip, 1, 1) != sha256_of_plate(clip, 3, 3)


@pytest.mark.media
def test_real_sequences() -> None:
    clip = probe(shared_media("exr/derived_juggle_dwaa"))
    assert (clip.first_frame, clip.last_frame, clip.rate, clip.start_timecode) == (1001, 1003, Fraction(24000, 1001), "01:00:00:00")
    views = probe(shared_media("exr/beachball_singlepart/singlepart.0002.exr"))
    assert views.window == Window(0, 0, 2048, 1556) and views.premultiplied and views.layer == ""
    ball = list(decode_frames(views, 1, 2))
    assert ball[0].shape == (1556, 2048, 4) and ball[0][:245].max() == 0 and ball[1][367:1255, 759:1671, 3].max() == 1
    garden = probe(shared_media("exr/LuminanceChroma_Garden.exr"))
    (grey,) = decode_frames(garden, 0, 0)
    assert (grey[:, :, 0] == grey[:, :, 2]).all() and garden.pixel_format == "half"
    (rings,) = decode_frames(probe(shared_media("exr/TestImages_BrightRingsNanInf.exr")), 0, 0)
    assert np.isnan(rings).any() and np.isinf(rings).any()
