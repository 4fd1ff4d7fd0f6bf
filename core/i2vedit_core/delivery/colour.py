"""Which colour space is delivered."""

from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.media.spaces import convert, find_space, linear_space

__all__ = ["convert", "delivered_space"]

MATCH = "match"
LINEAR = "linear"


def delivered_space(clip: ClipInfo, requested: str) -> str:
    """The OCIO name of what is delivered. Raises SETTING_INVALID for a name that the config does not have."""
    if requested == MATCH:
        return clip.color_space
    if requested == LINEAR:
        return linear_space(clip.color_space)
    return find_space(requested)
