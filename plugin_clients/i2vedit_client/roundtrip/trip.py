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
from i2vedit_client.roundtrip import versions
from i2vedit_client.roundtrip.examiner import Examiner
from i2vedit_client.roundtrip.folder import POLL_SECONDS, SaveFolder, Signature

PATIENCE_SECONDS = 5.0
"""So long a picture that does not decode may still be on its way over a slow network."""

Tell = Callable[[Event], None]


class RoundTrip:
    """Watches the picture of a session. `connect` finds the server, or starts it again."""

    def __init__(self, session: Session, connect: Callable[[], Client], tell: Tell, on_job: Tell) -> None:
        """`tell` hears what happens, `on_job` of each job that was made."""
        self._session, self._connect, self._tell, self._on_job = session, connect, tell, on_job
        self._folder = SaveFolder(session.edited)
        self._known: set[Path] = set()
        self._jobs: list[str] = []
        self._last_save = time.monotonic()
        self._now = threading.Event()

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
        self._now.set()
        self._folder.again()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Until it is stopped. Raises ClientError where pictures cannot be read at all."""
        last = self._session.saves()
        with Examiner(self._session.reference, last[-1] if last else None) as examiner:
            self._tell({"event": "waiting", "path": str(self._session.edited)})
            while not stopped():
                for path, found in self._folder.at_rest():
                    self._consider(examiner, path, found)
                time.sleep(POLL_SECONDS)

    def _consider(self, examiner: Examiner, path: Path, found: Signature) -> None:
        try:
            copy = versions.take(self._session, path, found)
        except OSError:
            return  # moved away or held for a moment; the next look decides
        if copy is None:
            return
        seen = examiner.look(copy)
        if "message" in seen:
            self._unreadable(path, found, seen)
            return
        self._folder.handled(path, found)
        if seen["changed"] and seen.get("share") == 0:
            self._tell({"event": "unpainted", "path": str(path)})
        elif seen["changed"] or self._now.is_set():
            self._now.clear()
            self._propagate(versions.keep(self._session, copy), path, seen)
        elif path in self._known:
            self._tell({"event": "unchanged", "path": str(path)})
        self._known.add(path)

    def _unreadable(self, path: Path, found: Signature, seen: Event) -> None:
        """Said once, and only when it has stayed so for a while."""
        if self._folder.resting_seconds(path) >= PATIENCE_SECONDS:
            self._folder.handled(path, found)
            self._tell({"event": "refused", "path": str(path), "reason": seen["reason"], "message": seen["message"]})

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
