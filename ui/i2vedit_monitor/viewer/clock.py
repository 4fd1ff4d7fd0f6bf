"""Plays frames at the shot's rate: every frame is shown; where reading does not keep up, the clock waits for it."""

import time
from collections.abc import Callable
from fractions import Fraction

from PySide6.QtCore import QObject, Qt, QTimer, Signal

MEASURED = 24
"""The rate that is told is that of so many frames."""


class Clock(QObject):
    """`advance` shows the next frame and says whether it could; it is called when its time has come."""

    rate_measured = Signal(float)
    stopped = Signal()

    def __init__(self, advance: Callable[[], bool]) -> None:
        super().__init__()
        self._advance = advance
        self._rate = Fraction(24)
        self._due = 0.0
        self._times: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(2)
        self._timer.timeout.connect(self._tick)

    @property
    def is_running(self) -> bool:
        return self._timer.isActive()

    def set_rate(self, rate: Fraction) -> None:
        self._rate = rate

    def start(self) -> None:
        self._due = time.perf_counter()
        self._times = []
        self._timer.start()

    def stop(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            self.stopped.emit()

    def _tick(self) -> None:
        now = time.perf_counter()
        if now < self._due or not self._advance():
            return
        # After a wait time begins anew; frames are not rushed to make up for it.
        step = 1 / float(self._rate)
        self._due = self._due + step if now - self._due < step else now + step
        self._times.append(now)
        if len(self._times) > MEASURED:
            self.rate_measured.emit((len(self._times) - 1) / (self._times[-1] - self._times[0]))
            self._times = self._times[-1:]
