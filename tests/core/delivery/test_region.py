"""A matte that the artist brings along."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.media import LOSSLESS, encode

from i2vedit_core.delivery.painted import Painted
from i2vedit_core.delivery.region import Region, open_region
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.shot import Edit, Shot


def _save(path: Path, pixels: np.ndarray) -> Path:
    height, width, channels = pixels.shape
    output = oiio.ImageOutput.create(str(path))
    spec = oiio.ImageSpec(width, height, channels, oiio.UINT16)
    spec.attribute("oiio:UnassociatedAlpha", 1)
    assert (
        output is not None
        and output.open(str(path), spec)
        and output.write_image(np.ascontiguousarray(pixels, np.float32))
        and output.close()
    )
    return path


def _block(height: int = 64, width: int = 96) -> np.ndarray:
    matte = np.zeros((height, width), np.float32)
    matte[10:30, 20:50] = 1
    matte[30:40, 20:50] = 0.5
    return matte


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_picture_speaks_by_its_brightness_for_the_painted_frame(shot: Shot, suffix: str, tmp_path: Path) -> None:
    region = Region.open(_save(tmp_path / f"matte{suffix}", _block()[..., None].repeat(3, axis=2)), shot)
    assert region.clip is None
    np.testing.assert_allclose(region.first(shot.first), _block(), atol=1e-4)
    assert list(region.given(range(3, 6))) == [None] * 3


def test_or_by_its_alpha(shot: Shot, tmp_path: Path) -> None:
    colour = np.random.default_rng(0).random((64, 96, 3))
    path = _save(tmp_path / "matte.png", np.concatenate([colour, _block()[..., None]], axis=2))
    np.testing.assert_allclose(Region.open(path, shot).first(shot.first), _block(), atol=1e-4)


@pytest.mark.parametrize("frames", [6, 10])
def test_a_clip_is_the_matte_of_each_frame(shot: Shot, frames: int, tmp_path: Path) -> None:
    """Of the shot's frames alone (2 to 7 of ten), or of the whole clip's."""
    bright = [np.full((64, 96, 3), 20 * number, np.uint8) for number in range(frames)]
    region = Region.open(encode(tmp_path / "matte.mkv", bright, LOSSLESS), shot)
    first = 0 if frames == 6 else shot.first
    assert region.picture is None
    found = [round(float(np.mean(matte)) * 255) for matte in region.given(range(3, 6)) if matte is not None]
    assert found == [20 * (first + number) for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("size", "frames", "words"),
    [((32, 48), 1, "is 48x32, the clip is 96x64"), ((64, 96), 4, "another number of frames than the shot: 4, and not 6")],
)
def test_what_does_not_fit_is_said(shot: Shot, size: tuple[int, int], frames: int, words: str, tmp_path: Path) -> None:
    path = encode(tmp_path / "matte.mkv", [np.zeros((*size, 3), np.uint8)] * frames, LOSSLESS)
    with pytest.raises(BridgeError, match=words) as caught:
        Region.open(path, shot)
    assert caught.value.reason is Reason.REGION_UNUSABLE


def test_what_is_no_matte_is_said(shot: Shot, tmp_path: Path) -> None:
    text = tmp_path / "matte.png"
    text.write_text("no picture")
    for path in (text, tmp_path / "nowhere.png"):
        with pytest.raises(BridgeError, match="The region cannot be used") as caught:
            open_region(Edit(Path("edit.png"), 0, region=path), shot)
        assert caught.value.reason is Reason.REGION_UNUSABLE
    assert open_region(Edit(Path("edit.png"), 0), shot) is None


def test_what_was_painted_outside_a_picture_does_not_count(shot: Shot, tmp_path: Path) -> None:
    plate = np.full((64, 96, 3), 0.4, np.float32)
    picture = plate + np.float32(0.3)
    soft = Painted(plate, picture, region=Region(_block()))
    assert np.array_equal(soft.matte, _block())
    assert not soft.difference[_block() == 0].any() and soft.difference[_block() > 0].all()
    assert not Painted(plate, picture, region=Region(np.zeros((64, 96), np.float32))).changed
    # A matte for every frame stands, also where nothing was painted.
    block = np.rint(_block()[..., None].repeat(3, axis=2) * 255).astype(np.uint8)
    of_all = Region.open(encode(tmp_path / "matte.mkv", [block] * 6, LOSSLESS), shot)
    assert np.abs(Painted(plate, plate, frame=shot.first, region=of_all).matte - _block()).max() < 0.01
    assert not Painted(plate, plate, region=Region(_block())).matte.any()
