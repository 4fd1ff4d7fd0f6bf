"""The round trip of one session: every save that changes pixels becomes a version, until it is stopped."""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from i2vedit_client.client import Client
from i2vedit_client.errors import ClientError
from i2vedit_client.events import Event, failed_event
from i2vedit_client.host.calls import submit
from i2vedit_client.host.session import Session
from i2vedit_client.roundtrip.watch import SaveWatch

Tell = Callable[[Event], None]


class RoundTrip:
    """Watches the picture of a session. `connect` finds the server, or starts it again."""

    def __init__(self, session: Session, connect: Callable[[], Client], tell: Tell, on_job: Tell) -> None:
        """`tell` hears what happens, `on_job` of each job that was made."""
        self._session, self._connect, self._tell, self._on_job = session, connect, tell, on_job
        self._watch = SaveWatch(session.edited, session.reference, session.folder, tell, self._propagate)
        self._jobs: list[str] = []
        self._last_save = time.monotonic()

    @property
    def jobs(self) -> list[str]:
        """Those that this round trip has made, in order."""
        return list(self._jobs)

    @property
    def idle_seconds(self) -> float:
        """Since the last save that counted."""
        return time.monotonic() - self._last_save

    def propagate_now(self) -> None:
        """Has the picture propagated as it is, changed or not. May be called from another thread."""
        self._watch.take_now()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Until it is stopped. Raises ClientError where pictures cannot be read at all."""
        self._watch.run(stopped)

    def _propagate(self, version: Path, path: Path, seen: Event) -> None:
        """A picture that the server refuses is told, and the next save tries again."""
        try:
            with self._connect() as client:
                created = submit(client, self._session, version)
        except ClientError as error:
            self._tell({**failed_event(error.failure), "event": "refused", "path": str(path)})
            return
        self._jobs.append(created["job"])
        self._last_save = time.monotonic()
        self._tell({"event": "saved", "path": str(path), "save": version.stem, "job": created["job"], **seen})
        self._on_job(created)


class Following(threading.Thread):
    """Follows jobs one after another, as the server runs them, beside the watching."""

    def __init__(self, follow: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self._follow = follow
        self._names: queue.Queue[str] = queue.Queue()

    def add(self, created: Event) -> None:
        self._names.put(created["job"])

    def run(self) -> None:
        while True:
            self._follow(self._names.get())
