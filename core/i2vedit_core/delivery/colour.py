"""Which colour space is delivered, and the way there and back, by OpenImageIO's pinned OCIO config."""

import functools
from typing import Any

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media import tags
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo

MATCH = "match"
LINEAR = "linear"


@functools.cache
def _config() -> Any:
    return oiio.ColorConfig(tags.OCIO_CONFIG)


def delivered_space(clip: ClipInfo, requested: str) -> str:
    """The OCIO name of what is delivered. Raises SETTING_INVALID for a name that the config does not have."""
    if requested == MATCH:
        return clip.color_space
    if requested == LINEAR:
        return tags.linear_space(clip.primaries)
    config = _config()
    names = {name.casefold(): name for name in config.getColorSpaceNames()}
    for name in config.getColorSpaceNames():
        names.update({alias.casefold(): name for alias in config.getAliases(name)})
    found = names.get(requested.casefold())
    if found is None:
        sentence = f"There is no colour space '{requested}'; use match, linear, ACEScg or another name of the OCIO studio config v4."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
    return str(found)


def convert(pixels: Picture, source: str, target: str) -> Picture:
    """`[H, W, 3] float32` from one OCIO space to another; the same space gives the same array."""
    if source == target:
        return pixels
    picture = oiio.ImageBuf(np.ascontiguousarray(pixels))
    converted = oiio.ImageBufAlgo.colorconvert(picture, source, target, unpremult=False, colorconfig=tags.OCIO_CONFIG)
    if converted.has_error:
        sentence = f"The picture cannot be converted from '{source}' to '{target}': {converted.geterror()}"
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)
    return np.asarray(converted.get_pixels(oiio.FLOAT), np.float32)
