"""Which colour space is delivered."""

from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.media.spaces import convert, encoding_of, find_space, linear_space

__all__ = ["convert", "delivered_space", "keeps_primaries"]

MATCH = "match"
LINEAR = "linear"


def delivered_space(clip: ClipInfo, requested: str) -> str:
    """The OCIO name of what is delivered. Raises SETTING_INVALID for a name that the config does not have."""
    if requested == MATCH:
        return clip.color_space
    if requested == LINEAR:
        return linear_space(clip.color_space)
    return find_space(requested)


def keeps_primaries(clip: ClipInfo, space: str) -> bool:
    """Whether each delivered channel comes of the plate's same channel alone."""
    ours, theirs = encoding_of(clip.color_space), encoding_of(space)
    return space == clip.color_space or (ours is not None and theirs is not None and ours.gamut == theirs.gamut)
