"""One job at a time, the oldest first: hands it to the worker, writes down what happens, and puts it back when the worker dies."""

import asyncio
import logging
import shutil
import sqlite3
import time
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.plan import MemoryPlan
from i2vedit_core.progress import FrameDelivered, Progress
from i2vedit_server import convert
from i2vedit_server.config import ServerConfig
from i2vedit_server.confinement import Confinement
from i2vedit_server.data_folder import DataFolder
from i2vedit_server.database import Database
from i2vedit_server.hub import Hub
from i2vedit_server.messages import DeviceFound, JobDone, JobEvent, JobFailed, JobOrder, Places, RunJob, StopJob, WorkerGone
from i2vedit_server.record import Failure, JobRecord, JobState
from i2vedit_server.store import LARGEST_SEQUENCE
from i2vedit_server.worker import Worker

MOST_LOSSES = 3
PROGRESS_WRITE_SECONDS = 1.0
CANCEL_ANSWER_SECONDS = 2.0
RETRY_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Scheduler:
    """Owns the worker process. Its methods belong to the event loop."""

    def __init__(self, config: ServerConfig, folder: DataFolder, database: Database, hub: Hub) -> None:
        self._config = config
        self._folder = folder
        self._database = database
        self._store = database.store
        self._hub = hub
        self._worker: Worker | None = None
        self._waiting = asyncio.Event()
        self._stopping = False
        self._running: JobRecord | None = None
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self._progress_written_seconds = 0.0
        self.device = ""
        """What the worker runs on; empty until it has said so."""
        self.plan: MemoryPlan | None = None
        """What the last job that began needs of the memory."""

    async def run(self) -> None:
        """Runs jobs until `stop`. An error of the disk never ends it: what it was doing is put back and tried again."""
        while not self._stopping:
            try:
                await self._recover()
                while not self._stopping:
                    await self._run_next()
            except Exception:  # noqa: BLE001 - the queue must go on whatever one job has met
                _log.exception("the queue met something unexpected and goes on in %s s", RETRY_SECONDS)
                self._kill_worker()
                self._worker = None
                await asyncio.sleep(RETRY_SECONDS)

    def wake(self) -> None:
        """A job has come into the queue."""
        self._waiting.set()

    async def cancel(self, job_id: str) -> JobRecord:
        """Cancels a job; a running one gets a moment to end, and is ended by force when it does not within its grace.

        Raises BridgeError JOB_NOT_FOUND, JOB_ENDED.
        """
        record = await self._database(self._store.request_cancel, job_id)
        if record.state is not JobState.RUNNING:
            self._hub.tell_state(record)
            return record
        if self._worker is not None:
            self._worker.send(StopJob(job_id))
            grace = self._config.cancel_grace_seconds
            asyncio.get_running_loop().call_later(grace, self._kill_if_still_running, job_id, self._worker, record.attempt)
        try:
            await asyncio.wait_for(self._at_rest.wait(), CANCEL_ANSWER_SECONDS)
        except TimeoutError:
            _log.info("job %s is still stopping", job_id)
        return await self._database(self._store.get, job_id)

    async def stop(self) -> None:
        """Lets the running job go back into the queue, and ends the worker."""
        self._stopping = True
        self._waiting.set()
        if self._running is not None and self._worker is not None:
            self._worker.send(StopJob(self._running.job_id))
        try:
            await asyncio.wait_for(self._at_rest.wait(), self._config.stop_grace_seconds)
        except TimeoutError:
            _log.info("the worker did not stop in time and is ended")
        self._kill_worker()
        await self._at_rest.wait()

    async def _recover(self) -> None:
        """Takes up what an earlier process, or an error, left in the middle, and tidies scratch folders of ended jobs."""
        for record in await self._database(self._store.requeue_running):
            _log.info("job %s was left running; it is %s now", record.job_id, record.state.value)
            self._hub.tell_state(record)
        queued = await self._database(self._store.page, LARGEST_SEQUENCE, -1, [JobState.QUEUED])
        await asyncio.to_thread(_tidy, self._folder.work, {record.job_id for record in queued})

    async def _run_next(self) -> None:
        self._waiting.clear()
        record = await self._database(self._store.claim_oldest)
        if record is None:
            await self._rest()
            return
        if self._stopping:
            await self._requeue(record)
            return
        self._running = record
        self._at_rest.clear()
        try:
            await self._run_job(record)
        finally:
            self._running = None
            self._at_rest.set()

    async def _rest(self) -> None:
        """Until a job comes. A worker that has had none for a while is ended: only a process that is gone gives all of the card back."""
        try:
            await asyncio.wait_for(self._waiting.wait(), self._config.worker_idle_seconds)
        except TimeoutError:
            if self._worker is not None:
                _log.info("no job for %s s: the worker is ended, and its memory is free", self._config.worker_idle_seconds)
                self._kill_worker()
                self._worker = None

    async def _run_job(self, record: JobRecord) -> None:
        self._hub.tell_state(record)
        try:
            order = self._order(record)
        except BridgeError as error:
            await self._end(record, JobState.FAILED, failure=Failure.of(error))
            return
        worker = await self._ready_worker()
        worker.send(RunJob(order))
        if self._stopping or await self._wants_cancel(record):
            worker.send(StopJob(record.job_id))
        await self._follow(record, worker)

    def _order(self, record: JobRecord) -> JobOrder:
        work = self._folder.work / record.job_id
        work.mkdir(parents=True, exist_ok=True)
        places = Places(work, self._folder.artifacts, self._config.artifact_bytes)
        spec = job_pb2.JobSpec.FromString(record.spec)
        Confinement.of(self._config, self._folder).admit_again(spec)
        return convert.order(record.job_id, spec, places)

    async def _ready_worker(self) -> Worker:
        if self._worker is None or not self._worker.alive:
            self._worker = Worker(self._config.runner, self._folder.worker_log)
        return self._worker

    async def _wants_cancel(self, record: JobRecord) -> bool:
        return (await self._database(self._store.get, record.job_id)).cancel_requested

    async def _follow(self, record: JobRecord, worker: Worker) -> None:
        """Writes down and passes on what the worker says about this job, to its end."""
        while True:
            match await worker.messages.get():
                case JobEvent(event=Progress() as progress):
                    await self._note_progress(record.job_id, progress)
                case JobEvent(event=FrameDelivered() as frame):
                    await self._note_frame(record.job_id, frame)
                case JobEvent(event=DeviceFound(device, plan)):
                    self.device, self.plan = device, plan
                case JobDone(folder=folder):
                    await self._end(record, JobState.SUCCEEDED, delivered=folder)
                    return
                case JobFailed(error=error):
                    await self._failed(record, error)
                    return
                case WorkerGone(exit_code=code):
                    await self._lost(record, code)
                    return

    async def _note_progress(self, job_id: str, progress: Progress) -> None:
        message = convert.progress_message(progress)
        now = time.monotonic()
        if now - self._progress_written_seconds >= PROGRESS_WRITE_SECONDS:
            self._progress_written_seconds = now
            await self._write_progress(job_id, message)
        self._hub.tell_progress(job_id, message)

    async def _write_progress(self, job_id: str, message: job_pb2.JobProgress) -> None:
        """A note that could not be written costs nothing: watchers are told all the same, and the next one comes in a second."""
        try:
            await self._database(self._store.set_progress, job_id, message.SerializeToString())
        except (BridgeError, sqlite3.Error) as error:
            _log.warning("progress of job %s could not be written: %s", job_id, error)

    async def _note_frame(self, job_id: str, frame: FrameDelivered) -> None:
        await self._database(self._store.add_frame, job_id, frame.frame, frame.path)
        self._hub.tell_frame(job_id, job_pb2.DeliveredFrame(frame=frame.frame, path=str(frame.path)))

    async def _failed(self, record: JobRecord, error: BridgeError) -> None:
        if error.code is not Code.CANCELLED:
            await self._end(record, JobState.FAILED, failure=Failure.of(error))
        elif await self._wants_cancel(record):
            await self._end(record, JobState.CANCELLED)
        else:  # the server stops: the job goes on when it runs again
            await self._requeue(record)

    async def _lost(self, record: JobRecord, exit_code: int | None) -> None:
        """The worker died. Once is bad luck, and the job goes on from its last checkpoint; again and again it is the job."""
        _log.warning("the worker ended with code %s in job %s", exit_code, record.job_id)
        self._worker = None
        now = await self._database(self._store.get, record.job_id)
        if now.cancel_requested:
            await self._end(record, JobState.CANCELLED)
        elif self._stopping or now.losses + 1 < MOST_LOSSES:
            await self._requeue(record, lost=not self._stopping)
        else:
            sentence = (
                f"The worker process died {MOST_LOSSES} times in this job (last exit code {exit_code}); the memory of this machine may be "
                f"too small for it. Its log says more: {self._folder.worker_log}"
            )
            await self._end(record, JobState.FAILED, failure=Failure(Code.INTERNAL, Reason.WORKER_LOST, sentence), lost=True)

    async def _requeue(self, record: JobRecord, lost: bool = False) -> None:
        moved = await self._database(self._store.transition, record.job_id, JobState.QUEUED, lost=lost)
        if moved is not None:
            self._hub.tell_state(moved)

    async def _end(
        self, record: JobRecord, to: JobState, *, failure: Failure | None = None, delivered: Path | None = None, lost: bool = False
    ) -> None:
        moved = await self._database(self._store.transition, record.job_id, to, failure=failure, delivered=delivered, lost=lost)
        if moved is not None:
            self._hub.tell_state(moved)
        await asyncio.to_thread(shutil.rmtree, self._folder.work / record.job_id, ignore_errors=True)

    def _kill_if_still_running(self, job_id: str, worker: Worker, attempt: int) -> None:
        running = self._running
        if running is not None and (running.job_id, running.attempt) == (job_id, attempt) and worker is self._worker:
            _log.warning("job %s did not stop within its grace; its worker is ended", job_id)
            worker.kill()

    def _kill_worker(self) -> None:
        if self._worker is not None:
            self._worker.kill()


def _tidy(work: Path, kept: set[str]) -> None:
    """Removes scratch folders that belong to no waiting job."""
    for folder in work.glob("*"):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
