"""The edited frame on its plate: what was painted arrives, what was not is the plate, whatever the paint program did."""

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from tests.core.media.test_still import clip_of, save
from tests.media import encode_planes, shared_media

from i2vedit_core.delivery.painted import Painted, read_painted
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.edited import check_fits, on_plate, read_edited
from i2vedit_core.media.exported_profile import exported_profile, profile_bytes
from i2vedit_core.media.icc import read_profile
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo, probe
from i2vedit_core.media.still import Still, export_frame, open_still
from i2vedit_core.media.working import Working
from i2vedit_core.shot import Edit, Shot

SPACES = ["Gamma 2.4 Encoded Rec.709", "sRGB Encoded P3-D65", "Rec.2100-PQ - Display", "Rec.2100-HLG - Display", "ACEScg", "ARRI LogC4"]
BOX = (slice(8, 20), slice(10, 30))


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory) -> tuple[ClipInfo, Picture]:
    """Codes at random, 10 bits: most of them lie outside the RGB cube, which 16-bit pictures cannot hold."""
    planes = [np.random.default_rng(seed).integers(0, 1024, (32, 48)).astype(np.uint16) for seed in range(3)]
    clip = probe(encode_planes(tmp_path_factory.mktemp("wild") / "codes.mkv", planes, "yuv444p10le", "colorspace=bt709"))
    (plate,) = decode_frames(clip, 0, 0)
    return clip, plate


