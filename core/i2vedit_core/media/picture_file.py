"""Writing one picture with OpenImageIO, every answer of it checked."""

from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from i2vedit_core.files import WriteFailedError, whole_file

HEADER_BYTES = 65_536


def write_picture(final: Path, file_format: str, spec: Any, pixels: NDArray[Any], replace: bool = False) -> None:
    """Writes `[H, W, C]` as OpenImageIO's `file_format`, reads it back, and only then gives it its name.

    Raises BridgeError OUTPUT_NOT_WRITABLE or DISK_FULL.
    """
    with whole_file(final, spec.image_bytes() + HEADER_BYTES, replace) as temporary:
        # Made by the format's name: the temporary name has no ending that would tell.
        output = oiio.ImageOutput.create(file_format)
        if output is None:
            raise WriteFailedError(oiio.geterror())
        if not output.open(str(temporary), spec):
            raise WriteFailedError(output.geterror())
        written = output.write_image(np.ascontiguousarray(pixels))
        said = output.geterror()
        # On a full disk `close` says True after a failed `write_image`: both count.
        if not (output.close() and written):
            raise WriteFailedError(said or output.geterror())
        if not is_whole(temporary, spec.width, spec.height, spec.nchannels):
            raise WriteFailedError("what was written could not be read back")


def is_whole(path: Path, width: int, height: int, channels: int) -> bool:
    """Whether a picture of exactly this size can be read to its last pixel."""
    source = oiio.ImageInput.open(str(path))
    if source is None:
        oiio.geterror()
        return False
    spec = source.spec()
    fits = (spec.width, spec.height, spec.nchannels) == (width, height, channels)
    whole = fits and source.read_image(0, 0, 0, channels, oiio.UNKNOWN) is not None
    source.geterror()
    source.close()
    return whole
