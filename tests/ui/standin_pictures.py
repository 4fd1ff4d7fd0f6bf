"""A runner for the worker process that delivers real EXR frames without a model. The seed is the length of a step in milliseconds.

Seed 1 fails as on a full disk. What it delivers is the plate with a brighter square, whose matte is 1.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.progress import CancelToken, FrameDelivered, Progress, Stage
from i2vedit_core.shot import Shot
from i2vedit_server.messages import DeviceFound, JobOrder, ShotOrder
from i2vedit_server.worker_main import Report

FULL_DISK = 1
STEPS, CHUNKS = 6, 2
SQUARE = (slice(16, 40), slice(24, 56))
SPACE = "Gamma 2.4 Encoded Rec.709"


def run(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """Traces, learns and carries in name alone; an attempt goes on where the last one stopped."""
    report(DeviceFound("stand-in"))
    for chunk in range(CHUNKS):
        for stage in (Stage.INVERT, Stage.TRAIN):
            _go(order, stage, chunk, report, token)
    if not isinstance(order, JobOrder):
        return None
    if order.settings.seed == FULL_DISK:
        sentence = "The disk of the output folder is full: 3.1 GB are needed, 0.4 GB are free."
        raise BridgeError(Code.RESOURCE_EXHAUSTED, Reason.DISK_FULL, sentence)
    return _deliver(order, report, token)


def _go(order: ShotOrder, stage: Stage, chunk: int, report: Report, token: CancelToken) -> None:
    for step in range(STEPS):
        mark = order.places.work / f"{stage}_{chunk}_{step}"
        if not mark.exists():
            loss = 0.5 / (step + 1) if stage is Stage.TRAIN else None
            report(Progress(stage, chunk, CHUNKS, step, STEPS, loss=loss, seconds_left=60.0 - 5 * step))
            time.sleep(order.settings.seed / 1000)
            token.check()
            mark.touch()


def _deliver(order: JobOrder, report: Report, token: CancelToken) -> Path:
    shot = Shot.open(order.clip, order.first, order.last)
    folder = order.delivery.directory / f"{shot.clip.stem}_v{order.job_id[:6]}"
    folder.mkdir(parents=True, exist_ok=True)
    for frame, plate in zip(range(shot.first, shot.last + 1), decode_frames(shot.clip, shot.first, shot.last), strict=True):
        report(Progress(Stage.EDIT, 0, CHUNKS, frame - shot.first, len(shot)))
        token.check()
        path = folder / f"{folder.name}.{frame:04d}.exr"
        write_frame(path, plate[:, :, :3], SQUARE)
        report(FrameDelivered(frame, path))
    return folder


def write_frame(path: Path, plate: np.ndarray, square: tuple[slice, slice], rate: tuple[int, int] = (24, 1)) -> None:
    """A delivered frame as DESIGN has it: R G B A matte.A, half, ZIP."""
    matte = np.zeros((*plate.shape[:2], 1), np.float32)
    matte[square] = 1
    result = np.where(matte > 0, np.minimum(plate + 0.25, 1.5), plate)
    pixels = np.concatenate((result, np.ones_like(matte), matte), axis=2).astype(np.float32)
    spec = oiio.ImageSpec(plate.shape[1], plate.shape[0], 5, oiio.HALF)
    spec.channelnames = ("R", "G", "B", "A", "matte.A")
    spec.attribute("compression", "zip")
    spec.attribute("framesPerSecond", oiio.TypeRational, rate)
    spec.attribute("i2vedit/colorspace", SPACE)
    spec.attribute("i2vedit/timecode", "01:00:00:00")
    output: Any = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec) and output.write_image(pixels) and output.close(), output.geterror()
