"""Brings changes from the watcher's thread into the window's, a little at a time."""

import time
from collections import deque

from PySide6.QtCore import QObject, QTimer

from i2vedit_monitor.model.book import JobBook
from i2vedit_monitor.model.changes import Change
from i2vedit_monitor.model.health import Health

TICK_MILLISECONDS = 33
BUDGET_SECONDS = 0.010
"""About so long the window's thread works on it, by its own clock; what is left waits for the next tick."""
FEWEST, MOST = 32, 4096
"""Changes in one tick."""


class Pump(QObject):
    """`put` may be called from any thread; book and health hear of it in the thread of the window."""

    def __init__(self, book: JobBook, health: Health) -> None:
        super().__init__()
        self._book, self._health = book, health
        self._waiting: deque[Change] = deque()
        self._piece = FEWEST
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MILLISECONDS)
        self._timer.timeout.connect(self.drain)
        self._timer.start()

    def put(self, change: Change) -> None:
        self._waiting.append(change)

    @property
    def is_idle(self) -> bool:
        return not self._waiting

    def drain(self) -> None:
        """Takes some of what waits: twice as much where the last tick was quick, half as much where it was slow."""
        if not self._waiting:
            return
        began = time.thread_time()
        piece = [self._waiting.popleft() for _ in range(min(self._piece, len(self._waiting)))]
        self._health.take(piece)
        self._book.take(piece)
        took = time.thread_time() - began
        if took > BUDGET_SECONDS:
            self._piece = max(FEWEST, self._piece // 2)
        elif len(piece) == self._piece and took < BUDGET_SECONDS / 2:
            self._piece = min(MOST, self._piece * 2)

    def stop(self) -> None:
        self._timer.stop()
