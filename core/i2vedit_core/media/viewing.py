"""Pictures for looking at: previews and contact sheets, which are seen on ordinary displays."""

from i2vedit_core.media.exported_profile import exported_profile
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.media.spaces import encoding_of, is_display_referred
from i2vedit_core.media.tags import stream_tags
from i2vedit_core.media.working import Working

SRGB = "sRGB Encoded Rec.709 (sRGB)"


def movie_tags(clip: ClipInfo) -> tuple[str, str] | None:
    """(primaries, transfer) of a movie that holds the plate's values as they are; None where no movie can say what they are."""
    if not clip.named_space and clip.transfer != "linear":
        return clip.primaries, clip.transfer
    encoding = encoding_of(clip.color_space)
    return stream_tags(encoding.curve, encoding.gamut) if encoding else None


def on_display(picture: Picture, space: str) -> Picture:
    """[..., 3] in a plate's space -> sRGB, as the exported frame is shown: highlights rolled off. What is SDR already stays as it is."""
    ours, screen = exported_profile(space), exported_profile(SRGB)
    if is_display_referred(space) or ours is None or screen is None:
        return picture
    return screen.from_xyz(ours.to_xyz(Working.of(space).encode(picture)))
