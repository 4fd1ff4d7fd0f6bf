"""A whole delivery made without the method: a painted first frame, and an orange patch that fades in over the others."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.delivery.painted import read_painted
from i2vedit_core.delivery.sequence import SequenceWriter, describe_delivery, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.matte import painted_matte
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.fingerprint import sha256_of
from i2vedit_core.media.still import export_frame
from i2vedit_core.settings import DeliverySettings
from i2vedit_core.shot import Edit, Shot

ORANGE = (1.0, 0.5, 0.0)


def paint(shot: Shot, path: Path) -> Path:
    """The shot's first frame with an orange block on it, 16 bits."""
    exported = export_frame(shot.clip, shot.first, path.with_name(f"exported-{path.name}"))
    picture = oiio.ImageBuf(str(exported))
    oiio.ImageBufAlgo.fill(picture, ORANGE, oiio.ROI(40, 80, 36, 60))
    assert picture.write(str(path))
    return path


def whole_delivery(directory: Path, shot: Shot, ticket: Ticket, **settings: Any) -> Path:
    """The folder of a version that is whole and true, beside the picture that was painted for it."""
    directory.mkdir(parents=True, exist_ok=True)
    delivery = DeliverySettings(directory / "out", **settings)
    picture = paint(shot, directory / "painted.tif")
    painted = read_painted(Edit.open(picture, shot), shot)
    known = replace(
        ticket,
        plate_sha256=sha256_of(shot.clip.path),
        edit_path=str(picture),
        edit_sha256=sha256_of(picture),
        delivery=describe_delivery(shot.clip, delivery),
    )
    folder = reserve_version(delivery.directory, shot.clip)
    matte = np.zeros((shot.clip.height, shot.clip.width), np.float32)
    matte[36:60, 40:80] = np.linspace(0.1, 1, 40, dtype=np.float32)
    with SequenceWriter(folder, shot.clip, delivery, known) as writer:
        for frame, plate in zip(range(shot.first, shot.last + 1), decode_frames(shot.clip, shot.first, shot.last), strict=True):
            if frame == shot.first:
                writer.write(frame, plate, painted.picture, painted_matte(painted.difference, painted.precision))
            else:
                writer.write(frame, plate, np.broadcast_to(np.array(ORANGE, np.float32), plate.shape).copy(), matte)
    return folder


def rewrite(path: Path, change: Callable[[Any, np.ndarray], None]) -> None:
    """Reads a frame, lets `change` touch its header and pixels, and writes it again."""
    source: Any = oiio.ImageInput.open(str(path))
    spec, pixels = source.spec(), source.read_image(0, 0, 0, 5, oiio.UNKNOWN)
    source.close()
    change(spec, pixels)
    output: Any = oiio.ImageOutput.create("openexr")
    assert output.open(str(path), spec) and output.write_image(pixels) and output.close()
