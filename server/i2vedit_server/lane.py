"""A lane: one worker process, and the job that it has in hand. Lanes run jobs side by side."""

import asyncio
import logging
import time

from i2vedit_server.attempt import Attempt
from i2vedit_server.worker import Worker, WorkerSetup

ANSWER_SECONDS = 2.0
FREE_SECONDS = 3.0
"""How long a job may take to its next step when the device's memory is wanted: it must be free within five seconds."""

_log = logging.getLogger(__name__)


class Lane:
    """Belongs to the event loop."""

    def __init__(self, setup: WorkerSetup, idle_seconds: float, cancel_grace_seconds: float) -> None:
        self._setup, self._idle_seconds, self._cancel_grace_seconds = setup, idle_seconds, cancel_grace_seconds
        self.attempt: Attempt | None = None
        """Of the running job; None while none runs."""
        self._worker: Worker | None = None
        self._news = asyncio.Event()
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self._idle_since = time.monotonic()

    def take(self, attempt: Attempt) -> None:
        """This job is in hand from now on."""
        self.attempt = attempt
        self._at_rest.clear()

    def let_go(self) -> None:
        """It does not run any more."""
        self.attempt = None
        self._idle_since = time.monotonic()
        self._at_rest.set()

    def ready_worker(self) -> Worker:
        """The worker process, a fresh one where there is none alive."""
        if self._worker is None or not self._worker.alive:
            self._worker = Worker(self._setup)
        return self._worker

    def end_worker(self) -> None:
        """At once; the job in hand is put back."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def let_end(self, attempt: Attempt) -> None:
        """At its next step, or by force after its grace."""
        attempt.stop()
        asyncio.get_running_loop().call_later(self._cancel_grace_seconds, self._end_if_still_running, attempt)

    async def wait_for_rest(self, seconds: float) -> None:
        """Until no job is in hand, but not longer."""
        try:
            await asyncio.wait_for(self._at_rest.wait(), seconds)
        except TimeoutError:
            _log.info("job %s is still stopping", self.attempt.record.job_id if self.attempt else "")

    async def free(self) -> None:
        """Puts the job in hand back, and ends the process: only when it is gone is its memory free."""
        if self.attempt is not None:
            self.attempt.stop()
            await self.wait_for_rest(FREE_SECONDS)
        worker = self._worker
        self.end_worker()
        await self._at_rest.wait()
        if worker is not None:
            await worker.gone(ANSWER_SECONDS)

    async def stop(self, grace_seconds: float) -> None:
        """Lets the job in hand go back into the queue, and ends the worker."""
        self.wake()
        if self.attempt is not None:
            self.attempt.stop()
        await self.wait_for_rest(grace_seconds)
        self.end_worker()
        await self._at_rest.wait()

    def look(self) -> None:
        """The queue is about to be looked at: what comes from now on is news."""
        self._news.clear()

    def wake(self) -> None:
        """There is news: the queue is worth another look."""
        self._news.set()

    async def rest(self, ends: list[float]) -> None:
        """Until there is news, or until the first of these monotonic times. A worker without a job for a while is ended: only a process
        that is gone gives all of the card back."""
        now, idle_end = time.monotonic(), self._idle_since + self._idle_seconds
        ends = ends + ([idle_end] if self._worker is not None else [])
        try:
            await asyncio.wait_for(self._news.wait(), max(min(ends) - now, 0.0) + 0.01 if ends else None)
        except TimeoutError:
            if self._worker is not None and time.monotonic() >= idle_end:
                _log.info("no job for %s s: the worker is ended, and its memory is free", self._idle_seconds)
                self.end_worker()

    def _end_if_still_running(self, attempt: Attempt) -> None:
        if attempt is self.attempt:
            _log.warning("job %s did not stop within its grace; its worker is ended", attempt.record.job_id)
            self.end_worker()
