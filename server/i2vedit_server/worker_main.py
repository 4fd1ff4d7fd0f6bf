"""The worker process: takes jobs from a pipe, runs them one after another, sends events back. Torch is imported here alone.

The server may be killed at any moment, and then this process must not stay behind with the GPU: a thread waits for the end
of the parent process and ends this one with it.
"""

import contextlib
import faulthandler
import importlib
import logging
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, wait
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.progress import CancelToken, Event, Progress, Stage
from i2vedit_server.installing import install_command
from i2vedit_server.logs import log_to_file
from i2vedit_server.messages import (
    DeviceFound,
    FromWorker,
    Heartbeat,
    JobDone,
    JobEvent,
    JobFailed,
    RunJob,
    ShotOrder,
    ShowPreviews,
    ToWorker,
)

Report = Callable[[Event | DeviceFound], None]
Runner = Callable[[ShotOrder, Report, CancelToken], Path | None]
"""Runs a job, reports what happens, looks at the token between steps; gives the folder of the delivered sequence, if it delivers one."""

NICENESS = 5
ORPHAN_EXIT_CODE = 3
PROGRESS_SECONDS = 0.05
HEARTBEAT_SECONDS = 2.0

_log = logging.getLogger(__name__)


def serve(connection: "Connection[FromWorker, ToWorker]", runner_name: str, log_path: Path, environment: Mapping[str, str]) -> None:
    """Entry point of the process; returns when the server closes the pipe."""
    os.environ.update(environment)  # CUDA and Ray read theirs when they are first imported
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the server decides what it means for a job
    threading.Thread(target=_end_with_parent, name="parent-watchdog", daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)  # the host application and the server come first
    log_to_file(log_path)
    with log_path.with_suffix(".crash.log").open("a", encoding="utf-8") as crash_log:
        faulthandler.enable(crash_log)  # what a segfault in native code leaves behind
        _serve_jobs(connection, runner_name, log_path)


def _serve_jobs(connection: "Connection[FromWorker, ToWorker]", runner_name: str, log_path: Path) -> None:
    inbox = Inbox(connection)
    outbox = Outbox(connection)
    threading.Thread(target=_beat, args=(outbox,), name="heartbeat", daemon=True).start()
    while (taken := inbox.next_job()) is not None:
        order, token = taken
        outbox.send(_run(order, token, Reporter(outbox, order.job_id), runner_name, log_path))


class Outbox:
    """The pipe to the server, for the job and the heartbeat: two threads must not write to a connection at once."""

    def __init__(self, connection: "Connection[FromWorker, ToWorker]") -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message: FromWorker) -> None:
        """Waits while the pipe is full. Raises OSError where the server has gone."""
        with self._lock:
            self._connection.send(message)


def _beat(outbox: Outbox) -> None:
    with contextlib.suppress(OSError):
        while True:
            outbox.send(Heartbeat())
            time.sleep(HEARTBEAT_SECONDS)


class Inbox:
    """Reads the pipe in a thread of its own, so that a wish to stop is heard in the middle of a job."""

    def __init__(self, connection: "Connection[FromWorker, ToWorker]") -> None:
        self._connection = connection
        self._jobs: queue.SimpleQueue[tuple[ShotOrder, CancelToken] | None] = queue.SimpleQueue()
        self._tokens: dict[str, CancelToken] = {}
        threading.Thread(target=self._read, name="inbox", daemon=True).start()

    def next_job(self) -> tuple[ShotOrder, CancelToken] | None:
        """Waits for a job; None when the server has closed the pipe."""
        return self._jobs.get()

    def _read(self) -> None:
        try:
            while True:
                self._take(self._connection.recv())
        except (EOFError, OSError):
            self._jobs.put(None)

    def _take(self, message: ToWorker) -> None:
        if isinstance(message, RunJob):
            # Jobs run one at a time, so the token of an earlier one is no longer of use.
            self._tokens = {message.order.job_id: CancelToken()}
            self._jobs.put((message.order, self._tokens[message.order.job_id]))
        elif (token := self._tokens.get(message.job_id)) is None:
            return  # that job is over
        elif isinstance(message, ShowPreviews):
            token.wants_previews = message.wanted
        else:
            token.cancel()


class Reporter:
    """Sends the events of one job, and spares the pipe steps that follow each other faster than anybody looks."""

    def __init__(self, outbox: Outbox, job_id: str) -> None:
        self._outbox = outbox
        self._job_id = job_id
        self._last: Progress | None = None
        self._last_seconds = 0.0

    def __call__(self, event: Event | DeviceFound) -> None:
        if isinstance(event, Progress):
            if self._is_hasty(event):
                return
            self._last, self._last_seconds = event, time.monotonic()
        self._outbox.send(JobEvent(self._job_id, event))

    def _is_hasty(self, event: Progress) -> bool:
        """The first and the last step of a stage always go out."""
        last = self._last
        within = last is not None and (last.stage, last.chunk) == (event.stage, event.chunk) and event.step + 1 < event.of
        return within and time.monotonic() - self._last_seconds < PROGRESS_SECONDS


def _run(order: ShotOrder, token: CancelToken, report: Report, runner_name: str, log_path: Path) -> JobDone | JobFailed:
    _log.info("job %s begins", order.job_id)
    report(Progress(Stage.LOAD, chunk=0, chunks=1, step=0, of=1))  # importing torch and the model takes its time, too
    try:
        folder = load_runner(runner_name)(order, report, token)
    except BridgeError as error:
        _log.info("job %s ends: %s %s", order.job_id, error.reason.value, error.sentence)
        return JobFailed(order.job_id, error)
    except Exception as error:  # noqa: BLE001 - the border of the job: the next one must still find a worker
        _log.exception("job %s ends unexpectedly", order.job_id)
        return JobFailed(order.job_id, _told(error, log_path))
    _log.info("job %s is done", order.job_id)
    return JobDone(order.job_id, folder)


def load_runner(name: str) -> Runner:
    """The function that `module:function` names. Raises ImportError, AttributeError."""
    module, _, function = name.partition(":")
    runner: Runner = getattr(importlib.import_module(module), function)
    return runner


def _told(error: Exception, log_path: Path) -> BridgeError:
    """An unforeseen error as a sentence. Torch's out-of-memory error is known by its name: this file must not import torch."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        sentence = (
            "There was not enough memory for this shot; close other programs that use the GPU, or use a shorter range or a smaller model."
        )
        return BridgeError(Code.RESOURCE_EXHAUSTED, Reason.OUT_OF_MEMORY, sentence)
    if isinstance(error, ImportError):
        sentence = f"A package that the method needs is missing ({error}). Run: {install_command('server')}"
        return BridgeError(Code.FAILED_PRECONDITION, Reason.LIBRARY_MISSING, sentence)
    sentence = f"The job stopped at something that the worker did not expect ({type(error).__name__}); its log says more: {log_path}"
    return BridgeError(Code.INTERNAL, Reason.UNEXPECTED, sentence)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(ORPHAN_EXIT_CODE)
