"""The server's end of the worker process: start it, talk to it, notice at once when it dies."""

import asyncio
import contextlib
import logging
import multiprocessing
import platform
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from i2vedit_core.progress import Preview, Progress
from i2vedit_server import worker_main
from i2vedit_server.messages import FromWorker, Heartbeat, JobEvent, ToWorker, WorkerGone
from i2vedit_server.pulse import Pulse

MOST_WAITING = 256
"""Of messages that the event loop has not read yet. Beyond, steps and previews are left out: they are only news."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker process is started with."""

    runner: str
    """`module:function` that it calls for each job."""
    log_path: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside what the server's own environment says."""


class Worker:
    """One spawned process. `spawn`, because OpenImageIO and gRPC hang in a forked child."""

    def __init__(self, setup: WorkerSetup) -> None:
        """Starts the process (some milliseconds; it imports torch only when it has a job). Needs a running event loop."""
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        arguments = theirs, setup.runner, setup.log_path, dict(setup.environment)
        self._process = context.Process(target=worker_main.serve, args=arguments, name="i2vedit-worker", daemon=True)
        self._process.start()
        theirs.close()
        self.log_path = setup.log_path
        self.messages: asyncio.Queue[FromWorker] = asyncio.Queue()
        self.pulse = Pulse()
        self.name = f"{platform.node()}:{self._process.pid}"
        self.is_ended = False
        """The server has ended it; what it was doing is not to blame."""
        self.fault: str | None = None
        """Why it had to be ended, where its job is to blame."""
        self._gone = threading.Event()
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(loop,), name="worker-listener", daemon=True).start()
        _log.info("worker process %s started", self._process.pid)

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def send(self, message: ToWorker) -> None:
        """To a worker that has died nothing is sent; its WorkerGone is on the way."""
        with contextlib.suppress(OSError):
            self._connection.send(message)

    def end(self) -> None:
        """Ends the process at once, for reasons of the server's; WorkerGone follows."""
        self.is_ended = True
        self._process.kill()

    async def gone(self, seconds: float) -> None:
        """Waits for the end of the process, but not longer."""
        await asyncio.to_thread(self._gone.wait, seconds)

    def end_for(self, fault: str) -> None:
        """Ends the process at once because of what it does, or does not do; WorkerGone follows."""
        self.fault = fault
        self._process.kill()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread of its own: passes messages on until the process has ended and its pipe is empty."""
        while True:
            ready = wait([self._connection, self._process.sentinel])
            if self._connection in ready:
                message = _receive(self._connection)
                if message is not None:
                    self._take(loop, message)
                    continue
            self._process.join()
            self._gone.set()
            self._connection.close()
            _post(loop, self.messages, WorkerGone(self._process.exitcode))
            return

    def _take(self, loop: asyncio.AbstractEventLoop, message: FromWorker) -> None:
        event = message.event if isinstance(message, JobEvent) else None
        if isinstance(event, Progress):
            self.pulse.stepped()
        else:
            self.pulse.heard()
        is_news = isinstance(event, Progress | Preview)
        if not isinstance(message, Heartbeat) and not (is_news and self.messages.qsize() > MOST_WAITING):
            _post(loop, self.messages, message)


def _receive(connection: "Connection[ToWorker, FromWorker]") -> FromWorker | None:
    """The next message; None where the pipe has ended, whole message or not."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        return None


def _post(loop: asyncio.AbstractEventLoop, messages: asyncio.Queue[FromWorker], message: FromWorker) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has closed: the server is gone, and with it whoever wanted to know
        loop.call_soon_threadsafe(messages.put_nowait, message)
