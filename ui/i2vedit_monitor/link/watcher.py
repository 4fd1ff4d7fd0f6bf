"""Listens to the server on a channel of its own, in threads of its own: comes back by itself and goes on where it was."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from i2vedit.v1 import job_pb2
from i2vedit.v1 import propagation_service_pb2 as service_pb2
from i2vedit_client.client import Client
from i2vedit_client.errors import ClientError
from i2vedit_monitor.link.place import Place
from i2vedit_monitor.model.changes import AllTold, Change, ContactChanged, JobTold, PreviewSeen, ServerTold
from i2vedit_monitor.model.facts import Contact, JobFacts, State
from i2vedit_monitor.model.read import PREVIEW_MESSAGE, read_event, read_job, read_server

MOST_JOBS = 10_000
"""So many are listed, newest first."""
RETRY_SECONDS = 0.5
LOOK_SECONDS = 2.0
BEAT_SECONDS = 0.2
BEATS_A_PULSE = 10
WAITING = (job_pb2.Job.STATE_QUEUED, job_pb2.Job.STATE_PAUSED)
AWAY = frozenset({"UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED"})
STOPPED_ON_PURPOSE = "SERVER_STOPPING"


def _shows_previews(message: type[service_pb2.WatchJobResponse] | type[service_pb2.WatchJobsResponse]) -> bool:
    return any(field.message_type is not None and field.message_type.name == PREVIEW_MESSAGE for field in message.DESCRIPTOR.fields)


NEEDS_OWN_WATCH = _shows_previews(service_pb2.WatchJobResponse) and not _shows_previews(service_pb2.WatchJobsResponse)
"""Pictures of a denoising frame may come only to whoever watches that one job."""


class Watcher:
    """Puts every change into `put`, which must be safe to call from any thread."""

    def __init__(self, place: Place, put: Callable[[Change], None], *, start_server: bool = True) -> None:
        """`start_server`: whether a server is started where none runs."""
        self._place = place
        self._put = put
        self._may_start = start_server
        self._marker = ""
        self._client: Client | None = None
        self._previewed = ""
        self._order_is_stale = False
        self._waits: dict[str, State] = {}
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._threads = [threading.Thread(target=run, name=run.__name__, daemon=True) for run in (self._watch, self._pulse)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends within a moment; calls that wait for the server are broken off."""
        self._stopping.set()
        self._woken.set()
        if self._client is not None:
            self._client.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(RETRY_SECONDS)

    def wake(self) -> None:
        """Looks for a server at once, and starts one where none runs."""
        self._may_start = True
        self._woken.set()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                client = self._place.connect() if self._may_start else self._place.find()
                if client is None:
                    self._put(ContactChanged(Contact.ENDED))
                    self._rest(LOOK_SECONDS)
                    continue
                with self._in_use(client):
                    self._follow(client)
            except ClientError as error:
                self._after(error)

    @contextmanager
    def _in_use(self, client: Client) -> Iterator[None]:
        self._client = client
        try:
            yield
        except ValueError:
            # gRPC's word for a channel that was closed under a call: by `stop`.
            if not self._stopping.is_set():
                raise
        finally:
            self._client = None
            client.close()

    def _follow(self, client: Client) -> None:
        self._tell_all(client)
        self._put(ContactChanged(Contact.CONNECTED))
        for response in client.watch_jobs(resume_after=self._marker):
            self._marker = response.resume_marker
            change = read_event(response.name, response)
            if change is not None:
                self._put(change)
            if isinstance(change, JobTold) and self._is_moved(change.job):
                self._order_is_stale = True
            if NEEDS_OWN_WATCH and isinstance(change, JobTold) and change.job.state is State.RUNNING:
                self._watch_previews(client, change.job.name)

    def _tell_all(self, client: Client) -> None:
        names = set()
        for job in client.list_jobs(MOST_JOBS):
            if self._stopping.is_set():
                return
            names.add(job.name)
            facts = read_job(job)
            self._is_moved(facts)  # remembered
            self._put(JobTold(facts))
        self._put(AllTold(frozenset(names)))

    def _is_moved(self, job: JobFacts) -> bool:
        """Whether a job that waited already is told once more, which means another place. Its number may be the same as before, since
        those of the others change."""
        if job.state not in (State.QUEUED, State.PAUSED):
            self._waits.pop(job.name, None)
            return False
        earlier = self._waits.get(job.name)
        self._waits[job.name] = job.state
        return earlier is job.state

    def _tell_waiting(self, client: Client) -> None:
        """In case the order has changed."""
        for job in client.list_jobs(MOST_JOBS, WAITING):
            self._put(JobTold(read_job(job)))

    def _after(self, error: ClientError) -> None:
        """Waits before the next try: long where somebody ended the server, or where it cannot be used."""
        if self._stopping.is_set():
            return
        failure = error.failure
        if failure.reason == STOPPED_ON_PURPOSE:
            self._may_start = False
            self._put(ContactChanged(Contact.ENDED))
            self._rest(LOOK_SECONDS)
        elif failure.code in AWAY and failure.reason == failure.code:
            self._put(ContactChanged(Contact.LOST))
            self._rest(RETRY_SECONDS)
        else:
            self._put(ContactChanged(Contact.REFUSED, failure.sentence))
            self._rest(LOOK_SECONDS)

    def _rest(self, seconds: float) -> None:
        self._woken.wait(seconds)
        if not self._stopping.is_set():
            self._woken.clear()

    def _pulse(self) -> None:
        """Asks the server every now and then how it is, and at once for the order of what waits where that has changed: a move changes
        the places of others, of which the server tells nothing."""
        beat = 0
        while not self._stopping.wait(BEAT_SECONDS):
            client = self._client
            if client is None:
                beat = 0
                continue
            try:
                if self._order_is_stale:
                    self._order_is_stale = False
                    self._tell_waiting(client)
                if beat % BEATS_A_PULSE == 0:
                    self._put(ServerTold(read_server(client.server_info(LOOK_SECONDS))))
                beat += 1
            except (ClientError, ValueError):
                continue  # the watch notices too, and says so

    def _watch_previews(self, client: Client, name: str) -> None:
        """One more stream for the job that runs; it ends with the job or with the channel."""
        if name == self._previewed:
            return
        self._previewed = name

        def listen() -> None:
            try:
                for response in client.watch_job(name):
                    change = read_event(name, response)
                    if isinstance(change, PreviewSeen):
                        self._put(change)
            except (ClientError, ValueError):
                return
            finally:
                self._previewed = ""

        threading.Thread(target=listen, name="previews", daemon=True).start()
