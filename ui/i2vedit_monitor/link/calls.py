"""Questions to the server, asked in threads of their own; the answers come back into the window's thread."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from i2vedit_client.client import Client
from i2vedit_client.errors import ClientError
from i2vedit_monitor.link.place import Place

THREADS = 3
T = TypeVar("T")


class Calls(QObject):
    """`ask` the server, or `do` something else that takes long. Never blocks."""

    failed = Signal(str)
    """A sentence for people, where the caller gave no function for it."""
    _answered = Signal(object)

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place
        self._client: Client | None = None
        self._lock = threading.Lock()
        self._open = 0
        self._closed = False
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="call")
        # From a thread of the pool this is queued into the window's.
        self._answered.connect(self._finish)

    @property
    def is_idle(self) -> bool:
        """Whether every question is answered."""
        return not self._open

    def ask(self, question: Callable[[Client], T], then: Callable[[T], None], failed: Callable[[str], None] | None = None) -> None:
        """Hands `question` a client; a server is started where none runs, and looked for again where it went away."""
        self.do(lambda: self._with_client(question), then, failed)

    def do(self, work: Callable[[], T], then: Callable[[T], None], failed: Callable[[str], None] | None = None) -> None:
        """Runs `work` in a thread, and `then` with what it gives in the window's; `failed` with a sentence where it raises
        ClientError or OSError. After `close` nothing is run and nothing comes back."""
        if self._closed:
            return

        def run() -> None:
            try:
                answer = work()
            except (ClientError, OSError) as error:
                sentence = str(error)
                self._answered.emit(lambda: (failed or self.failed.emit)(sentence))
            else:
                self._answered.emit(lambda: then(answer))

        self._open += 1
        self._pool.submit(run)

    def close(self) -> None:
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    def _with_client(self, question: Callable[[Client], T]) -> T:
        client = self._known_client()
        try:
            return question(client)
        except ClientError as error:
            if error.failure.code != "UNAVAILABLE":
                raise
            # It was started again meanwhile, at another address.
            with self._lock:
                if self._client is client:
                    self._client = None
            client.close()
            return question(self._known_client())

    def _known_client(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._place.connect()
            return self._client

    def _finish(self, answer: Callable[[], None]) -> None:
        self._open -= 1
        if not self._closed:
            answer()
