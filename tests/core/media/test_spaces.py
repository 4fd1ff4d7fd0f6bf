"""Colour spaces: every name finds its space, and what is converted comes back."""

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.media import shared_media

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media import tags
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.probe import probe
from i2vedit_core.media.spaces import convert, encoding_of, find_space, is_display_referred, is_linear, linear_space

TEN_BIT = 1 / 1023
DELIVERED = ["ACEScg", "linear"]


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("acescg", "ACEScg"),
        ("ACES - ACEScg", "ACEScg"),
        ("arri_logc4", "ARRI LogC4"),
        ("Rec.709 Gamma 2.4", "Gamma 2.4 Encoded Rec.709"),
        ("Rec.1886", "Gamma 2.4 Encoded Rec.709"),
        ("sRGB", "sRGB Encoded Rec.709 (sRGB)"),
        ("S-Gamut3.Cine/S-Log3", "S-Log3 S-Gamut3.Cine"),
        ("Rec.2100 ST2084", "Rec.2100-PQ - Display"),
        ("gamma 2.4 encoded rec.2020", "Gamma 2.4 Encoded Rec.2020"),
    ],
)
def test_names_find_their_space(name: str, space: str) -> None:
    assert find_space(name) == space


def test_every_name_of_the_config_finds_itself() -> None:
    config = oiio.ColorConfig(tags.OCIO_CONFIG)
    for name in config.getColorSpaceNames():
        assert find_space(name) == name


@pytest.mark.parametrize("name", ["", "Rec.7O9", "Kodachrome", "ACEScg of mine\0"])
def test_what_no_space_is_called(name: str) -> None:
    with pytest.raises(BridgeError) as caught:
        find_space(name)
    assert caught.value.reason is Reason.SETTING_INVALID and caught.value.sentence.endswith(".")


@pytest.mark.parametrize(
    ("space", "linear"),
    [
        ("Gamma 2.4 Encoded Rec.709", "Linear Rec.709 (sRGB)"),
        ("Gamma 2.4 Encoded Rec.2020", "Linear Rec.2020"),
        ("Gamma 2.4 Encoded P3-D65", "Linear P3-D65"),
        ("sRGB Encoded P3-D65", "Linear P3-D65"),
        ("P3-D65 - Display", "Linear P3-D65"),
        ("Rec.2100-PQ - Display", "Linear Rec.2020"),
        ("Rec.2100-HLG - Display", "Linear Rec.2020"),
        ("Rec.1886 Rec.709 - Display", "Linear Rec.709 (sRGB)"),
        ("ARRI LogC3 (EI800)", "Linear ARRI Wide Gamut 3"),
        ("ACEScct", "ACEScg"),
        ("Apple Log", "Linear Rec.2020"),
        ("ACES2065-1", "ACES2065-1"),
    ],
)
def test_each_space_has_its_linear_one(space: str, linear: str) -> None:
    assert linear_space(space) == linear and is_linear(linear)
    assert linear_space(linear) == linear


def test_most_of_the_config_has_a_linear_space() -> None:
    without = set()
    for name in oiio.ColorConfig(tags.OCIO_CONFIG).getColorSpaceNames():
        try:
            linear_space(name)
        except BridgeError:
            without.add(name)
    assert without == {"ADX10", "ADX16", "Raw"}


def test_which_are_of_a_display() -> None:
    assert is_display_referred("Gamma 2.4 Encoded Rec.709") and is_display_referred("sRGB Encoded P3-D65")
    assert not any(is_display_referred(space) for space in ("Rec.2100-PQ - Display", "ARRI LogC4", "ACEScg", "Raw"))
    assert encoding_of("Raw") is None


def test_the_spaces_that_the_config_lacks() -> None:
    """BT.2020 of standard range: white stays white, and a colour inside BT.709 is the same light."""
    white = np.ones((1, 1, 3), np.float32)
    np.testing.assert_allclose(convert(white, "Gamma 2.4 Encoded Rec.2020", "ACEScg"), white, atol=2e-4)
    colour = np.array([[[0.6, 0.3, 0.2]]], np.float32)
    wide = convert(colour, "Gamma 2.4 Encoded Rec.709", "Gamma 2.4 Encoded Rec.2020")
    assert wide[0, 0, 0] < 0.6
    for space in ("Gamma 2.4 Encoded Rec.2020", "Gamma 2.4 Encoded P3-D65"):
        there = convert(colour, "Gamma 2.4 Encoded Rec.709", space)
        np.testing.assert_allclose(convert(there, space, "Linear Rec.709 (sRGB)"), colour.astype(np.float64) ** 2.4, atol=2e-5)
        below = np.array([[[-0.1, 0.5, 1.3]]], np.float32)
        np.testing.assert_allclose(convert(convert(below, space, "ACEScg"), "ACEScg", space), below, atol=1e-4)


@pytest.mark.parametrize(
    "space", ["Gamma 2.4 Encoded Rec.709", "sRGB Encoded Rec.709 (sRGB)", "sRGB Encoded P3-D65", "Gamma 2.4 Encoded Rec.2020", "ARRI LogC4"]
)
@pytest.mark.parametrize("target", ["ACEScg", "linear"])
def test_colours_come_back_within_a_code_value_of_ten_bits(space: str, target: str) -> None:
    """Saturated ones, too. With the plate's own primaries half floats are enough, and what is delivered then."""
    colours = np.random.default_rng(3).uniform(0.02, 1, (64, 64, 3)).astype(np.float32)
    there = convert(colours, space, linear_space(space) if target == "linear" else target)
    delivered = there.astype(np.float16).astype(np.float32) if target == "linear" else there
    back = convert(delivered, linear_space(space) if target == "linear" else target, space)
    worst = np.abs(back - colours).max()
    assert worst <= TEN_BIT, worst / TEN_BIT


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "brightest"),
    [
        ("stress/hdr10_pq_1frame.mp4", 5.0),
        ("stress/pq_av1_mdcv_clli_5994.mp4", 1.0),
        ("stress/hlg10_colour_chart.mp4", 1.0),
        ("stress/vfr_hlg_rot90_editlist_iphone.mp4", 1.0),
        ("stress/p3_primaries.mp4", 0.9),
        ("stress/derived/prores422_10bit_23976_tc.mov", 0.5),
    ],
)
def test_real_plates_come_back_and_keep_their_highlights(name: str, brightest: float) -> None:
    """Float, as 12-bit plates are delivered: the conversion itself."""
    clip = probe(shared_media(name))
    (plate,) = decode_frames(clip, 0, 0)
    plate = np.ascontiguousarray(plate[::2, ::2, :3])
    for target in DELIVERED:
        space = linear_space(clip.color_space) if target == "linear" else target
        light = convert(plate, clip.color_space, space)
        assert light.max() > brightest
        assert np.abs(convert(light, space, clip.color_space) - plate).max() <= TEN_BIT
