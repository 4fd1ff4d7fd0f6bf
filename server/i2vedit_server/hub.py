"""Who is watching which job, and what each watcher has still to be told. Lives in the event loop; holds nothing on disk."""

import asyncio
from collections import deque

from i2vedit.v1 import job_pb2
from i2vedit.v1.propagation_service_pb2 import WatchJobResponse
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.convert import job_message
from i2vedit_server.record import JobRecord

LONGEST_QUEUE = 256


class Watcher:
    """A bounded queue of events for one watcher. Of waiting progress only the latest is kept: older steps interest nobody."""

    def __init__(self) -> None:
        self._waiting: deque[WatchJobResponse] = deque()
        self._behind = False
        self._closed = False
        self._changed = asyncio.Event()

    def put(self, event: WatchJobResponse) -> None:
        """Never waits: a watcher that reads too slowly loses its queue and gets a snapshot instead."""
        if event.WhichOneof("event") == "progress":
            self._waiting = deque(kept for kept in self._waiting if kept.WhichOneof("event") != "progress")
        self._waiting.append(event)
        if len(self._waiting) > LONGEST_QUEUE:
            self._waiting.clear()
            self._behind = True
        self._changed.set()

    def close(self) -> None:
        """The server goes: `take` raises from now on."""
        self._closed = True
        self._changed.set()

    async def take(self) -> list[WatchJobResponse] | None:
        """What has happened since the last call, after waiting for something; None when a fresh snapshot has to be read.

        Raises BridgeError SERVER_STOPPING.
        """
        await self._changed.wait()
        if self._closed:
            sentence = "The server is stopping; the job waits in its queue and goes on when the server runs again."
            raise BridgeError(Code.UNAVAILABLE, Reason.SERVER_STOPPING, sentence)
        self._changed.clear()
        if self._behind:
            self._behind = False
            self._waiting.clear()
            return None
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Hub:
    """Passes what happens to every watcher of the job. Write to the store first, then tell: a snapshot is never older than an event."""

    def __init__(self, start: int) -> None:
        """`start` counts the starts of the server, so that resume markers grow over restarts too."""
        self._start = start
        self._events = 0
        self._watchers: dict[str, set[Watcher]] = {}
        self._progress: dict[str, job_pb2.JobProgress] = {}

    @property
    def marker(self) -> str:
        """Marker of the latest event. Markers compare as text."""
        return f"{self._start:08d}-{self._events:012d}"

    def join(self, job_id: str) -> Watcher:
        """Begin to watch; read the snapshot after this, so that nothing falls between."""
        watcher = Watcher()
        self._watchers.setdefault(job_id, set()).add(watcher)
        return watcher

    def leave(self, job_id: str, watcher: Watcher) -> None:
        """Stop watching."""
        watchers = self._watchers.get(job_id, set())
        watchers.discard(watcher)
        if not watchers:
            self._watchers.pop(job_id, None)

    def snapshot(self, record: JobRecord) -> job_pb2.Job:
        """The job as a message, with progress fresher than the store's where it runs."""
        return job_message(record, self._progress.get(record.job_id))

    def tell_state(self, record: JobRecord) -> None:
        """The state of the job has changed."""
        job = self.snapshot(record)
        if record.state.ended:
            self._progress.pop(record.job_id, None)
        self._tell(record.job_id, WatchJobResponse(job=job))

    def tell_progress(self, job_id: str, progress: job_pb2.JobProgress) -> None:
        """The job is one step further."""
        self._progress[job_id] = progress
        self._tell(job_id, WatchJobResponse(progress=progress))

    def tell_frame(self, job_id: str, frame: job_pb2.DeliveredFrame) -> None:
        """A frame lies under its final name."""
        self._tell(job_id, WatchJobResponse(frame=frame))

    def close(self) -> None:
        """Tells every watcher that the server goes."""
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.close()

    def _tell(self, job_id: str, event: WatchJobResponse) -> None:
        self._events += 1
        event.resume_marker = self.marker
        for watcher in self._watchers.get(job_id, ()):
            watcher.put(event)
