"""ICC profiles: what is written is what Little CMS reads, and what is read is what it computes."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from i2vedit_core.media.exported_profile import exported_profile, profile_bytes
from i2vedit_core.media.icc import UnknownProfileError, read_profile

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ENCODED = [
    "Gamma 2.4 Encoded Rec.709",
    "sRGB Encoded Rec.709 (sRGB)",
    "sRGB Encoded P3-D65",
    "Gamma 2.4 Encoded Rec.2020",
    "P3-D65 - Display",
]
BRIGHT = ["Rec.2100-PQ - Display", "Rec.2100-HLG - Display", "ACEScg", "ARRI LogC4"]


@pytest.mark.parametrize("space", [*ENCODED, *BRIGHT])
def test_little_cms_shows_what_we_mean(space: str) -> None:
    """To sRGB by Little CMS in 8 bits, and by our own formulas: no code differs by more than its rounding."""
    data = profile_bytes(space)
    assert data is not None and data == profile_bytes(space)
    ours = exported_profile(space)
    assert ours is not None
    codes = np.random.default_rng(0).integers(0, 256, (48, 48, 3)).astype(np.uint8)
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(data)), ImageCms.createProfile("sRGB"), "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    shown = ImageCms.applyTransform(Image.fromarray(codes), transform)
    assert shown is not None
    expected = read_profile(SRGB).from_xyz(ours.to_xyz((codes / np.float32(255)).astype(np.float32)))
    assert np.abs(np.asarray(shown, np.float64) - np.clip(expected, 0, 1) * 255).max() <= 1.0


@pytest.mark.parametrize("space", [*ENCODED, *BRIGHT])
def test_a_profile_is_known_again_and_told_from_others(space: str) -> None:
    data = profile_bytes(space)
    assert data is not None
    again = read_profile(data)
    assert space in again.name and again.means(exported_profile(space) or again)
    for other in {*ENCODED, *BRIGHT} - {space}:
        shown = exported_profile(other)
        assert shown is not None and not shown.means(again)


@pytest.mark.parametrize("space", [*ENCODED, "Rec.2100-PQ - Display", "ACEScg"])
def test_values_come_back(space: str) -> None:
    profile = exported_profile(space)
    assert profile is not None
    values = np.random.default_rng(1).uniform(0.01, 1, (32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(profile.from_xyz(profile.to_xyz(values)), values, atol=1e-5)


def test_highlights_are_rolled_off_and_stay_apart() -> None:
    """PQ: diffuse white at 100 nits is shown at half the light, and 4000 nits are still told from 1000."""
    profile = exported_profile("Rec.2100-PQ - Display")
    assert profile is not None
    hundred, thousand, four_thousand, top = profile.curves[0].to_light(np.array([0.508, 0.752, 0.903, 1.0]))
    assert abs(hundred - 0.5) < 0.01 and hundred < thousand < four_thousand < top == 1


def test_linear_light_beyond_white_survives() -> None:
    """Photoshop's 32-bit pictures carry sRGB primaries with a straight curve."""
    straight = bytearray(SRGB)
    count = struct.unpack_from(">I", straight, 128)[0]
    for index in range(count):
        name, offset, _ = struct.unpack_from(">4sII", straight, 132 + 12 * index)
        if name == b"rTRC":
            straight[offset : offset + 12] = b"curv\0\0\0\0\0\0\0\0"
    profile, plate = read_profile(bytes(straight)), exported_profile("sRGB Encoded Rec.709 (sRGB)")
    assert plate is not None
    light = np.array([[[0.0, 0.5, 4.0]]], np.float32)
    encoded = plate.from_xyz(profile.to_xyz(light))
    assert encoded[0, 0, 2] > 1.5
    np.testing.assert_allclose(profile.from_xyz(plate.to_xyz(encoded)), light, atol=2e-4)


@pytest.mark.parametrize("damage", [b"", b"x" * 200, SRGB[:200], SRGB[:16] + b"CMYK" + SRGB[20:], SRGB.replace(b"para", b"what")])
def test_what_cannot_be_used_is_said(damage: bytes) -> None:
    with pytest.raises(UnknownProfileError):
        read_profile(damage)


def test_spaces_that_say_nothing_have_no_profile() -> None:
    assert profile_bytes("Raw") is None and exported_profile("ADX10") is None
