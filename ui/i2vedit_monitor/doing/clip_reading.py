"""What is asked of the server about a dropped clip; all of it runs in threads."""

from PySide6.QtGui import QImage

from i2vedit_client.client import Client
from i2vedit_client.errors import ClientError
from i2vedit_client.spec import absolute, clip_ref
from i2vedit_monitor.model.draft import ClipFacts
from i2vedit_monitor.viewer.display import UNTONED, DisplayTransform
from i2vedit_monitor.viewer.frame_store import Picture
from i2vedit_monitor.viewer.layers import read_channels, straight
from i2vedit_monitor.viewer.plates import AS_SEEN, plate_folder

THUMB_HEIGHT = 160


def read_clip(client: Client, path: str) -> ClipFacts:
    """Raises BadInput, ServerError."""
    info = client.probe_clip(absolute(path))
    rate = info.rate.numerator / info.rate.denominator if info.rate.denominator else 24.0
    size = info.width, info.height, info.frame_count
    return ClipFacts(info.path or absolute(path), *size, rate, info.color_space, info.codec, info.first_frame)


def read_thumb(client: Client, clip: ClipFacts, frame: int) -> QImage:
    """A small picture of a frame, in the colours of the screen. Raises ServerError, and OSError where it cannot be read back."""
    folder = plate_folder(clip.path)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{frame}.exr"
    if not path.exists():
        try:
            client.extract_frame(clip_ref(clip.path, 0, 0, AS_SEEN), frame, str(path))
        except ClientError:
            if not path.exists():
                raise
    pixels, names = read_channels(path)
    stride = max(1, clip.height // (2 * THUMB_HEIGHT))
    small = straight(pixels[::stride, ::stride], names)
    picture = Picture(DisplayTransform(clip.space, UNTONED)(small))
    # Scaled into bytes of its own: those of the picture go with it.
    return picture.image.scaledToHeight(THUMB_HEIGHT).copy()
