"""Tells the values of the pixel under the cursor, read from the files in a thread."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from i2vedit_monitor.link.calls import Calls
from i2vedit_monitor.viewer.canvas import Canvas
from i2vedit_monitor.viewer.layers import Layer, Shot
from i2vedit_monitor.viewer.readout import readout_lines

REST_MILLISECONDS = 30
"""So often at most the files are asked."""


class Pointer(QObject):
    """Follows the cursor over the canvas."""

    def __init__(self, canvas: Canvas, calls: Calls, looked_at: Callable[[], tuple[Shot, int] | None]) -> None:
        """`looked_at`: shot and source frame; None while nothing is to be told, as while it plays."""
        super().__init__(canvas)
        self._canvas, self._calls, self._looked_at = canvas, calls, looked_at
        self._place = (-1, -1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MILLISECONDS)
        self._timer.timeout.connect(self._measure)
        canvas.pointed.connect(self._point)

    def _point(self, x: int, y: int) -> None:
        self._place = (x, y)
        if x < 0 or self._looked_at() is None:
            self._canvas.set_readout([])
        elif not self._timer.isActive():
            self._timer.start()

    def _measure(self) -> None:
        looked_at, (x, y) = self._looked_at(), self._place
        if looked_at is None or x < 0:
            return
        shot, frame = looked_at

        def tell(found: dict[Layer, tuple[float, ...]]) -> None:
            if self._place == (x, y):
                self._canvas.set_readout(readout_lines(x, y, found))

        self._calls.do(lambda: shot.values(frame, x, y), tell)
