"""The line of frames below the picture: which are there, which are read already, and where one is."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from i2vedit_monitor import theme

TRACK = 6
SIDE = 10


class Scrubber(QWidget):
    """Frames `first` to `last`, both inclusive; not all of them need be there yet."""

    chosen = Signal(int)

    def __init__(self, is_ready: Callable[[int], bool]) -> None:
        """`is_ready`: whether a frame can be shown at once."""
        super().__init__()
        self._is_ready = is_ready
        self._first, self._last, self._frame = 0, 0, 0
        self._there: frozenset[int] = frozenset()
        self._keys: tuple[int, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(200, 30)

    def set_range(self, first: int, last: int, there: frozenset[int], keys: tuple[int, ...]) -> None:
        self._first, self._last, self._there, self._keys = first, max(first, last), there, keys
        self.update()

    def set_frame(self, frame: int) -> None:
        self._frame = frame
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle = self.height() / 2
        painter.setBrush(theme.colour(theme.RAISED))
        painter.drawRoundedRect(QRectF(SIDE, middle - TRACK / 2, self.width() - 2 * SIDE, TRACK), 3, 3)
        for frame in range(self._first, self._last + 1):
            if frame in self._there:
                shade = theme.DIM if self._is_ready(frame) else "#555555"
                painter.fillRect(self._box(frame, TRACK), theme.colour(shade))
        for key in self._keys:
            if self._first <= key <= self._last:
                self._mark_painted(painter, key)
        if not self.isEnabled():
            return
        x = self._x(self._frame)
        painter.setPen(QPen(theme.colour(theme.ACCENT), 2))
        painter.drawLine(QPointF(x, 5), QPointF(x, self.height() - 5))

    def _mark_painted(self, painter: QPainter, frame: int) -> None:
        x = self._x(frame)
        painter.setBrush(theme.colour(theme.ACCENT))
        painter.drawPolygon(QPolygonF([QPointF(x - 4, 1), QPointF(x + 4, 1), QPointF(x, 6)]))

    def _width(self) -> float:
        return (self.width() - 2 * SIDE) / (self._last - self._first + 1)

    def _box(self, frame: int, height: float) -> QRectF:
        width = self._width()
        gap = 1.0 if width > 4 else 0.0
        return QRectF(SIDE + (frame - self._first) * width, (self.height() - height) / 2, max(width - gap, 1.0), height)

    def _x(self, frame: int) -> float:
        return SIDE + (frame - self._first + 0.5) * self._width()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(event.position().x())

    def _choose(self, x: float) -> None:
        frame = self._first + int((x - SIDE) / max(self._width(), 1e-6))
        self.chosen.emit(min(max(frame, self._first), self._last))
