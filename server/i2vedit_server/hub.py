"""Who is watching, and what each watcher has still to be told. Lives in the event loop; holds nothing on disk."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from i2vedit.v1 import job_pb2
from i2vedit.v1.propagation_service_pb2 import JobDeleted
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.convert import job_message
from i2vedit_server.record import JobKind, JobRecord

LONGEST_QUEUE = 256
LONGEST_MEMORY = 2048
"""So many events can be told again to a watcher that comes back. Steps are none of them: only the latest is worth telling."""

LONGEST_MARKER = 40
MOST_WATCHERS = 1000
"""At once. Each may have a full queue waiting."""

Content = job_pb2.Job | job_pb2.JobProgress | job_pb2.DeliveredFrame | job_pb2.PreviewFrame | JobDeleted


@dataclass(frozen=True)
class Told:
    """Something that happened to a job."""

    number: int
    marker: str
    job_id: str
    kind: JobKind
    content: Content


Concerns = Callable[[Told], bool]
"""Whether a watcher wants to hear of it."""


class Watcher:
    """A bounded queue of events for one watcher. Of waiting steps of a job, and of previews of a frame, only the latest is kept: older ones
    interest nobody."""

    def __init__(self, concerns: Concerns) -> None:
        self.concerns = concerns
        self._waiting: dict[object, Told] = {}
        self._behind = False
        self._closed = False
        self._changed = asyncio.Event()

    def put(self, told: Told) -> None:
        """Never waits: a watcher that reads too slowly loses its queue and gets a snapshot instead."""
        if self._behind or not self.concerns(told):
            return
        key = _place(told)
        self._waiting.pop(key, None)
        self._waiting[key] = told
        if len(self._waiting) > LONGEST_QUEUE:
            self._waiting.clear()
            self._behind = True
        self._changed.set()

    def close(self) -> None:
        """The server goes: `take` raises from now on."""
        self._closed = True
        self._changed.set()

    async def take(self) -> list[Told] | None:
        """What has happened since the last call, after waiting for something; None when a fresh snapshot has to be read.

        Raises BridgeError SERVER_STOPPING.
        """
        await self._changed.wait()
        if self._closed:
            sentence = "The server is stopping; the job waits in its queue and goes on when the server runs again."
            raise BridgeError(Code.UNAVAILABLE, Reason.SERVER_STOPPING, sentence)
        self._changed.clear()
        taken = None if self._behind else list(self._waiting.values())
        self._behind = False
        self._waiting.clear()
        return taken


def _place(told: Told) -> object:
    """Events of the same place follow each other: only the latest is worth telling."""
    match told.content:
        case job_pb2.JobProgress():
            return told.job_id
        case job_pb2.PreviewFrame(frame=frame):
            return told.job_id, frame
        case _:
            return told.number


class Hub:
    """Passes what happens to every watcher. Write to the store first, then tell: a snapshot is never older than an event."""

    def __init__(self, start: int) -> None:
        """`start` counts the starts of the server, so that resume markers grow over restarts too."""
        self._start = start
        self._number = 0
        self._watchers: set[Watcher] = set()
        self._progress: dict[str, Told] = {}
        self._memory: deque[Told] = deque()
        self._forgotten = 0
        """Number of the last event that cannot be told again."""

    @property
    def marker(self) -> str:
        """Marker of the latest event. Markers compare as text."""
        return f"{self._start:08d}-{self._number:012d}"

    def join(self, concerns: Concerns) -> Watcher:
        """Begin to watch; read the snapshot after this, so that nothing falls between. Raises BridgeError TOO_MANY_WATCHERS."""
        if len(self._watchers) >= MOST_WATCHERS:
            sentence = f"{MOST_WATCHERS} programs watch this server already, more than it bears; close some, and try again."
            raise BridgeError(Code.RESOURCE_EXHAUSTED, Reason.TOO_MANY_WATCHERS, sentence)
        watcher = Watcher(concerns)
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Stop watching."""
        self._watchers.discard(watcher)

    def since(self, marker: str, concerns: Concerns) -> list[Told] | None:
        """What has happened after the marker; None where that is no longer, or was never, known here.

        Raises BridgeError RESUME_MARKER_INVALID.
        """
        start, number = _read_marker(marker)
        if start != self._start or not self._forgotten <= number <= self._number:
            return None
        known: Iterable[Told] = (*self._memory, *self._progress.values())
        return sorted((told for told in known if told.number > number and concerns(told)), key=lambda told: told.number)

    def snapshot(self, record: JobRecord) -> job_pb2.Job:
        """The job as a message, with progress fresher than the store's where it runs."""
        told = self._progress.get(record.job_id)
        return job_message(record, told.content if told and isinstance(told.content, job_pb2.JobProgress) else None)

    def tell_state(self, record: JobRecord) -> None:
        """The state of the job has changed."""
        job = self.snapshot(record)
        if record.state.ended:
            self._progress.pop(record.job_id, None)
        self._remember(self._tell(record, job))

    def tell_progress(self, record: JobRecord, progress: job_pb2.JobProgress) -> None:
        """The job is one step further."""
        self._progress[record.job_id] = self._tell(record, progress)

    def wants_previews(self, record: JobRecord) -> bool:
        """Whether anybody would be told of a preview of this job."""
        told = Told(self._number, self.marker, record.job_id, record.kind, job_pb2.PreviewFrame())
        return any(watcher.concerns(told) for watcher in self._watchers)

    def tell_preview(self, record: JobRecord, preview: job_pb2.PreviewFrame) -> None:
        """So far a frame has come. Nobody who comes back is told of it again."""
        self._tell(record, preview)

    def tell_frame(self, record: JobRecord, frame: job_pb2.DeliveredFrame) -> None:
        """A frame lies under its final name."""
        self._remember(self._tell(record, frame))

    def tell_deleted(self, record: JobRecord) -> None:
        """The job is forgotten."""
        self._progress.pop(record.job_id, None)
        self._remember(self._tell(record, JobDeleted()))

    def close(self) -> None:
        """Tells every watcher that the server goes."""
        for watcher in self._watchers:
            watcher.close()

    def _tell(self, record: JobRecord, content: Content) -> Told:
        self._number += 1
        told = Told(self._number, self.marker, record.job_id, record.kind, content)
        for watcher in self._watchers:
            watcher.put(told)
        return told

    def _remember(self, told: Told) -> None:
        self._memory.append(told)
        if len(self._memory) > LONGEST_MEMORY:
            self._forgotten = self._memory.popleft().number


def _read_marker(marker: str) -> tuple[int, int]:
    start, dash, number = marker.partition("-")
    if not (dash and start.isdecimal() and number.isdecimal() and len(marker) <= LONGEST_MARKER):
        sentence = f"'{marker[:40]}' is no resume marker; leave it empty, or send the last one that this server gave."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.RESUME_MARKER_INVALID, sentence)
    return int(start), int(number)
