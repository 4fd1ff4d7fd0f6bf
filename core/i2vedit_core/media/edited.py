"""The edited frame on its plate: whatever a paint program made of it, in the plate's encoding and size, and the plate elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter, maximum_filter, minimum_filter

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.exported_profile import exported_profile
from i2vedit_core.media.icc import Profile, UnknownProfileError, read_profile
from i2vedit_core.media.pixels import Picture, largest_difference
from i2vedit_core.media.place import check_place
from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.media.still import EIGHT_BITS, HALF_BITS, Still, open_still, unreadable
from i2vedit_core.media.working import Working

EIGHT_BIT = 1.01 / 255
SIXTEEN_BIT = 2 / 65535
"""Photoshop's 16 bits are 15 bits and one value more."""
HALF = 1.01 * 2**-11
EIGHT_BIT_NOTICE = "The picture has 8 bits: what differs from the plate by one of its 255 steps counts as unpainted."
CONVERTED = 4
"""How many times more a paint program's conversion to its own profile may round."""
DITHERED = 2
"""The same with eight bits, where converting programs dither."""
SCALED = 4 / 255
"""A smoothed difference from which on something was painted on a picture of another size; less is the other program's way of scaling."""
FILTERED = 0.5
"""The share of a local step by which two programs' ways of scaling may differ."""
SCALED_MARGIN = 2
"""Pixels around it that count as painted, too."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class EditedPicture:
    """The painted frame, ready for its plate."""

    pixels: Picture
    """[H, W, 3] float32 in the plate's encoding; exactly the plate's own where nothing was painted."""
    precision: float
    """The difference, in the working encoding, that the picture's own rounding may make."""
    notices: tuple[str, ...]
    """What was done to it, for the artist."""


@dataclass(frozen=True)
class _Document:
    """How the picture's numbers belong to the working encoding."""

    numbers: Picture
    """The picture's own, in the encoding in which it is compared."""
    expects: Callable[[Picture], Picture]
    """From the working encoding: what an untouched picture would hold."""
    means: Callable[[Picture], Picture]
    """To the working encoding."""
    tolerance: float
    notices: tuple[str, ...]


def read_edited(path: str | Path, clip: ClipInfo, plate: Picture) -> EditedPicture:
    """The edited frame for its plate `[H, W, 3 or 4]`, as `decode_frames` gives it.

    Raises BridgeError EDIT_NOT_FOUND, EDIT_UNREADABLE, EDIT_SIZE_MISMATCH, EDIT_SHIFTED or NOT_FINITE.
    """
    still = open_still(path)
    check_fits(still, clip)
    return on_plate(still, clip, plate)


def check_fits(still: Still, clip: ClipInfo) -> None:
    """Raises EDIT_SIZE_MISMATCH unless the picture has the plate's size, or its shape within the rounding of a pixel.

    The shape on the screen will do as well, where the plate's pixels are not square.
    """
    if any(_has_shape(still.size, shape) for shape in ((Fraction(clip.width), clip.height), (clip.width * clip.pixel_aspect, clip.height))):
        return
    sentence = (
        f"The edited frame '{still.path.name}' is {still.size[0]}x{still.size[1]}, the clip is {clip.width}x{clip.height}; "
        "its shape must be the clip's. Export the frame again and paint on that."
    )
    raise BridgeError(Code.INVALID_ARGUMENT, Reason.EDIT_SIZE_MISMATCH, sentence)


def _has_shape(size: tuple[int, int], shape: tuple[Fraction, int]) -> bool:
    (width, height), (shape_width, shape_height) = size, shape
    smallest = max((width - 0.5) / shape_width, (height - 0.5) / shape_height)
    return smallest <= min((width + 0.5) / shape_width, (height + 0.5) / shape_height)


def on_plate(still: Still, clip: ClipInfo, plate: Picture) -> EditedPicture:
    """A picture that fits its plate `[H, W, 3 or 4]`. Raises BridgeError EDIT_UNREADABLE, EDIT_SHIFTED or NOT_FINITE."""
    _check_finite(still, plate)
    has_own_alpha = plate.shape[2] == 4
    still = still if has_own_alpha else _straight(still)
    working = Working.of(clip.color_space)
    seen = working.encode(plate[:, :, :3])
    document = _document(still, clip, working)
    region, notices = _region(still, has_own_alpha)
    same_size = still.pixels.shape[:2] == plate.shape[:2]
    if same_size:
        picture, painted = _compared(document, seen)
    else:
        picture, painted = _compared_scaled(document, seen)
        notices += (f"The picture is {still.size[0]}x{still.size[1]} and was scaled to the clip's {clip.width}x{clip.height}.",)
    if still.clipped:
        # Whole numbers cannot hold what the plate has below 0 and above 1: where both lie at the same end, the plate's value stands.
        picture = np.where(((picture <= 0) & (seen < 0)) | ((picture >= 1) & (seen > 1)), seen, picture)
    if region is not None:
        region = region if same_size else np.clip(scaled(region[..., None], clip.width, clip.height)[..., 0], 0, 1)
        picture, painted = seen + region[..., None] * (picture - seen), painted & (region > 0)
    notices += check_place(still.path.name, seen, picture, painted)
    pixels = np.where(painted[..., None], working.decode(picture.astype(np.float32)), plate[:, :, :3])
    return EditedPicture(pixels, document.tolerance if same_size else SCALED, document.notices + notices)


