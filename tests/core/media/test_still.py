"""Stills: what a paint program saves is read with all its bits; what it is given is the plate."""

import io
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from tests.media import numbered_clip, shared_media

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.probe import ClipInfo, Orientation, probe
from i2vedit_core.media.still import export_frame, open_still
from i2vedit_core.shot import Edit, Shot

CODES_16 = np.random.default_rng(0).integers(0, 65536, (24, 32, 3)).astype(np.uint16)


def save(path: Path, pixels: NDArray[np.generic], file_format: str, base: Any, **attributes: Any) -> Path:
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], base)
    for name, value in attributes.items():
        spec.attribute(name.replace("__", ":"), value)
    output = oiio.ImageOutput.create(file_format)
    assert output is not None and output.open(str(path), spec) and output.write_image(pixels) and output.close()
    return path


def refused(path: Path) -> BridgeError:
    with pytest.raises(BridgeError) as caught:
        open_still(path)
    assert caught.value.sentence.endswith(".") and "\n" not in caught.value.sentence
    return caught.value


def clip_of(width: int, height: int) -> ClipInfo:
    return ClipInfo(
        path=Path("/clip.mp4"),
        width=width,
        height=height,
        rate=Fraction(24),
        frame_count=10,
        codec="h264",
        pixel_format="yuv420p",
        planar_format="yuv420p",
        bit_depth=8,
        full_range=False,
        matrix="bt709",
        primaries="bt709",
        transfer="bt709",
        pixel_aspect=Fraction(1),
        start_timecode=None,
        has_alpha=False,
        orientation=Orientation(),
        stream_index=0,
        container="mov",
        time_base=Fraction(1, 24),
        timestamps=(),
        keyframes=(),
    )


@pytest.mark.parametrize(("name", "file_format"), [("a.png", "png"), ("a.tif", "tiff"), ("misnamed.jpg", "png")])
def test_sixteen_bits_are_kept(tmp_path: Path, name: str, file_format: str) -> None:
    still = open_still(save(tmp_path / name, CODES_16, file_format, oiio.UINT16))
    assert still.clipped and still.size == (32, 24)
    np.testing.assert_array_equal(np.rint(still.pixels.astype(np.float64) * 65535), CODES_16)


def test_eight_bits_and_grey(tmp_path: Path) -> None:
    codes = (CODES_16 >> 8).astype(np.uint8)
    Image.fromarray(codes).save(tmp_path / "a.png")
    np.testing.assert_array_equal(np.rint(open_still(tmp_path / "a.png").pixels * 255), codes)
    Image.fromarray(codes[:, :, 0]).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(np.rint(open_still(tmp_path / "grey.png").pixels * 255), np.repeat(codes[:, :, :1], 3, axis=2))
    Image.fromarray(codes).resize((320, 240)).save(tmp_path / "a.jpg", quality=95)
    assert open_still(tmp_path / "a.jpg").pixels.shape == (240, 320, 3)


@pytest.mark.parametrize(("name", "file_format"), [("a.png", "png"), ("a.tif", "tiff")])
def test_alpha_is_kept_apart_and_not_multiplied_in(tmp_path: Path, name: str, file_format: str) -> None:
    codes = np.concatenate([CODES_16, CODES_16[:, :, :1] // 2], axis=2)
    still = open_still(save(tmp_path / name, codes, file_format, oiio.UINT16, oiio__UnassociatedAlpha=1))
    np.testing.assert_array_equal(np.rint(still.pixels.astype(np.float64) * 65535), CODES_16)
    assert still.alpha is not None and not still.premultiplied
    np.testing.assert_array_equal(np.rint(still.alpha.astype(np.float64) * 65535), codes[:, :, 3])
    codes[:, :, 3] = 65535
    assert open_still(save(tmp_path / f"opaque{name}", codes, file_format, oiio.UINT16, oiio__UnassociatedAlpha=1)).alpha is None


@pytest.mark.parametrize(("base", "depth"), [(oiio.HALF, 11), (oiio.FLOAT, 24)])
def test_depths_are_told(tmp_path: Path, base: Any, depth: int) -> None:
    assert open_still(save(tmp_path / "a.exr", CODES_16 / np.float32(65535), "openexr", base)).depth == depth
    assert open_still(save(tmp_path / "a.png", CODES_16, "png", oiio.UINT16)).depth == 16
    assert open_still(save(tmp_path / "eight.png", (CODES_16 >> 8) * np.uint16(257), "png", oiio.UINT16)).depth == 8
    assert open_still(save(tmp_path / "plain.png", (CODES_16 >> 8).astype(np.uint8), "png", oiio.UINT8)).depth == 8


def test_exr_keeps_what_lies_beyond(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).normal(0.5, 1, (24, 32, 3)).astype(np.float32)
    still = open_still(save(tmp_path / "a.exr", pixels, "openexr", oiio.FLOAT))
    assert not still.clipped
    np.testing.assert_array_equal(still.pixels, pixels)


@pytest.mark.parametrize(
    "name", ["with space.png", "100% %04d.png", 'it\'s "quoted".png', "grün 日本語.png", "a:b.png", "#1 ?x=2&[y].png", "-dash.png"]
)
def test_awkward_names_work(tmp_path: Path, name: str) -> None:
    plain = save(tmp_path / "plain.png", CODES_16, "png", oiio.UINT16)
    awkward = tmp_path / name
    awkward.write_bytes(plain.read_bytes())
    assert open_still(awkward).size == (32, 24)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "exr"])
