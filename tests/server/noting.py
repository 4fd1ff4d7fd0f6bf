"""The product's own runner, with every step written down before anything else hears of it: what a killed worker has done is known exactly.

A line says which process did what, and when: `PID SECONDS called`, `… train CHUNK STEP`, `… frame NUMBER`, `… ended`.
"""

import os
import time
from pathlib import Path
from typing import Any

from i2vedit_core.progress import CancelToken, FrameDelivered, Progress
from i2vedit_server.messages import JobOrder
from i2vedit_server.worker_main import Report


class Notes:
    """One line a write, at the end of the file: a kill loses nothing that was written, and two processes do not mix theirs."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, *words: object) -> None:
        os.write(self._file, (" ".join(map(str, (os.getpid(), time.time(), *words))) + "\n").encode())


def notes_file(directory: Path) -> Path:
    """Of the job that delivers into this folder."""
    return directory.with_name(f"{directory.name}.notes")


def run_job(order: JobOrder, report: Report, token: CancelToken) -> Path | None:
    """As `i2vedit_server.runner:run_job`."""
    notes = Notes(notes_file(order.delivery.directory))

    def noted(event: Any) -> None:
        match event:
            case Progress():
                notes.write(event.stage.value, event.chunk, event.step)
            case FrameDelivered():
                notes.write("frame", event.frame)
        report(event)

    notes.write("called")
    from i2vedit_server import runner  # here, since it takes seconds in which a kill may fall as well

    try:
        notes.write("begins")
        return runner.run_job(order, noted, token)
    finally:
        notes.write("ended")
