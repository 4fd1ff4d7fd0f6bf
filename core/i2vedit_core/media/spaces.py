"""Colour spaces by name: those of the pinned OCIO config, two of video that it lacks, and the way from each to the others."""

import functools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media import tags
from i2vedit_core.media.pixels import Picture

LINEAR = "lin"
"""The curve of scene-linear spaces."""
STANDARD_CURVES = ("g18", "g22", "g24", "g26", "srgb", "itu709")
"""The curves of spaces of standard dynamic range."""
XYZ_D65 = "CIE XYZ-D65 - Scene-referred"

_INTEROP_ID = re.compile(r"(?:ocio:)?([a-z0-9]+)_([a-z0-9]+)_(?:scene|display)")
"""The Color Interop Forum's way of naming a space: curve, primaries, image state."""
_GAMUT_NAMES = {"wg5": "bmdwg5"}
"""Where the config calls primaries differently in an encoded and in the linear space."""
_ADDED_GAMMA = 2.4
_ADDED = {"Gamma 2.4 Encoded Rec.2020": "Linear Rec.2020", "Gamma 2.4 Encoded P3-D65": "Linear P3-D65"}
"""Standard dynamic range with wide primaries, which the config lacks: a power of 2.4 over a space that it has."""
_HOST_NAMES = {
    # Blender
    "Rec.1886": "Gamma 2.4 Encoded Rec.709",
    "sRGB": "sRGB Encoded Rec.709 (sRGB)",
    "Linear Rec.709": "Linear Rec.709 (sRGB)",
    "Display P3": "sRGB Encoded P3-D65",
    "Rec.2020": "Gamma 2.4 Encoded Rec.2020",
    "Rec.2100-PQ": "Rec.2100-PQ - Display",
    "Rec.2100-HLG": "Rec.2100-HLG - Display",
    # Resolve
    "Rec.709 Gamma 2.4": "Gamma 2.4 Encoded Rec.709",
    "Rec.709 Gamma 2.2": "Gamma 2.2 Encoded Rec.709",
    "Rec.709 (Scene)": "Camera Rec.709",
    "Rec.2020 Gamma 2.4": "Gamma 2.4 Encoded Rec.2020",
    "Rec.2100 ST2084": "Rec.2100-PQ - Display",
    "Rec.2100 HLG": "Rec.2100-HLG - Display",
    "P3-D65 ST2084": "ST2084-P3-D65 - Display",
    "ARRI LogC3": "ARRI LogC3 (EI800)",
    "S-Gamut3.Cine/S-Log3": "S-Log3 S-Gamut3.Cine",
    "S-Gamut3/S-Log3": "S-Log3 S-Gamut3",
    "Panasonic V-Gamut/V-Log": "V-Log V-Gamut",
    "REDWideGamutRGB/Log3G10": "Log3G10 REDWideGamutRGB",
    "DaVinci WG/Intermediate": "DaVinci Intermediate WideGamut",
    "DJI D-Gamut/D-Log": "D-Log D-Gamut",
    "Blackmagic Design Film Gen 5": "BMDFilm WideGamut Gen5",
}
"""What hosts call them where the config has no such alias."""


@dataclass(frozen=True)
class Encoding:
    """What a space's name says: its curve (`g24`, `srgb`, `pq`, `lin`, ...) and its primaries (`rec709`, `p3d65`, ...)."""

    curve: str
    gamut: str


@functools.cache
def _config() -> Any:
    return oiio.ColorConfig(tags.OCIO_CONFIG)


@functools.cache
def _names() -> dict[str, str]:
    """Every name and alias, without case and punctuation, and the space that it means. A space's own name wins over others' aliases."""
    config = _config()
    found = {_plain(alias): name for name in config.getColorSpaceNames() for alias in config.getAliases(name)}
    found.update({_plain(name): space for name, space in _HOST_NAMES.items()})
    found.update({_plain(name): name for name in (*config.getColorSpaceNames(), *_ADDED)})
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def find_space(name: str) -> str:
    """The space that is meant by an OCIO name or alias, or by what a host calls it. Raises SETTING_INVALID."""
    found = _names().get(_plain(name))
    if found is None:
        sentence = f"There is no colour space '{name}'; use a name of the OCIO studio config v4, such as 'ACEScg' or 'ARRI LogC4'."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
    return found


@functools.cache
def encoding_of(space: str) -> Encoding | None:
    """Curve and primaries of a space; None for one that has none, such as `Raw`."""
    if space in _ADDED:
        linear = encoding_of(_ADDED[space])
        return Encoding("g24", linear.gamut) if linear else None
    matches = [match for alias in _config().getAliases(space) if (match := _INTEROP_ID.fullmatch(alias))]
    # The last one: `rec2100_pq_display`, before `pq_rec2020_display`, looks alike and begins with a standard's name.
    return Encoding(matches[-1][1], _GAMUT_NAMES.get(matches[-1][2], matches[-1][2])) if matches else None


def is_linear(space: str) -> bool:
    """Whether values are proportional to light."""
    encoding = encoding_of(space)
    return encoding is not None and encoding.curve == LINEAR


def is_display_referred(space: str) -> bool:
    """Whether 1 is the white of an ordinary display: a gamma, sRGB or the camera's BT.709."""
    encoding = encoding_of(space)
    return encoding is not None and encoding.curve in STANDARD_CURVES


@functools.cache
def linear_space(space: str) -> str:
    """The scene-linear space with the same primaries. Raises SETTING_INVALID where there is none."""
    encoding = encoding_of(space)
    candidates = [f"{prefix}lin_{encoding.gamut}_scene" for prefix in ("", "ocio:")] if encoding else []
    found = next((_names()[plain] for plain in map(_plain, candidates) if plain in _names()), None)
    if found is None:
        sentence = f"There is no scene-linear space with the primaries of '{space}'; name one, such as ACEScg."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
    return found


def convert(pixels: Picture, source: str, target: str) -> Picture:
    """`[H, W, 3] float32` from one space to another, nothing clipped; the same space gives the same array. Raises SETTING_INVALID."""
    if source == target:
        return pixels
    if source in _ADDED:
        return convert(_power(pixels, _ADDED_GAMMA), _ADDED[source], target)
    if target in _ADDED:
        return _power(convert(pixels, source, _ADDED[target]), 1 / _ADDED_GAMMA)
    picture = oiio.ImageBuf(np.ascontiguousarray(pixels, np.float32))
    converted = oiio.ImageBufAlgo.colorconvert(picture, source, target, unpremult=False, colorconfig=tags.OCIO_CONFIG)
    if converted.has_error:
        sentence = f"The picture cannot be converted from '{source}' to '{target}': {converted.geterror()}"
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
    return np.asarray(converted.get_pixels(oiio.FLOAT), np.float32)


def _power(pixels: Picture, exponent: float) -> Picture:
    """As the config's own gamma spaces have it: what is below 0 passes through."""
    return np.asarray(np.where(pixels > 0, np.power(np.maximum(pixels, 0), exponent), pixels), np.float32)
