"""One job at a time: lends the one whose turn it is to the worker, and takes it back when somebody wants it stopped."""

import asyncio
import logging
import os
import platform
import shutil
import time
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.errors import BridgeError
from i2vedit_server import convert
from i2vedit_server.attempt import Attempt, Machine, Surroundings
from i2vedit_server.config import ServerConfig
from i2vedit_server.confinement import Confinement
from i2vedit_server.data_folder import DataFolder
from i2vedit_server.database import Database
from i2vedit_server.hub import Hub
from i2vedit_server.messages import Places, ShotOrder
from i2vedit_server.patience import Patience
from i2vedit_server.record import JobKind, JobRecord, StopRequest
from i2vedit_server.states import JobState
from i2vedit_server.worker import Worker

ANSWER_SECONDS = 2.0
FREE_SECONDS = 3.0
"""How long a job may take to its next step when the device's memory is wanted: it must be free within five seconds."""
HOLD_SECONDS = 60.0
"""How long what was stopped to free the device's memory, or found none, is not taken up again."""

_log = logging.getLogger(__name__)


class Scheduler:
    """Owns the worker process. Its methods belong to the event loop."""

    def __init__(self, config: ServerConfig, folder: DataFolder, database: Database, hub: Hub) -> None:
        self.machine = Machine()
        self._around = Surroundings(config, folder, database, hub, self.machine)
        self._config, self._folder, self._database, self._hub = config, folder, database, hub
        self._store = database.store
        self._worker: Worker | None = None
        self._attempt: Attempt | None = None
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self._waiting = asyncio.Event()
        self._patience = Patience(folder.path)
        self._idle_since = time.monotonic()
        self._held_until: dict[JobKind, float] = {}

    @property
    def _stopping(self) -> bool:
        return self._patience.is_over

    @property
    def running_job(self) -> str:
        """The id of the running job; empty while none runs."""
        return self._attempt.record.job_id if self._attempt else ""

    async def run(self) -> None:
        """Runs jobs until `stop`. An error of the disk never ends it: what it was doing is put back and tried again."""
        while not self._stopping:
            try:
                await self._patience.wait_for_room()
                await self._recover()
                while not self._stopping:
                    await self._patience.wait_for_room()
                    await self._run_next()
                    self._patience.reward()
            except Exception as error:  # noqa: BLE001 - the queue must go on whatever one job has met
                self._end_worker()
                await self._patience.pause(error)

    async def arrived(self, record: JobRecord) -> None:
        """A job has come into the queue, or to another place in it."""
        self._hub.tell_state(record)
        self._waiting.set()
        await self._give_way()

    async def ask_to_stop(self, job_id: str, wish: StopRequest) -> JobRecord:
        """Pauses or cancels a job; a running one gets a moment to end, and is ended by force when it does not within its grace.

        Raises BridgeError JOB_NOT_FOUND, JOB_ENDED.
        """
        record = await self._database(self._store.request_stop, job_id, wish)
        self._hub.tell_state(record)
        attempt = self._attempt
        if record.state is not JobState.RUNNING or attempt is None or attempt.record.job_id != job_id:
            return record
        self._stop(attempt)
        await self._wait_for_rest(ANSWER_SECONDS)
        return await self._database(self._store.get, job_id)

    async def free_memory(self, force: bool) -> str:
        """Ends the worker process, after a preparation, and with `force` any job, has been put back. Gives the id of a job that goes on."""
        attempt = self._attempt
        propagates = attempt is not None and attempt.record.kind is JobKind.PROPAGATION
        if propagates and not force:
            return self.running_job
        self._hold(*(JobKind if propagates else (JobKind.PREPARATION,)))
        if attempt is not None:
            attempt.stop()
            await self._wait_for_rest(FREE_SECONDS)
        worker = self._worker
        self._end_worker()
        await self._at_rest.wait()
        if worker is not None:
            await worker.gone(ANSWER_SECONDS)  # only then is the memory free
        return ""

    async def stop(self) -> None:
        """Lets the running job go back into the queue, and ends the worker."""
        self._patience.end()
        self._waiting.set()
        if self._attempt is not None:
            self._attempt.stop()
        await self._wait_for_rest(self._config.stop_grace_seconds)
        self._end_worker()
        await self._at_rest.wait()

    async def _recover(self) -> None:
        """Takes up what an earlier process, or an error, left in the middle, and tidies scratch folders that nobody resumes."""
        for record in await self._database(self._store.stop_running):
            _log.info("job %s was left running; it is %s now", record.job_id, record.state.value)
            self._hub.tell_state(record)
        await asyncio.to_thread(_tidy, self._folder.work, await self._database(self._store.with_work))

    async def _run_next(self) -> None:
        self._waiting.clear()
        kinds, server = self._free_kinds(), f"{platform.node()}:{os.getpid()}"
        record = await self._database(self._store.claim_next, kinds, server, self._config.worker_silence_seconds)
        if record is None:
            await self._rest()
            return
        self._attempt = attempt = Attempt(record, self._around)
        self._at_rest.clear()
        try:
            await self._run_attempt(attempt)
        finally:
            self._attempt = None
            self._idle_since = time.monotonic()
            self._at_rest.set()
        await self._trim_artifacts()

    async def _run_attempt(self, attempt: Attempt) -> None:
        self._hub.tell_state(attempt.record)
        try:
            order = self._order(attempt.record)
        except BridgeError as error:
            await attempt.fail(error)
            return
        if self._stopping:
            await attempt.give_back()
            return
        await self._give_way()  # to what came between the claim and now
        await attempt.run(order, self._ready_worker())
        if attempt.found_no_room:
            self._hold(attempt.record.kind)
            self._end_worker()

    def _order(self, record: JobRecord) -> ShotOrder:
        work = self._folder.work / record.job_id
        work.mkdir(parents=True, exist_ok=True)
        places, spec = Places(work, self._folder.artifacts), job_pb2.JobSpec.FromString(record.spec)
        Confinement.of(self._config, self._folder).admit_again(spec)
        make = convert.order if record.kind is JobKind.PROPAGATION else convert.shot_order
        return make(record.job_id, spec, places)

    def _ready_worker(self) -> Worker:
        if self._worker is None or not self._worker.alive:
            self._worker = Worker(self._config.runner, self._folder.worker_log)
        return self._worker

    async def _give_way(self) -> None:
        """A running preparation lets whatever has a higher priority go first."""
        attempt = self._attempt
        if attempt is None or attempt.record.kind is not JobKind.PREPARATION:
            return
        first = await self._database(self._store.next_waiting, self._free_kinds())
        if first is not None and first.priority > attempt.record.priority and attempt is self._attempt:
            _log.info("preparation %s gives way to job %s", attempt.record.job_id, first.job_id)
            self._stop(attempt)

    def _stop(self, attempt: Attempt) -> None:
        """At its next step, or by force after its grace."""
        attempt.stop()
        asyncio.get_running_loop().call_later(self._config.cancel_grace_seconds, self._end_if_still_running, attempt)

    def _end_if_still_running(self, attempt: Attempt) -> None:
        if attempt is self._attempt:
            _log.warning("job %s did not stop within its grace; its worker is ended", attempt.record.job_id)
            self._end_worker()

    async def _wait_for_rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._at_rest.wait(), seconds)
        except TimeoutError:
            _log.info("job %s is still stopping", self.running_job)

    def _hold(self, *kinds: JobKind) -> None:
        self._held_until |= dict.fromkeys(kinds, time.monotonic() + HOLD_SECONDS)

    def _free_kinds(self) -> list[JobKind]:
        """Kinds of jobs that may be taken up now."""
        now = time.monotonic()
        return [kind for kind in JobKind if self._held_until.get(kind, 0.0) <= now]

    async def _rest(self) -> None:
        """Until a job comes, or may be taken up again. A worker without one for a while is ended: only a process that is gone gives all
        of the card back."""
        now = time.monotonic()
        idle_end = self._idle_since + self._config.worker_idle_seconds
        ends = [end for end in self._held_until.values() if end > now] + ([idle_end] if self._worker is not None else [])
        try:
            await asyncio.wait_for(self._waiting.wait(), max(min(ends) - now, 0.0) + 0.01 if ends else None)
        except TimeoutError:
            if self._worker is not None and time.monotonic() >= idle_end:
                _log.info("no job for %s s: the worker is ended, and its memory is free", self._config.worker_idle_seconds)
                self._end_worker()

    def _end_worker(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    async def _trim_artifacts(self) -> None:
        """Between two jobs, when nobody is reading any."""
        needed = await self._database(self._store.shots.needed_artifacts)
        try:
            await asyncio.to_thread(Artifacts(self._folder.artifacts).trim, self._config.artifact_bytes, needed)
        except OSError as error:
            _log.warning("artifacts could not be tidied: %s", error)


def _tidy(work: Path, kept: set[str]) -> None:
    """Removes scratch folders of jobs that are done or forgotten."""
    for folder in work.glob("*"):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
