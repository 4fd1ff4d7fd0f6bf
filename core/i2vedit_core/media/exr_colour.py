"""The colour space of an EXR: by what its header says, and scene-linear in any case."""

from collections.abc import Mapping, Sequence
from typing import Any

from i2vedit_core.errors import BridgeError
from i2vedit_core.media.spaces import find_space

REC709 = "Linear Rec.709 (sRGB)"
"""Without chromaticities, by OpenEXR's own rule."""
ROUNDING = 2e-3
"""Writers round chromaticities to three or four digits."""
NAMES = ("i2vedit/colorspace", "colorInteropID", "oiio:ColorSpace")
"""Attributes that name a space, the surest first."""

_D65 = (0.3127, 0.3290)
_ACES = (0.32168, 0.33767)
_CHROMATICITIES: dict[str, tuple[float, ...]] = {
    REC709: (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65),
    "Linear P3-D65": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    "Linear Rec.2020": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    "Linear AdobeRGB": (0.640, 0.330, 0.210, 0.710, 0.150, 0.060, *_D65),
    "ACES2065-1": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.0770, *_ACES),
    "ACEScg": (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, *_ACES),
    "Linear ARRI Wide Gamut 3": (0.684, 0.313, 0.221, 0.848, 0.0861, -0.102, *_D65),
    "Linear ARRI Wide Gamut 4": (0.7347, 0.2653, 0.1424, 0.8576, 0.0991, -0.0308, *_D65),
    "Linear REDWideGamutRGB": (0.780308, 0.304253, 0.121595, 1.493994, 0.095612, -0.084589, *_D65),
    "Linear S-Gamut3": (0.730, 0.280, 0.140, 0.855, 0.100, -0.050, *_D65),
    "Linear S-Gamut3.Cine": (0.766, 0.275, 0.225, 0.800, 0.089, -0.087, *_D65),
    "Linear V-Gamut": (0.730, 0.280, 0.165, 0.840, 0.100, -0.030, *_D65),
    "Linear DaVinci WideGamut": (0.8000, 0.3130, 0.1682, 0.9877, 0.0790, -0.1155, *_D65),
    "CIE XYZ-D65 - Scene-referred": (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
}
"""Red, green, blue and white, each as CIE x and y. Of XYZ the white that its numbers are equal at."""


def space_of_exr(chromaticities: Sequence[float] | None, attributes: Mapping[str, Any]) -> str:
    """The OCIO name of an EXR's values.

    `chromaticities`: the header's eight numbers, if it has them; `attributes`: the header's, by OpenImageIO's names. A name in the header
    counts most, then the ACES container's flag, then the primaries; primaries that the config does not know are taken for BT.709's.
    """
    for attribute in NAMES:
        found = _named(attributes.get(attribute))
        if found is not None:
            return found
    if attributes.get("acesImageContainerFlag") == 1 or attributes.get("openexr:acesImageContainerFlag") == 1:
        return "ACES2065-1"
    if chromaticities is None or len(chromaticities) != 8:
        return REC709
    near = {space: max(abs(a - b) for a, b in zip(known, chromaticities, strict=True)) for space, known in _CHROMATICITIES.items()}
    best = min(near, key=lambda space: near[space])
    return best if near[best] <= ROUNDING else REC709


def _named(name: Any) -> str | None:
    """OpenImageIO itself notes `scene_linear` or `lin_rec709_scene` where a header says nothing: that is no name of the writer's."""
    if not isinstance(name, str) or not name or name.casefold() in ("linear", "scene_linear", "lin_rec709_scene", "lin_rec709", "unknown"):
        return None
    try:
        return find_space(name)
    except BridgeError:
        return None
