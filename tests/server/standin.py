"""Runners that the tests give to the worker instead of the method. The seed of a job is the length of a step in milliseconds."""

import hashlib
import os
import signal
import threading
import time
from pathlib import Path

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.plan import Architecture, Memory, Request, choose
from i2vedit_core.plan import step_down as step_down_plan
from i2vedit_core.plan.counts import Counts
from i2vedit_core.progress import ArtifactUsed, CancelToken, FrameDelivered, PlanTaken, Preview, Progress, Stage
from i2vedit_core.shot import Shot
from i2vedit_server.messages import DeviceFound, JobOrder, ShotOrder
from i2vedit_server.worker_main import Report

STEPS = 5
SHAPE = Architecture.of({}, {}, {})
COUNTS = Counts(3 * 10**9, 4 * 10**8, 2 * 10**9, 6 * 10**7, *[10**5] * 8)
PLAN = choose(SHAPE, COUNTS, Memory(8 * 10**9, 12 * 10**9, 32 * 10**9, on_cuda=True), Request(1024, 576, trains=False))
"""With counts of no model."""


def train(order: ShotOrder, report: Report, token: CancelToken) -> None:
    """Some steps whose result is an artifact of the clip: whoever trains on the same clip goes on where the last one stopped."""
    artifacts = Artifacts(order.places.artifacts)
    folder = artifacts.folder("lora", {"clip": str(order.clip), "seed": order.settings.seed})
    report(ArtifactUsed(folder.name))
    for step in range(sum(1 for _ in folder.glob("step_*")), STEPS):
        report(Progress(Stage.TRAIN, 0, 1, step, STEPS, loss=1.0 / (step + 1), seconds_left=float(STEPS - step)))
        time.sleep(order.settings.seed / 1000)
        (folder / f"step_{step}").touch()
        token.check()


def shot(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """As the real runner: prepares, and delivers where that is asked for."""
    report(DeviceFound("stand-in", PLAN))
    train(order, report, token)
    if not isinstance(order, JobOrder):
        return None
    folder = _folder(order)
    report(Progress(Stage.EDIT, 0, 1, 0, 1))
    path = folder / f"{folder.name}.{order.first or 0:04d}.exr"
    path.write_bytes(b"frame")
    report(FrameDelivered(order.first or 0, path))
    return folder


def edit_on(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """Prepares, and edits until it is cancelled."""
    train(order, report, token)
    while isinstance(order, JobOrder):
        report(Progress(Stage.EDIT, 0, 1, 0, 1))
        time.sleep(0.01)
        token.check()
    return None


def step_down(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """Finds that the plan's memory does not suffice."""
    report(DeviceFound("stand-in", PLAN))
    leaner = step_down_plan(PLAN)
    assert leaner is not None
    report(PlanTaken(leaner))
    return None


def busy(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """Finds the card in other hands."""
    raise BridgeError(Code.UNAVAILABLE, Reason.MEMORY_BUSY, "The card is busy.")


def freeze(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """The whole process stands still at its first attempt."""
    report(Progress(Stage.TRAIN, 0, 1, 0, 1))
    mark = order.places.work / "frozen"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGSTOP)
    return None


def dawdle(order: ShotOrder, report: Report, token: CancelToken) -> Path | None:
    """Makes no second step at its first attempt, while its process lives on."""
    report(Progress(Stage.TRAIN, 0, 1, 0, 1))
    mark = order.places.work / "dawdled"
    if not mark.exists():
        mark.touch()
        time.sleep(120)
    return None


def deliver(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """Writes a small file for each frame, after some steps of training; a second attempt begins where the first one stopped."""
    source = Shot.open(order.clip, order.first, order.last)
    report(DeviceFound("stand-in", PLAN))
    folder = _folder(order)
    for step in range(_steps_done(order), STEPS):
        report(Progress(Stage.TRAIN, 0, 1, step, STEPS, loss=1.0 / (step + 1), seconds_left=float(STEPS - step)))
        _rest(order, token)
        (order.places.work / f"step_{step}").touch()
    for frame in range(source.first, source.last + 1):
        path = folder / f"{folder.name}.{frame:04d}.exr"
        if not path.exists():
            _rest(order, token)
            path.write_bytes(b"frame")
        report(FrameDelivered(frame, path))
    return folder


def _folder(order: JobOrder) -> Path:
    """The same folder at every attempt of a job, another one for every job."""
    folder = order.delivery.directory / f"{order.clip.path.stem}_{order.job_id}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _steps_done(order: JobOrder) -> int:
    return sum(1 for _ in order.places.work.glob("step_*"))


def _rest(order: JobOrder, token: CancelToken) -> None:
    time.sleep(order.settings.seed / 1000)
    token.check()


def note_attempts(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """As `deliver`, and leaves a note of the steps that an attempt found done."""
    order.delivery.directory.mkdir(parents=True, exist_ok=True)
    with (order.delivery.directory / "attempts.txt").open("a") as notes:
        notes.write(f"{_steps_done(order)}\n")
    return deliver(order, report, token)


def chatter(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """Reports far more than anybody can read."""
    folder = _folder(order)
    for frame in range(3000):
        report(FrameDelivered(frame % 1000, folder / f"{frame % 1000}.exr"))
    return folder


def burn(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """Keeps two cores busy until it is cancelled."""
    report(Progress(Stage.TRAIN, 0, 1, 0, 1))

    def hash_on() -> None:
        block = bytes(2**22)
        while not token.cancelled:
            hashlib.sha256(block).digest()  # lets go of the interpreter lock meanwhile

    threads = [threading.Thread(target=hash_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    token.check()
    return order.delivery.directory


def deaf(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """Never looks at its token."""
    report(Progress(Stage.TRAIN, 0, 1, 0, 1))
    time.sleep(120)
    return order.delivery.directory


def die(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """Takes the process down every time."""
    os.kill(os.getpid(), signal.SIGKILL)
    return order.delivery.directory


def explode(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """Meets something that nobody foresaw."""
    raise RuntimeError("a secret detail")


def run_out_of_memory(order: JobOrder, report: Report, token: CancelToken) -> Path:
    raise MemoryError


def lack_a_package(order: JobOrder, report: Report, token: CancelToken) -> Path:
    raise ModuleNotFoundError("No module named 'diffusers'", name="diffusers")


def refuse(order: JobOrder, report: Report, token: CancelToken) -> Path:
    raise BridgeError(Code.RESOURCE_EXHAUSTED, Reason.DISK_FULL, "The disk is full.")


def show(order: JobOrder, report: Report, token: CancelToken) -> Path:
    """Shows a picture as long as somebody looks, and ends once nobody does any more."""
    report(Progress(Stage.EDIT, 0, 1, 0, 1))
    while not _is_watched(token):
        time.sleep(0.01)
        token.check()
    step = 0
    while _is_watched(token):
        report(Preview(0, step, order.first or 0, f"picture {step}".encode()))
        step += 1
        time.sleep(0.005)
        token.check()
    return _folder(order)


def _is_watched(token: CancelToken) -> bool:
    return token.wants_previews
