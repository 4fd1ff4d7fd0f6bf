"""What a clip is: by its bitstream, against its container, by its EXR header, or by what a person says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.media import encode, numbered_frame, shared_media

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media import tags
from i2vedit_core.media.container_colour import color_notices, container_space
from i2vedit_core.media.exr_colour import space_of_exr
from i2vedit_core.media.probe import probe
from i2vedit_core.media.source import ClipSource
from i2vedit_core.media.spaces import convert, encoding_of, find_space
from i2vedit_core.media.viewing import movie_tags, on_display
from i2vedit_core.shot import Shot


@pytest.mark.parametrize("primaries", ["unknown", *tags.PRIMARIES.values()])
@pytest.mark.parametrize("transfer", ["unknown", *tags.TRANSFERS.values()])
def test_every_combination_of_tags_is_a_space(primaries: str, transfer: str) -> None:
    space = tags.ocio_space(primaries, transfer)
    assert find_space(space) == space and encoding_of(space) is not None


@pytest.mark.parametrize(
    ("primaries", "transfer", "space"),
    [
        ("bt2020", "bt709", "Gamma 2.4 Encoded Rec.2020"),
        ("bt2020", "bt2020-10", "Gamma 2.4 Encoded Rec.2020"),
        ("bt2020", "unknown", "Gamma 2.4 Encoded Rec.2020"),
        ("smpte432", "bt709", "Gamma 2.4 Encoded P3-D65"),
        ("smpte432", "unknown", "sRGB Encoded P3-D65"),
        ("smpte432", "smpte2084", "ST2084-P3-D65 - Display"),
        ("smpte431", "unknown", "P3-D65 - Display"),
        ("bt470bg", "bt2020-12", "Gamma 2.4 Encoded Rec.709"),
        ("smpte170m", "bt709", "Gamma 2.4 Encoded Rec.709"),
        ("bt470bg", "unknown", "Gamma 2.4 Encoded Rec.709"),
    ],
)
def test_the_rarer_tags(primaries: str, transfer: str, space: str) -> None:
    assert tags.ocio_space(primaries, transfer) == space


def _tagged(folder: Path, bitstream: str, container: bytes) -> Path:
    """A clip whose bitstream has one transfer (as x264 names it) and whose container has another (as a code)."""
    options = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params", f"colorprim=bt709:transfer={bitstream}:colormatrix=bt709")
    tagged = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-movflags", "+write_colr")
    path = encode(folder / "clip.mp4", [numbered_frame(n) for n in range(2)], (*options, *tagged))
    data = path.read_bytes()
    place = data.index(b"colrnclx") + 10
    path.write_bytes(data[:place] + container + data[place + 2 :])
    return path


def test_the_bitstream_counts_and_the_conflict_is_told(tmp_path: Path) -> None:
    clip = probe(_tagged(tmp_path, "smpte2084", b"\0\1"))
    assert clip.color_space == "Rec.2100-PQ - Display" and container_space(clip.path) == "Gamma 2.4 Encoded Rec.709"
    (notice,) = color_notices(clip)
    assert "Gamma 2.4 Encoded Rec.709" in notice and "Rec.2100-PQ - Display" in notice
    assert color_notices(replace(clip, named_space="ACEScct")) == ()


def test_where_both_agree_nothing_is_told(tmp_path: Path) -> None:
    clip = probe(_tagged(tmp_path, "bt709", b"\0\1"))
    assert container_space(clip.path) == clip.color_space and color_notices(clip) == ()


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0", b"\0\0\0\1moov\0\0", b"\0\0\0\0free", b"\xff\xff\xff\xffmoovcolrnclx\0", b"\0\0\0\1mdat" + b"\xff" * 8]
)
def test_damaged_boxes_say_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "clip.mp4").write_bytes(data)
    assert container_space(tmp_path / "clip.mp4") is None
    assert container_space(tmp_path / "nowhere.mp4") is None


@pytest.mark.media
def test_real_conflicts() -> None:
    silent = probe(shared_media("stress/vfr_hdr10_container_says_sdr.mp4"))
    assert silent.color_space == "Rec.2100-PQ - Display" and "PQ" in color_notices(silent)[0]
    gamma = probe(shared_media("stress/fullrange_gamma22_60.mp4"))
    assert gamma.color_space == "Gamma 2.2 Encoded Rec.709" and "Gamma 2.4" in color_notices(gamma)[0]
    assert color_notices(probe(shared_media("stress/p3_primaries.mp4"))) == ()


def test_a_person_knows_better(tmp_path: Path) -> None:
    path = encode(tmp_path / "log.mov", [numbered_frame(n) for n in range(2)])
    assert Shot.open(ClipSource(path, color_space="arri_logc4")).clip.color_space == "ARRI LogC4"
    assert Shot.open(path).clip.color_space == "Gamma 2.4 Encoded Rec.709"
    with pytest.raises(BridgeError) as caught:
        Shot.open(ClipSource(path, color_space="Kodachrome"))
    assert caught.value.reason is Reason.SETTING_INVALID


D65 = (0.3127, 0.3290)


@pytest.mark.parametrize(
    ("chromaticities", "attributes", "space"),
    [
        (None, {}, "Linear Rec.709 (sRGB)"),
        ((0.64, 0.33, 0.3, 0.6, 0.15, 0.06, *D65), {}, "Linear Rec.709 (sRGB)"),
        ((0.708, 0.292, 0.17, 0.797, 0.131, 0.046, *D65), {}, "Linear Rec.2020"),
        ((0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767), {}, "ACEScg"),
        ((0.7347, 0.2653, 0, 1, 0.0001, -0.077, 0.32168, 0.33767), {}, "ACES2065-1"),
        ((1, 0, 0, 1, 0, 0, 0.3333333432674408, 0.3333333432674408), {}, "CIE XYZ-D65 - Scene-referred"),
        ((0.5, 0.3, 0.3, 0.5, 0.2, 0.1, *D65), {}, "Linear Rec.709 (sRGB)"),
        (None, {"acesImageContainerFlag": 1}, "ACES2065-1"),
        (None, {"oiio:ColorSpace": "ACEScg"}, "ACEScg"),
        (None, {"colorInteropID": "lin_p3d65_scene"}, "Linear P3-D65"),
        ((0.64, 0.33, 0.3, 0.6, 0.15, 0.06, *D65), {"oiio:ColorSpace": "Kodachrome"}, "Linear Rec.709 (sRGB)"),
        (None, {"i2vedit/colorspace": "Rec.2100-PQ - Display", "oiio:ColorSpace": "lin_rec709_scene"}, "Rec.2100-PQ - Display"),
    ],
)
def test_exr_headers(chromaticities: tuple[float, ...] | None, attributes: dict[str, object], space: str) -> None:
    assert space_of_exr(chromaticities, attributes) == space == find_space(space)


@pytest.mark.media
def test_two_exrs_of_one_picture_look_alike() -> None:
    """`Rec709.exr` and `XYZ.exr` are the same picture in other primaries."""
    import OpenImageIO as oiio

    pictures = []
    for name in ("Rec709", "XYZ"):
        source = oiio.ImageInput.open(str(shared_media(f"exr/Chromaticities_{name}.exr")))
        assert source is not None
        space = space_of_exr(source.spec().getattribute("chromaticities"), {})
        pictures.append(convert(np.asarray(source.read_image(0, 0, 0, 3, oiio.FLOAT)), space, "ACEScg"))
    assert np.abs(pictures[0] - pictures[1]).mean() < 2e-3


def test_movies_say_what_they_are(tmp_path: Path) -> None:
    clip = probe(encode(tmp_path / "clip.mov", [numbered_frame(n) for n in range(2)]))
    assert movie_tags(clip) == (clip.primaries, clip.transfer)
    assert movie_tags(replace(clip, named_space="Rec.2100-PQ - Display")) == ("bt2020", "smpte2084")
    assert movie_tags(replace(clip, named_space="ARRI LogC4")) is None


def test_log_and_linear_are_shown_as_a_display_shows_them() -> None:
    grey = np.full((1, 1, 3), 0.18, np.float32)
    shown = [on_display(convert(grey, "ACEScg", space), space)[0, 0, 1] for space in ("ACEScg", "ARRI LogC4", "Linear Rec.2020")]
    assert max(shown) - min(shown) < 0.01 and 0.38 < shown[0] < 0.47
    picture = np.full((1, 1, 3), 0.4, np.float32)
    assert on_display(picture, "Gamma 2.4 Encoded Rec.709") is picture
