"""Runs jobs in the worker process without a model, so that the command can be tried against a real server in seconds.

The seed says how a job goes: 1 fails, 2 waits until the file `go` lies in the output folder, any other succeeds.
"""

import time
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.progress import CancelToken, FrameDelivered, Progress, Stage
from i2vedit_core.shot import Shot
from i2vedit_server.messages import DeviceFound, JobOrder, ShotOrder
from i2vedit_server.worker_main import Report

FAILING, WAITING = 1, 2
STEPS = 4


def run(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """Delivers files that are no pictures under the names that pictures would have. What was prepared with a seed is not trained again."""
    shot = Shot.open(order.clip, order.first, order.last)
    report(DeviceFound("stand-in"))
    trained = order.places.artifacts / f"lora-{order.settings.seed}"
    for stage in (Stage.DECODE,) if trained.exists() else (Stage.DECODE, Stage.TRAIN):
        for step in range(STEPS):
            report(Progress(stage, 0, 2, step, STEPS, loss=0.5 if stage is Stage.TRAIN else None, seconds_left=90.0))
            token.check()
    if not isinstance(order, JobOrder):
        trained.mkdir(parents=True, exist_ok=True)
        return None
    report(Progress(Stage.EDIT, 0, 2, 0, 1))
    if order.settings.seed == FAILING:
        raise BridgeError(Code.RESOURCE_EXHAUSTED, Reason.OUT_OF_MEMORY, "The card is full; close other programs.")
    while order.settings.seed == WAITING and not (order.delivery.directory / "go").exists():
        token.check()
        time.sleep(0.02)
    return _deliver(order, shot, report)


def _deliver(order: JobOrder, shot: Shot, report: Report) -> Path:
    directory, stem = order.delivery.directory, shot.clip.stem
    version = 1 + sum(1 for _ in directory.glob(f"{stem}_v*"))
    folder = directory / f"{stem}_v{version:03d}"
    folder.mkdir(parents=True)
    for frame in range(shot.first, shot.last + 1):
        path = folder / f"{folder.name}.{frame:04d}.exr"
        path.write_bytes(b"frame")
        report(FrameDelivered(frame, path))
    return folder
