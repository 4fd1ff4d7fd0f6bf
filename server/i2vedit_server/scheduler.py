"""Lends the jobs whose turn it is to the lanes, one to each, and takes them back when somebody wants them stopped."""

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
from i2vedit_server.lane import ANSWER_SECONDS, Lane
from i2vedit_server.messages import Places, ShotOrder
from i2vedit_server.patience import Patience
from i2vedit_server.record import JobKind, JobRecord, StopRequest
from i2vedit_server.setups import worker_setups
from i2vedit_server.states import JobState

HOLD_SECONDS = 60.0
"""How long what was stopped to free the device's memory, or found none, is not taken up again."""
BESIDE_SECONDS = 300.0
"""What was used so lately may be in use by a job beside: it is not tidied away."""

_log = logging.getLogger(__name__)


class Scheduler:
    """Owns the lanes. Its methods belong to the event loop."""

    def __init__(self, config: ServerConfig, folder: DataFolder, database: Database, hub: Hub) -> None:
        self.machine = Machine()
        self._around = Surroundings(config, folder, database, hub, self.machine)
        self._config, self._folder, self._database, self._hub = config, folder, database, hub
        self._store = database.store
        seconds = config.worker_idle_seconds, config.cancel_grace_seconds
        self._lanes = [Lane(setup, *seconds) for setup in worker_setups(config, folder)]
        self._claiming = asyncio.Lock()
        """Around what must not see a job between its claim and its lane."""
        self._patience = Patience(folder.path)
        self._held_until: dict[JobKind, float] = {}

    @property
    def _stopping(self) -> bool:
        return self._patience.is_over

    @property
    def _attempts(self) -> list[Attempt]:
        return [lane.attempt for lane in self._lanes if lane.attempt is not None]

    @property
    def running_job(self) -> str:
        """The id of the running job, of several the one that began last; empty while none runs."""
        last = max(self._attempts, key=lambda attempt: attempt.made_seconds, default=None)
        return last.record.job_id if last else ""

    async def run(self) -> None:
        """Runs jobs until `stop`. An error of the disk never ends it: what it was doing is put back and tried again."""
        await asyncio.gather(*map(self._run_lane, self._lanes))

    async def arrived(self, record: JobRecord) -> None:
        """A job has come into the queue, or to another place in it."""
        self._hub.tell_state(record)
        self._wake()
        await self._give_way()

    async def ask_to_stop(self, job_id: str, wish: StopRequest) -> JobRecord:
        """Pauses or cancels a job; a running one gets a moment to end, and is ended by force when it does not within its grace.

        Raises BridgeError JOB_NOT_FOUND, JOB_ENDED.
        """
        record = await self._database(self._store.request_stop, job_id, wish)
        self._hub.tell_state(record)
        lane = next((lane for lane in self._lanes if lane.attempt is not None and lane.attempt.record.job_id == job_id), None)
        if record.state is not JobState.RUNNING or lane is None or lane.attempt is None:
            return record
        lane.let_end(lane.attempt)
        await lane.wait_for_rest(ANSWER_SECONDS)
        return await self._database(self._store.get, job_id)

    async def free_memory(self, force: bool) -> str:
        """Ends the worker processes, after preparations, and with `force` all jobs, have been put back. Gives the id of one that
        goes on."""
        propagating = next((each.record.job_id for each in self._attempts if each.record.kind is JobKind.PROPAGATION), "")
        if propagating and not force:
            return propagating
        self._hold(*(JobKind if propagating else (JobKind.PREPARATION,)))
        await asyncio.gather(*(lane.free() for lane in self._lanes))
        return ""

    async def stop(self) -> None:
        """Lets the running jobs go back into the queue, and ends the workers."""
        self._patience.end()
        await asyncio.gather(*(lane.stop(self._config.stop_grace_seconds) for lane in self._lanes))

    async def _run_lane(self, lane: Lane) -> None:
        while not self._stopping:
            try:
                await self._patience.wait_for_room()
                await self._recover()
                while not self._stopping:
                    await self._patience.wait_for_room()
                    await self._run_next(lane)
                    self._patience.reward()
            except Exception as error:  # noqa: BLE001 - the queue must go on whatever one job has met
                lane.end_worker()
                await self._patience.pause(error)

    async def _recover(self) -> None:
        """Takes up what an earlier process, or an error, left in the middle, and tidies scratch folders that nobody resumes."""
        async with self._claiming:
            running = {attempt.record.job_id for attempt in self._attempts}
            for record in await self._database(self._store.stop_running, running):
                _log.info("job %s was left running; it is %s now", record.job_id, record.state.value)
                self._hub.tell_state(record)
            await asyncio.to_thread(_tidy, self._folder.work, await self._database(self._store.with_work))

    async def _run_next(self, lane: Lane) -> None:
        lane.look()
        attempt = await self._claim(lane)
        if attempt is None:
            now = time.monotonic()
            await lane.rest([end for end in self._held_until.values() if end > now])
            return
        try:
            await self._run_attempt(lane, attempt)
        finally:
            lane.let_go()
            self._wake()  # a lane beside may have waited for this shot
        await self._trim_artifacts()

    async def _claim(self, lane: Lane) -> Attempt | None:
        async with self._claiming:
            server = f"{platform.node()}:{os.getpid()}"
            record = await self._database(self._store.claim_next, self._free_kinds(), server, self._config.worker_silence_seconds)
            if record is None:
                return None
            attempt = Attempt(record, self._around)
            lane.take(attempt)
            return attempt

    async def _run_attempt(self, lane: Lane, attempt: Attempt) -> None:
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
        await attempt.run(order, lane.ready_worker())
        if attempt.found_no_room:
            self._hold(attempt.record.kind)
            lane.end_worker()

    def _order(self, record: JobRecord) -> ShotOrder:
        work = self._folder.work / record.job_id
        work.mkdir(parents=True, exist_ok=True)
        places, spec = Places(work, self._folder.artifacts), job_pb2.JobSpec.FromString(record.spec)
        Confinement.of(self._config, self._folder).admit_again(spec)
        make = convert.order if record.kind is JobKind.PROPAGATION else convert.shot_order
        return make(record.job_id, spec, places)

    async def _give_way(self) -> None:
        """A running preparation lets whatever has a higher priority go first, where no lane is free for it."""
        first = await self._database(self._store.next_waiting, self._free_kinds())
        lane = None if first is None else self._lane_to_clear(first)
        if first is None or lane is None or lane.attempt is None:
            return
        _log.info("preparation %s gives way to job %s", lane.attempt.record.job_id, first.job_id)
        lane.let_end(lane.attempt)

    def _lane_to_clear(self, first: JobRecord) -> Lane | None:
        """Whose preparation has to go: that of the same shot, which the job itself goes on with, else one of the lowest priority."""
        below = [
            (lane, attempt)
            for lane in self._lanes
            if (attempt := lane.attempt) and attempt.record.kind is JobKind.PREPARATION and attempt.record.priority < first.priority
        ]
        own = [lane for lane, attempt in below if first.shot_id and attempt.record.shot_id == first.shot_id]
        if own:
            return own[0]
        if any(lane.attempt is None or lane.attempt.is_to_stop for lane in self._lanes):
            return None  # it goes there
        return min(below, key=lambda each: each[1].record.priority, default=(None,))[0]

    def _wake(self) -> None:
        for lane in self._lanes:
            lane.wake()

    def _hold(self, *kinds: JobKind) -> None:
        self._held_until |= dict.fromkeys(kinds, time.monotonic() + HOLD_SECONDS)

    def _free_kinds(self) -> list[JobKind]:
        """Kinds of jobs that may be taken up now."""
        now = time.monotonic()
        return [kind for kind in JobKind if self._held_until.get(kind, 0.0) <= now]

    async def _trim_artifacts(self) -> None:
        """Between two jobs. What the lanes beside have taken up is needed, and perhaps not yet written down as such."""
        needed = await self._database(self._store.shots.needed_artifacts)
        youngest = BESIDE_SECONDS if self._attempts else 0.0
        try:
            await asyncio.to_thread(Artifacts(self._folder.artifacts).trim, self._config.artifact_bytes, needed, youngest)
        except OSError as error:
            _log.warning("artifacts could not be tidied: %s", error)


def _tidy(work: Path, kept: set[str]) -> None:
    """Removes scratch folders of jobs that are done or forgotten."""
    for folder in work.glob("*"):
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