def test_a_picture_that_is_cut_off(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = tmp_path / f"cut.{suffix}"
    if suffix == "exr":
        save(path, noise.astype(np.float32), "openexr", oiio.FLOAT)
    else:
        Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    error = refused(path)
    assert error.reason is Reason.EDIT_UNREADABLE
    assert "cut off" in error.sentence or "cannot be read" in error.sentence


def test_what_is_not_a_picture(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere.png").reason is Reason.EDIT_NOT_FOUND
    assert refused(tmp_path).reason is Reason.EDIT_UNREADABLE
    (tmp_path / "empty.png").touch()
    assert "empty" in refused(tmp_path / "empty.png").sentence
    (tmp_path / "text.png").write_text("no picture")
    assert "not a picture" in refused(tmp_path / "text.png").sentence


@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_exported_frames_carry_a_profile(tmp_path: Path, suffix: str) -> None:
    clip = probe(numbered_clip(tmp_path / "clip.mp4", 2))
    exported = export_frame(clip, 1, tmp_path / f"frame 1 % ü.{suffix}")
    source = oiio.ImageInput.open(str(exported))
    assert source is not None and source.spec().format == oiio.UINT16
    profile = Image.open(exported).info["icc_profile"]
    assert "Gamma 2.4 Encoded Rec.709" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    assert sorted(os.listdir(tmp_path)) == sorted(["clip.mp4", exported.name])


def test_export_never_overwrites(tmp_path: Path) -> None:
    clip = probe(numbered_clip(tmp_path / "clip.mp4", 2))
    (tmp_path / "mine.tif").write_text("painted for hours")
    for name, reason in [
        ("mine.tif", Reason.OUTPUT_NOT_WRITABLE),
        ("nowhere/frame.tif", Reason.OUTPUT_NOT_WRITABLE),
        ("frame.bmp", Reason.SETTING_INVALID),
    ]:
        with pytest.raises(BridgeError) as caught:
            export_frame(clip, 0, tmp_path / name)
        assert caught.value.reason is reason
    assert (tmp_path / "mine.tif").read_text() == "painted for hours"
    with pytest.raises(BridgeError) as caught:
        export_frame(clip, 2, tmp_path / "frame.tif")
    assert caught.value.reason is Reason.RANGE_OUTSIDE_CLIP
    assert not (tmp_path / "frame.tif").exists()


def test_shot_and_edit(tmp_path: Path) -> None:
    path = numbered_clip(tmp_path / "clip.mp4", 5)
    shot = Shot.open(path, 1, 3)
    assert len(shot) == 3 and Shot.open(path).last == 4
    for first, last in [(0, 5), (-1, 2), (3, 2)]:
        with pytest.raises(BridgeError) as caught:
            Shot.open(path, first, last)
        assert caught.value.reason is Reason.RANGE_OUTSIDE_CLIP
    painted = export_frame(shot.clip, 1, tmp_path / "painted.png")
    assert Edit.open(painted, shot) == Edit(painted, 1)
    with pytest.raises(BridgeError):
        Edit.open(painted, shot, 4)
    wide = replace(shot, clip=replace(shot.clip, width=200))
    with pytest.raises(BridgeError) as caught:
        Edit.open(painted, wide)
    assert caught.value.reason is Reason.EDIT_SIZE_MISMATCH


@pytest.mark.media
def test_photoshop_files() -> None:
    from psd_tools import PSDImage

    deep = open_still(shared_media("psd/colormodes_4x4_16bit_rgb.psd"))
    truth = PSDImage.open(shared_media("psd/colormodes_4x4_16bit_rgb.psd")).numpy("color")
    np.testing.assert_array_equal(deep.pixels, truth.astype(np.float32))
    assert open_still(shared_media("psd/0layers.psd")).size == (1600, 1200)
    assert open_still(shared_media("psd/1layer.psb")).size == (101, 55)
    assert not open_still(shared_media("psd/32bit.psd")).clipped
    assert "LAB" in refused(shared_media("psd/colormodes_4x4_16bit_lab.psd")).sentence


@pytest.mark.media
def test_corrupt_pictures() -> None:
    folder = shared_media("corrupt")
    found = sorted([*folder.glob("*.exr"), *folder.glob("*.png"), *folder.glob("*.tiff")])
    assert len(found) > 8
    for path in found:
        assert refused(path).reason is Reason.EDIT_UNREADABLE