def plate_in(space: str, height: int = 32, width: int = 48) -> Picture:
    """Smooth colours inside 0..1 of the working encoding."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    seen = np.stack([0.2 + 0.5 * columns / width, 0.2 + 0.5 * rows / height, np.full_like(rows, 0.35)], axis=-1)
    return Working.of(space).decode(seen)


def tiff(path: Path, picture: Picture, profile: bytes | None = None) -> Path:
    """16 bits, alpha not multiplied in, with a profile where one is given."""
    codes = np.rint(np.clip(picture, 0, 1) * 65535).astype(np.uint16)
    spec = oiio.ImageSpec(codes.shape[1], codes.shape[0], codes.shape[2], oiio.UINT16)
    spec.attribute("oiio:UnassociatedAlpha", 1)
    if profile is not None:
        spec.attribute("ICCProfile", oiio.TypeDesc(f"uint8[{len(profile)}]"), np.frombuffer(profile, np.uint8))
    output = oiio.ImageOutput.create("tiff")
    assert output is not None and output.open(str(path), spec) and output.write_image(codes) and output.close()
    return path


def clip_in(space: str) -> ClipInfo:
    return replace(clip_of(48, 32), named_space=space)


@pytest.mark.parametrize(
    ("space", "suffix"),
    [
        (SPACES[0], "tif"),
        (SPACES[0], "png"),
        (SPACES[0], "exr"),
        (SPACES[2], "tif"),
        ("ACEScg", "tif"),
        ("ACEScg", "exr"),
        ("ARRI LogC4", "png"),
    ],
)
def test_an_untouched_frame_is_the_plate_bit_for_bit(tmp_path: Path, wild: tuple[ClipInfo, Picture], suffix: str, space: str) -> None:
    clip, plate = replace(wild[0], named_space=space), wild[1]
    assert plate.min() < -0.2 and plate.max() > 1.2
    exported = export_frame(clip, 0, tmp_path / f"frame.{suffix}")
    edited = read_edited(exported, clip, plate)
    np.testing.assert_array_equal(edited.pixels, plate)
    assert not Painted(plate, edited.pixels, edited.precision, Working.of(space)).changed and edited.notices == ()


@pytest.mark.parametrize("space", SPACES)
def test_what_was_painted_comes_back(tmp_path: Path, wild: tuple[ClipInfo, Picture], space: str) -> None:
    """Within 2/65535 of what was painted, in the encoding in which it was painted."""
    clip, plate, working = replace(wild[0], named_space=space), wild[1], Working.of(space)
    exported = open_still(export_frame(clip, 0, tmp_path / "frame.tif"))
    assert exported.profile == profile_bytes(space)
    painted = exported.pixels.copy()
    painted[BOX] = np.random.default_rng(9).random(painted[BOX].shape, dtype=np.float32)
    edited = read_edited(tiff(tmp_path / "painted.tif", painted, exported.profile), clip, plate)
    inside = np.zeros(plate.shape[:2], bool)
    inside[BOX] = True
    np.testing.assert_array_equal(edited.pixels[~inside], plate[~inside])
    assert np.abs(working.encode(edited.pixels)[inside] - painted[inside]).max() <= 2 / 65535


def test_lifted_blacks_of_half_floats_are_not_painted(tmp_path: Path, wild: tuple[ClipInfo, Picture]) -> None:
    clip, plate = replace(wild[0], named_space="ACEScg"), wild[1]
    edited = read_edited(save(tmp_path / "half.exr", plate.astype(np.float16), "openexr", oiio.HALF), clip, plate)
    np.testing.assert_array_equal(edited.pixels, plate)


@pytest.mark.parametrize(("space", "bits"), [(SPACES[0], 8), (SPACES[0], 16), (SPACES[2], 16), ("ACEScg", 8), ("ACEScg", 16)])
def test_another_profile_is_converted(tmp_path: Path, space: str, bits: int) -> None:
    """The artist's program turned the frame into sRGB, and painted a patch of it there: the patch arrives as it looked."""
    clip, plate = clip_in(space), plate_in(space)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ours, theirs = exported_profile(space), read_profile(srgb)
    assert ours is not None
    document = np.clip(theirs.from_xyz(ours.to_xyz(Working.of(space).encode(plate))), 0, 1)
    document[BOX] = (0.8, 0.3, 0.4)
    if bits == 8:
        Image.fromarray(np.rint(document * 255).astype(np.uint8)).save(tmp_path / "edit.png", icc_profile=srgb)
    path = tmp_path / "edit.png" if bits == 8 else tiff(tmp_path / "edit.tif", document, srgb)
    edited = read_edited(path, clip, plate)
    inside = np.zeros(plate.shape[:2], bool)
    inside[BOX] = True
    np.testing.assert_array_equal(edited.pixels[~inside], plate[~inside])
    meant = ours.from_xyz(theirs.to_xyz(np.array([0.8, 0.3, 0.4], np.float32)))
    rounding = 1.0 / (255 if bits == 8 else 1023)
    assert np.abs(Working.of(space).encode(edited.pixels)[inside] - meant).max() <= rounding
    assert any("converted from" in notice for notice in edited.notices)


def test_a_profile_of_the_same_meaning_leaves_every_bit(tmp_path: Path) -> None:
    """Photoshop's sRGB on a plate that is sRGB: other bytes, the same colours."""
    clip, plate = clip_in("sRGB Encoded Rec.709 (sRGB)"), plate_in("sRGB Encoded Rec.709 (sRGB)")
    painted = plate.copy()
    painted[BOX] = 0.7
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    edited = read_edited(tiff(tmp_path / "edit.tif", painted, srgb), clip, plate)
    np.testing.assert_allclose(edited.pixels[BOX], 0.7, atol=0.5 / 65535 + 1e-7)
    assert edited.notices == ()


def test_a_profile_that_cannot_be_used(tmp_path: Path) -> None:
    broken = (profile_bytes("ACEScg") or b"").replace(b"RGB ", b"GRAY")
    path = tiff(tmp_path / "edit.tif", plate_in("ACEScg"), broken)
    with pytest.raises(BridgeError) as caught:
        read_edited(path, clip_in("ACEScg"), plate_in("ACEScg"))
    assert caught.value.reason is Reason.EDIT_UNREADABLE and "profile" in caught.value.sentence


