"""`preview.mp4`: the delivered sequence as a small movie that plays everywhere."""

from pathlib import Path

from i2vedit_core.delivery.delivered import seen_frames
from i2vedit_core.delivery.movie import write_h264
from i2vedit_core.shot import Shot

PREVIEW = "preview.mp4"
MOST_WIDE = 1920


def make_preview(folder: Path, shot: Shot) -> Path:
    """Writes the movie into a version folder, replacing an earlier one: source rate, square pixels, the plate's colour tags.

    Raises BridgeError.
    """
    final = folder / PREVIEW
    write_h264(final, (seen.result for seen in seen_frames(folder, shot)), shot.clip, MOST_WIDE)
    return final
