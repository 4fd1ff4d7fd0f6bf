"""One attempt at one job: what the worker says about it is written down and passed on, to its end, whoever brings that about."""

import asyncio
import logging
import shutil
import sqlite3
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

from i2vedit.v1 import job_pb2
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.plan import MemoryPlan
from i2vedit_core.progress import ArtifactUsed, FrameDelivered, PlanTaken, Preview, Progress, Reported
from i2vedit_server import convert
from i2vedit_server.config import ServerConfig
from i2vedit_server.data_folder import DataFolder
from i2vedit_server.database import Database
from i2vedit_server.hub import Hub
from i2vedit_server.messages import DeviceFound, JobDone, JobEvent, JobFailed, RunJob, ShotOrder, ShowPreviews, StopJob, WorkerGone
from i2vedit_server.record import Failure, JobRecord, StopRequest
from i2vedit_server.rows import Details, now_microseconds
from i2vedit_server.states import JobState, Step
from i2vedit_server.worker import Worker

MOST_LOSSES = 3
PROGRESS_WRITE_SECONDS = 1.0
TICK_SECONDS = 0.5
START_SECONDS = 300.0
"""A worker process that takes longer to say its first word never will."""
LEASE_WRITES = 3
"""In the time of one lease."""

_log = logging.getLogger(__name__)


@dataclass
class Machine:
    """What is known of the device that jobs run on."""

    device: str = ""
    """Empty until a worker has said it."""
    plan: MemoryPlan | None = None
    """In force in the last job that began."""


@dataclass(frozen=True)
class Surroundings:
    """What every attempt works with."""

    config: ServerConfig
    folder: DataFolder
    database: Database
    hub: Hub
    machine: Machine