def _straight(still: Still) -> Still:
    """With the alpha that was multiplied in divided out again."""
    if not still.premultiplied or still.alpha is None:
        return still
    alpha = still.alpha[..., None]
    return replace(still, pixels=np.divide(still.pixels, alpha, out=np.zeros_like(still.pixels), where=alpha > 0), premultiplied=False)


def _check_finite(still: Still, plate: Picture) -> None:
    """NaN and infinity are allowed only where the plate has them itself, and so gave them away."""
    if np.isfinite(still.pixels).all():
        return
    broken = ~np.isfinite(still.pixels).all(axis=-1)
    if broken.shape == plate.shape[:2] and not (broken & np.isfinite(plate).all(axis=-1)).any():
        return
    sentence = f"The edited frame '{still.path.name}' holds pixels that are not numbers (NaN or infinite); save it again without them."
    raise BridgeError(Code.INVALID_ARGUMENT, Reason.NOT_FINITE, sentence)


def _document(still: Still, clip: ClipInfo, working: Working) -> _Document:
    tolerance = {EIGHT_BITS: EIGHT_BIT, HALF_BITS: HALF}.get(still.depth, SIXTEEN_BIT)
    notices: tuple[str, ...] = (EIGHT_BIT_NOTICE,) if still.depth == EIGHT_BITS else ()
    ours = exported_profile(clip.color_space)
    theirs = _profile(still)
    if theirs is None or ours is None or theirs.means(ours):
        if still.clipped or theirs is not None:
            return _Document(still.pixels, lambda seen: np.clip(seen, 0, 1), lambda numbers: numbers, tolerance, notices)
        # Floats without a profile, such as EXR, are the plate's own values.
        return _Document(working.encode(still.pixels), lambda seen: seen, lambda numbers: numbers, tolerance, notices)
    notices += (f"The picture's colours were converted from '{theirs.name or 'its profile'}' to the plate's '{clip.color_space}'.",)
    tolerance *= DITHERED if still.depth == EIGHT_BITS else CONVERTED
    top = 1.0 if still.clipped else np.inf
    return _Document(
        still.pixels,
        lambda seen: np.clip(theirs.from_xyz(ours.to_xyz(np.clip(seen, 0, 1))), 0, top),
        lambda numbers: ours.from_xyz(theirs.to_xyz(numbers)),
        tolerance,
        notices,
    )


def _profile(still: Still) -> Profile | None:
    if not still.profile:
        return None
    try:
        return read_profile(still.profile)
    except UnknownProfileError as error:
        why = (
            f"carries a colour profile that cannot be used ({error}); convert it to sRGB or the exported frame's profile and save it again"
        )
        raise unreadable(still.path, why) from error


def _region(still: Still, has_own_alpha: bool) -> tuple[Picture | None, tuple[str, ...]]:
    """What of the picture counts, [h, w] in 0..1, by its transparency; None: all. A plate's own alpha says nothing of that."""
    if still.alpha is None or has_own_alpha:
        return None, ()
    if not still.alpha.any():
        raise unreadable(still.path, "is transparent everywhere, so nothing of it would count; fill its alpha, or save it without one")
    return still.alpha, ("The picture is transparent in places: there the plate stands, and what is opaque is the edit's region.",)


def _compared(document: _Document, seen: Picture) -> tuple[Picture, Mask]:
    """The picture in the working encoding, and where it was painted."""
    painted = largest_difference(document.numbers, document.expects(seen)) > document.tolerance
    return document.means(document.numbers), painted


def _compared_scaled(document: _Document, seen: Picture) -> tuple[Picture, Mask]:
    """The same for a picture of another size. Paint is found at the smaller of both sizes, and blends into the plate around it."""
    height, width = seen.shape[:2]
    numbers = document.numbers
    if numbers.shape[0] > height:
        numbers = scaled(numbers, width, height)
    expected = document.expects(scaled(seen, numbers.shape[1], numbers.shape[0]))
    # What another program's filter makes of an edge is no paint.
    edges = maximum_filter(expected, (3, 3, 1)) - minimum_filter(expected, (3, 3, 1))
    difference = np.maximum(np.abs(numbers - expected) - FILTERED * edges, 0).max(axis=-1)
    painted = binary_dilation(gaussian_filter(difference, 1.0) > SCALED, iterations=SCALED_MARGIN)
    weight = np.clip(scaled(painted[..., None].astype(np.float32), width, height), 0, 1)
    return seen + weight * (scaled(document.means(numbers), width, height) - seen), weight[..., 0] > SIXTEEN_BIT


def scaled(pixels: Picture, width: int, height: int) -> Picture:
    """`[h, w, C]` at another size; the same array where it has that size."""
    if pixels.shape[:2] == (height, width):
        return pixels
    source = oiio.ImageBuf(np.ascontiguousarray(pixels, np.float32))
    larger = oiio.ImageBufAlgo.resize(source, roi=oiio.ROI(0, width, 0, height, 0, 1, 0, pixels.shape[2]))
    return np.asarray(larger.get_pixels(oiio.FLOAT), np.float32).reshape(height, width, -1)
