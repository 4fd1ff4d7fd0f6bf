"""What is asked of the server about a dropped clip; all of it runs in threads."""

from PySide6.QtGui import QImage

from i2vedit_client.client import Client
from i2vedit_client.spec import absolute
from i2vedit_monitor.model.draft import ClipFacts
from i2vedit_monitor.viewer.display import UNTONED, DisplayTransform
from i2vedit_monitor.viewer.frame_store import Picture
from i2vedit_monitor.viewer.layers import read_channels, straight
from i2vedit_monitor.viewer.plates import fetch_plate, plate_folder

THUMB_HEIGHT = 160


def read_clip(client: Client, path: str) -> ClipFacts:
    """Raises BadInput, ServerError."""
    info = client.probe_clip(absolute(path))
    rate = info.rate.numerator / info.rate.denominator if info.rate.denominator else 24.0
    size = info.width, info.height, info.frame_count
    return ClipFacts(info.path or absolute(path), *size, rate, info.color_space, info.codec, info.first_frame)


def read_thumb(client: Client, clip: ClipFacts, frame: int) -> QImage:
    """A small picture of a frame, in the colours of the screen. Raises ServerError, and OSError where it cannot be read back."""
    path = plate_folder(clip.path) / f"{frame}.exr"
    if not path.exists():
        fetch_plate(client, clip.path, frame, path)
    pixels, names = read_channels(path)
    stride = max(1, clip.height // (2 * THUMB_HEIGHT))
    small = straight(pixels[::stride, ::stride], names)
    picture = Picture(DisplayTransform(clip.space, UNTONED)(small))
    # Scaled into bytes of its own: those of the picture go with it.
    return picture.image.scaledToHeight(THUMB_HEIGHT).copy()
