"""Runs jobs in the worker process without a model, so that the command can be tried against a real server in seconds.

The seed says how a job goes: 1 fails, 2 waits until the file `go` lies in the output folder, any other succeeds.
"""

import time
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.progress import CancelToken, FrameDelivered, Progress, Stage
from i2vedit_core.shot import Shot
from i2vedit_server.messages import DeviceFound, JobOrder
from i2vedit_server.worker_main import Report

FAILING, WAITING = 1, 2
STEPS = 4


def run(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """Delivers files that are no pictures under the names that pictures would have."""
    shot = Shot.open(order.clip, order.first, order.last)
    report(DeviceFound("stand-in"))
    for stage in (Stage.DECODE, Stage.TRAIN):
        for step in range(STEPS):
            report(Progress(stage, 0, 2, step, STEPS, loss=0.5 if stage is Stage.TRAIN else None, seconds_left=90.0))
            token.check()
    if order.settings.seed == FAILING:
        raise BridgeError(Code.RESOURCE_EXHAUSTED, Reason.OUT_OF_MEMORY, "The card is full; close other programs.")
    while order.settings.seed == WAITING and not (order.delivery.directory / "go").exists():
        token.check()
        time.sleep(0.02)
    return _deliver(order, shot, report)


def _deliver(order: JobOrder, shot: Shot, report: Report) -> Path:
    directory, stem = order.delivery.directory, order.clip.stem
    version = 1 + sum(1 for _ in directory.glob(f"{stem}_v*"))
    folder = directory / f"{stem}_v{version:03d}"
    folder.mkdir(parents=True)
    for frame in range(shot.first, shot.last + 1):
        path = folder / f"{folder.name}.{frame:04d}.exr"
        path.write_bytes(b"frame")
        report(FrameDelivered(frame, path))
    return folder