@pytest.mark.parametrize(("space", "kind"), [(SPACES[0], "tif"), (SPACES[0], "png"), ("ACEScg", "tif"), ("ACEScg", "exr")])
def test_alpha_is_the_region(tmp_path: Path, kind: str, space: str) -> None:
    """Opaque: the picture; transparent: the plate, whatever colour hides there; half: half of the way, as it is seen."""
    clip, plate, working = clip_in(space), plate_in(space), Working.of(space)
    colour = np.full_like(plate, 0.6)
    alpha = np.zeros((*plate.shape[:2], 1), np.float32)
    alpha[BOX], alpha[24:28] = 1, 0.5
    if kind == "exr":
        light = working.decode(colour)
        path = save(tmp_path / "a.exr", np.concatenate([light * alpha, alpha], axis=2), "openexr", oiio.FLOAT)
    elif kind == "tif":
        path = tiff(tmp_path / "a.tif", np.concatenate([colour, alpha], axis=2))
    else:
        codes = np.rint(np.concatenate([colour, alpha], axis=2) * 65535).astype(np.uint16)
        path = save(tmp_path / "a.png", codes, "png", oiio.UINT16, oiio__UnassociatedAlpha=1)
    edited = read_edited(path, clip, plate)
    outside = alpha[..., 0] == 0
    np.testing.assert_array_equal(edited.pixels[outside], plate[outside])
    seen, found = working.encode(plate), working.encode(edited.pixels)
    np.testing.assert_allclose(found[BOX], 0.6, atol=1e-4)
    np.testing.assert_allclose(found[24:28], (seen[24:28] + 0.6) / 2, atol=1e-4)
    assert any("transparent" in notice for notice in edited.notices)


def test_alpha_that_hides_everything_is_refused(tmp_path: Path) -> None:
    nothing = np.concatenate([plate_in("ACEScg"), np.zeros((32, 48, 1), np.float32)], axis=2)
    with pytest.raises(BridgeError) as caught:
        read_edited(tiff(tmp_path / "edit.tif", nothing), clip_in("ACEScg"), plate_in("ACEScg"))
    assert "transparent everywhere" in caught.value.sentence


def test_the_alpha_of_a_plate_is_the_plates(tmp_path: Path) -> None:
    plate = np.concatenate([plate_in("ARRI LogC4"), np.full((32, 48, 1), 0.25, np.float32)], axis=2)
    painted = plate.copy()
    painted[BOX] = (0.9, 0.1, 0.1, 0.25)
    edited = read_edited(tiff(tmp_path / "edit.tif", painted), clip_in("ARRI LogC4"), plate)
    np.testing.assert_allclose(edited.pixels[BOX], np.broadcast_to((0.9, 0.1, 0.1), edited.pixels[BOX].shape), atol=1e-4)