class Attempt:
    """A claimed job on its way through a worker. Belongs to the event loop."""

    def __init__(self, record: JobRecord, around: Surroundings) -> None:
        self.record = record
        self.made_seconds = time.monotonic()
        self.is_to_stop = False
        """It has been asked to let the job go."""
        self.found_no_room = False
        """The device's memory was busy: it is no use to try again at once."""
        self._around = around
        self._database, self._store, self._hub = around.database, around.database.store, around.hub
        self._worker: Worker | None = None
        self._progress_written_seconds = 0.0
        self._has_missed_notes = False
        self._quality: bytes | None = None

    def stop(self) -> None:
        """Asks the worker to let the job go at its next step."""
        self.is_to_stop = True
        if self._worker is not None:
            self._worker.send(StopJob(self.record.job_id))

    async def run(self, order: ShotOrder, worker: Worker) -> None:
        """Until the job does not run any more."""
        worker.pulse.begin()
        worker.send(RunJob(order))
        self._worker = worker
        if self.is_to_stop or await self._is_unwanted():
            self.stop()
        watching = asyncio.create_task(self._watch(worker))
        try:
            await self._follow(worker)
        finally:
            watching.cancel()

    async def give_back(self) -> None:
        """The job becomes what was asked for, or waits again. Nobody is to blame."""
        self._tell(await self._database(self._store.stopped, self.record.job_id, self.record.attempt))

    async def fail(self, error: BridgeError) -> None:
        """The job ends with this error."""
        details = Details(attempt=self.record.attempt, failure=Failure.of(error))
        self._tell(await self._database(self._store.transition, self.record.job_id, Step.FAIL, details))

    async def _is_unwanted(self) -> bool:
        """Somebody wanted it stopped before the worker had it."""
        return (await self._database(self._store.get, self.record.job_id)).stop_request is not StopRequest.NONE

    async def _follow(self, worker: Worker) -> None:
        while True:
            match await worker.messages.get():
                case JobEvent(event=Progress() as progress):
                    await self._note_progress(progress)
                case JobEvent(event=FrameDelivered() as frame):
                    await self._note_frame(frame)
                case JobEvent(event=Reported(report)):
                    self._quality = convert.quality_message(report).SerializeToString()
                case JobEvent(event=Preview() as preview):
                    self._hub.tell_preview(self.record, convert.preview_message(preview))
                case JobEvent(event=ArtifactUsed(name)):
                    await self._database(self._store.shots.note_artifact, self.record.shot_id, name)
                case JobEvent(event=PlanTaken() as taken):
                    self._around.machine.plan = taken.plan
                case JobEvent(event=DeviceFound() as found):
                    self._around.machine.device, self._around.machine.plan = found.device, found.plan
                case JobDone(folder=folder):
                    await self._succeed(folder)
                    return
                case JobFailed(error=error):
                    await self._let_go(error)
                    return
                case WorkerGone(exit_code=code):
                    await self._lose(worker, code)
                    return

    async def _watch(self, worker: Worker) -> None:
        """Beside `_follow`: extends the lease while the worker gives signs of life, ends it when it hangs, and tells it who looks."""
        lease = self._around.config.worker_silence_seconds
        last, written, shows = time.monotonic(), 0.0, False
        while True:
            if worker.pulse.silent_seconds == 0 and time.monotonic() - written >= lease / LEASE_WRITES:
                written = time.monotonic()
                await self._extend_lease(worker, lease)
            if shows != (shows := self._hub.wants_previews(self.record)):
                worker.send(ShowPreviews(self.record.job_id, shows))
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            worker.pulse.tick(now - last)
            last = now
            fault = self._fault(worker)
            if fault:
                _log.warning("job %s: %s", self.record.job_id, fault)
                worker.end_for(fault)
                return

    def _fault(self, worker: Worker) -> str:
        config, pulse = self._around.config, worker.pulse
        if pulse.silent_seconds >= config.worker_silence_seconds:
            return f"The worker process gave no sign of life for {config.worker_silence_seconds:g} s and was ended."
        if pulse.start_seconds >= START_SECONDS:
            return f"The worker process did not begin to work within {START_SECONDS:g} s and was ended."
        if pulse.step_seconds >= config.step_seconds:
            return f"The job made no step for {config.step_seconds:g} s, and its worker process was ended."
        return ""

    async def _extend_lease(self, worker: Worker, seconds: float) -> None:
        until = now_microseconds() + round(seconds * 1e6)
        await self._note(self._database(self._store.extend_lease, self.record.job_id, self.record.attempt, worker.name, until))

    async def _note_progress(self, progress: Progress) -> None:
        message = convert.progress_message(progress)
        now = time.monotonic()
        if now - self._progress_written_seconds >= PROGRESS_WRITE_SECONDS:
            self._progress_written_seconds = now
            await self._note(self._database(self._store.set_progress, self.record.job_id, message.SerializeToString()))
        self._hub.tell_progress(self.record, message)

    async def _note(self, writing: Awaitable[None]) -> None:
        """What could not be written down costs nothing here: it is written again in a moment."""
        try:
            await writing
        except (BridgeError, sqlite3.Error) as error:
            if not self._has_missed_notes:
                _log.warning("notes on job %s cannot be written now: %s", self.record.job_id, error)
            self._has_missed_notes = True

    async def _note_frame(self, frame: FrameDelivered) -> None:
        await self._database(self._store.add_frame, self.record.job_id, frame.frame, frame.path)
        self._hub.tell_frame(self.record, job_pb2.DeliveredFrame(frame=frame.frame, path=str(frame.path)))

    async def _succeed(self, folder: Path | None) -> None:
        details = Details(attempt=self.record.attempt, delivered=folder, quality=self._quality)
        self._tell(await self._database(self._store.transition, self.record.job_id, Step.SUCCEED, details))
        await asyncio.to_thread(shutil.rmtree, self._around.folder.work / self.record.job_id, ignore_errors=True)

    async def _let_go(self, error: BridgeError) -> None:
        self.found_no_room = error.reason is Reason.MEMORY_BUSY
        if self.found_no_room or error.code is Code.CANCELLED:
            await self.give_back()
        else:
            await self.fail(error)

    async def _lose(self, worker: Worker, exit_code: int | None) -> None:
        """Once is bad luck, and the job goes on from its last checkpoint; again and again it is the job."""
        if worker.is_ended:
            await self.give_back()
            return
        interruption = worker.fault or _death_words(exit_code)
        _log.warning("job %s lost its worker: %s", self.record.job_id, interruption)
        sentence = f"The worker process was lost {MOST_LOSSES} times in this job. {interruption} Its log says more: {worker.log_path}"
        failure = Failure(Code.INTERNAL, Reason.WORKER_LOST, sentence)
        lost = self._store.lost
        self._tell(await self._database(lost, self.record.job_id, self.record.attempt, interruption, MOST_LOSSES, failure))

    def _tell(self, moved: JobRecord | None) -> None:
        if moved is not None:
            self._hub.tell_state(moved)
            if moved.state is JobState.QUEUED:
                _log.info("job %s waits again", moved.job_id)


def _death_words(exit_code: int | None) -> str:
    if exit_code == -9:
        return "The worker process was killed from outside, as it is when this machine runs out of memory."
    if exit_code is not None and exit_code < 0:
        return f"The worker process ended with signal {-exit_code}."
    return f"The worker process ended by itself with code {exit_code}."