def _detailed(height: int, width: int) -> Picture:
    rng = np.random.default_rng(4)
    coarse = Image.fromarray(rng.integers(60, 200, (height // 4, width // 4, 3)).astype(np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32) / np.float32(255)


@pytest.mark.parametrize(
    ("factor", "method"), [(0.5, Image.Resampling.LANCZOS), (0.5, Image.Resampling.BILINEAR), (2.0, Image.Resampling.LANCZOS)]
)
def test_other_sizes_bring_their_change_and_leave_the_rest(tmp_path: Path, factor: float, method: Image.Resampling) -> None:
    plate = _detailed(96, 128)
    width, height = round(128 * factor), round(96 * factor)
    picture = np.asarray(Image.fromarray(np.rint(plate * 255).astype(np.uint8)).resize((width, height), method)).copy()
    box = tuple(slice(round(s.start * factor), round(s.stop * factor)) for s in (slice(30, 60), slice(40, 90)))
    picture[box] = (250, 10, 10)
    Image.fromarray(picture).save(tmp_path / "edit.png")
    edited = read_edited(tmp_path / "edit.png", clip_of(128, 96), plate)
    changed = np.abs(edited.pixels - plate).max(axis=-1) > 0
    assert changed[34:56, 44:86].all()
    changed[14:76, 24:106] = False
    assert not changed.any()
    np.testing.assert_allclose(edited.pixels[40:50, 55:75], np.broadcast_to(np.array([250, 10, 10]) / 255, (10, 20, 3)), atol=0.02)
    assert any("scaled" in notice for notice in edited.notices)


@pytest.mark.parametrize(
    ("plate", "aspect", "picture", "fits"),
    [
        ((512, 512), 1, (512, 512), True),
        ((854, 480), 1, (512, 512), False),
        ((1280, 720), 1, (640, 360), True),
        ((1280, 720), 1, (854, 480), True),
        ((1280, 720), 1, (1920, 1080), True),
        ((1280, 720), 1, (1280, 718), False),
        ((853, 479), 1, (1706, 958), True),
        ((720, 576), Fraction(16, 15), (768, 576), True),
        ((720, 576), Fraction(16, 15), (720, 576), True),
        ((720, 576), Fraction(16, 15), (800, 576), False),
    ],
)
def test_sizes_that_fit(plate: tuple[int, int], aspect: Any, picture: tuple[int, int], fits: bool) -> None:
    from dataclasses import replace

    still = Still(Path("edit.png"), np.zeros((picture[1], picture[0], 3), np.float32))
    clip = replace(clip_of(*plate), pixel_aspect=Fraction(aspect))
    if fits:
        check_fits(still, clip)
        return
    with pytest.raises(BridgeError) as caught:
        check_fits(still, clip)
    assert caught.value.reason is Reason.EDIT_SIZE_MISMATCH
    assert all(f"{width}x{height}" in caught.value.sentence for width, height in (plate, picture))


def test_a_shifted_picture_is_refused(tmp_path: Path) -> None:
    plate = _detailed(96, 128)
    moved = np.roll(plate, 1, axis=1)
    with pytest.raises(BridgeError) as caught:
        read_edited(tiff(tmp_path / "edit.tif", moved), clip_of(128, 96), plate)
    assert caught.value.reason is Reason.EDIT_SHIFTED and "1 px to the right" in caught.value.sentence


def test_what_is_no_number(tmp_path: Path) -> None:
    """Refused where the artist made it; where the plate itself is like that, it stands."""
    plate = plate_in("ACEScg")
    broken = plate.copy()
    broken[1, 2] = np.nan
    path = save(tmp_path / "nan.exr", broken, "openexr", oiio.FLOAT)
    with pytest.raises(BridgeError) as caught:
        read_edited(path, clip_in("ACEScg"), plate)
    assert caught.value.reason is Reason.NOT_FINITE
    edited = read_edited(path, clip_in("ACEScg"), broken)
    np.testing.assert_array_equal(edited.pixels.view(np.uint32), broken.view(np.uint32))


def _psd(path: Path, codes: NDArray[np.uint16], profile: bytes) -> Path:
    """A flat 16-bit Photoshop file of R, G and B, by Adobe's specification; psd-tools writes 8 bits alone."""
    height, width, channels = codes.shape
    resource = b"8BIM" + (1039).to_bytes(2, "big") + b"\0\0" + len(profile).to_bytes(4, "big") + profile + b"\0" * (len(profile) % 2)
    head = (
        b"8BPS" + b"\0\1" + b"\0" * 6 + channels.to_bytes(2, "big") + height.to_bytes(4, "big") + width.to_bytes(4, "big") + b"\0\x10\0\3"
    )
    planes = codes.transpose(2, 0, 1).astype(">u2").tobytes()
    path.write_bytes(head + b"\0" * 4 + len(resource).to_bytes(4, "big") + resource + b"\0" * 4 + b"\0\0" + planes)
    return path


@pytest.mark.parametrize("space", ["Gamma 2.4 Encoded Rec.709", "ACEScg"])
def test_a_photoshop_file_with_our_profile(tmp_path: Path, space: str) -> None:
    clip, plate, working = clip_in(space), plate_in(space), Working.of(space)
    codes = np.rint(working.encode(plate) * 65535).astype(np.uint16)
    codes[BOX] = (60000, 2000, 3000)
    edited = read_edited(_psd(tmp_path / "edit.psd", codes, profile_bytes(space) or b""), clip, plate)
    assert np.abs(working.encode(edited.pixels)[BOX] * 65535 - (60000, 2000, 3000)).max() <= 2
    edited.pixels[BOX] = plate[BOX]
    np.testing.assert_array_equal(edited.pixels, plate)


@pytest.mark.media
@pytest.mark.parametrize("name", ["layer_params.psd", "32bit.psd", "16bit5x5.psd", "adjustments_posterize_16bits_rgb.psd"])
def test_photoshop_files_find_their_plate(name: str) -> None:
    """Saved in Adobe RGB, in linear light, in sRGB: a plate that looks like the picture is found unpainted but for its quarter."""
    still = open_still(shared_media(f"psd/{name}"))
    clip = replace(clip_of(*still.size), named_space="sRGB Encoded Rec.709 (sRGB)")
    ours = exported_profile(clip.color_space)
    assert ours is not None
    theirs = read_profile(still.profile) if still.profile else ours
    plate = still.pixels.copy() if theirs.means(ours) else ours.from_xyz(theirs.to_xyz(still.pixels))
    shown = ((plate >= 0) & (plate <= 1)).all(axis=-1)
    height, width = plate.shape[:2]
    plate[: height // 2, : width // 2] = 1 - plate[: height // 2, : width // 2]
    edited = on_plate(still, clip, plate)
    painted = (edited.pixels != plate).any(axis=-1) & shown
    assert not painted[height // 2 :, :].any() and not painted[:, width // 2 :].any()
    assert painted[: height // 2, : width // 2].any()


@pytest.mark.media
@pytest.mark.parametrize("name", ["psd/tiff/cmyk-3c-16b.tiff", "psd/colormodes_4x4_16bit_lab.psd"])
def test_other_colour_models_are_refused(name: str) -> None:
    with pytest.raises(BridgeError) as caught:
        open_still(shared_media(name))
    assert caught.value.reason is Reason.EDIT_UNREADABLE and "convert it to RGB" in caught.value.sentence


@pytest.mark.media
def test_real_edits_are_in_place_and_painted_where_they_are() -> None:
    for folder, edit in [
        ("anyv2v_oldman", "edit_partyhat.png"),
        ("anyv2v_oldman", "edit_whitehair.png"),
        ("anyv2v_kitten", "edit_dog.png"),
    ]:
        shot = Shot.open(shared_media(f"pairs/{folder}/source.mp4"))
        opened = Edit.open(shared_media(f"pairs/{folder}/{edit}"), shot)
        painted = read_painted(opened, shot)
        assert painted.changed and any("8 bits" in notice for notice in opened.notices)
        assert np.isfinite(painted.picture).all()
        moved = painted.plate.copy()
        moved[200:300, 200:300] = painted.picture[200:300, 200:300]
        with pytest.raises(BridgeError) as caught:
            on_plate(Still(opened.image, np.roll(moved, 2, axis=0), depth=8), shot.clip, painted.plate)
        assert caught.value.reason is Reason.EDIT_SHIFTED and "px down" in caught.value.sentence


def test_profiles_are_read_from_every_format(tmp_path: Path) -> None:
    profile = profile_bytes("sRGB Encoded P3-D65")
    picture = Image.fromarray(np.full((16, 16, 3), 90, np.uint8))
    for name in ("a.jpg", "a.png", "a.tif"):
        picture.save(tmp_path / name, icc_profile=profile)
        assert open_still(tmp_path / name).profile == profile
    assert ImageCms.ImageCmsProfile(io.BytesIO(profile or b"")).profile.xcolor_space.strip() == "RGB"
