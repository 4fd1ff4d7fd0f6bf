"""Paints one frame: fitted or zoomed, whole, wiped or side by side, with a readout of the pixel under the cursor."""

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from i2vedit_monitor import texts, theme
from i2vedit_monitor.texts import tr
from i2vedit_monitor.viewer.modes import Mode
from i2vedit_monitor.viewer.overlays import paint_readout, paint_tag, paint_wipe_line

LARGEST_ZOOM, SMALLEST_ZOOM = 64.0, 0.05
WHEEL_STEP = 1.2
GRAB = 8
"""So near to the wipe's line, in pixels, it is taken hold of."""
INSET = 0.22
"""Width of the pinned picture, of the canvas."""


class Canvas(QWidget):
    """Positions inside the picture are in its own pixels; `stride`d pictures are stretched to them."""

    pointed = Signal(int, int)
    """The pixel under the cursor; (-1, -1) outside."""
    zoomed = Signal(float)
    """Screen pixels for each pixel of the picture."""
    pin_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(QSize(240, 160))
        self.mode = Mode.RESULT
        self.smooth = True
        self._size = (0, 0)
        self._aspect = 1.0
        self._main: QImage | None = None
        self._below: QImage | None = None
        self._pinned: QImage | None = None
        self._zoom = 0.0
        self._centre = QPointF(0.5, 0.5)
        self._wipe = 0.5
        self._drag: QPointF | None = None
        self._wiping = False
        self._readout: list[str] = []
        self._message = ""
        self._labels = ("", "")

    # What is shown.

    def set_size(self, width: int, height: int, aspect: float = 1.0) -> None:
        """Of the whole picture, in pixels; `aspect` is the width of a pixel over its height."""
        if (width, height) != self._size:
            self._size, self._aspect, self._zoom, self._centre = (width, height), aspect, 0.0, QPointF(0.5, 0.5)
        self.update()

    def show_pictures(self, main: QImage | None, below: QImage | None) -> None:
        """None leaves what is shown, so that nothing flickers while a picture is read."""
        self._main = main or self._main
        self._below = below or self._below
        self.update()

    def clear(self, message: str = "") -> None:
        self._main = self._below = self._pinned = None
        self._message = message
        self._readout = []
        self.update()

    def set_pinned(self, picture: QImage | None) -> None:
        self._pinned = picture
        self.update()

    def set_labels(self, main: str, below: str) -> None:
        """What stands in the corners of a wipe and of two pictures side by side."""
        self._labels = (main, below)
        self.update()

    def set_readout(self, lines: list[str]) -> None:
        if lines != self._readout:
            self._readout = lines
            self.update()

    @property
    def wipe(self) -> float:
        return self._wipe

    def set_wipe(self, part: float) -> None:
        """Where the line stands: 0 left, 1 right of the picture."""
        self._wipe = min(max(part, 0.0), 1.0)
        self.update()

    # Where it is shown.

    def fit(self) -> None:
        self._zoom, self._centre = 0.0, QPointF(0.5, 0.5)
        self._zoom_changed()

    def to_pixels(self, scale: float = 1.0) -> None:
        """`scale` pixels of the screen for each pixel of the picture."""
        self._zoom = scale / self.devicePixelRatioF()
        self._zoom_changed()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Keeps the point under the cursor where it is."""
        place = at or QPointF(self.rect().center())
        before = self._to_picture(place)
        self._zoom = min(max(self.zoom * factor, SMALLEST_ZOOM), LARGEST_ZOOM)
        after = self._to_picture(place)
        width, height = self._size
        self._centre -= QPointF((after.x() - before.x()) / max(width, 1), (after.y() - before.y()) / max(height, 1))
        self._zoom_changed()

    @property
    def zoom(self) -> float:
        """Window units for each pixel of the picture; 0 for fitting is resolved."""
        width, height = self._size
        if self._zoom or not width or not height:
            return self._zoom or 1.0
        area = self._areas()[0]
        return min(area.width() / (width * self._aspect), area.height() / height)

    def sharpness(self) -> float:
        """Screen pixels for each pixel of the picture."""
        return self.zoom * self.devicePixelRatioF()

    def _zoom_changed(self) -> None:
        self.zoomed.emit(self.sharpness())
        self.update()

    def _areas(self) -> list[QRectF]:
        whole = QRectF(self.rect()).adjusted(12, 12, -12, -12)
        if self.mode is not Mode.SIDE:
            return [whole]
        half = (whole.width() - 8) / 2
        return [QRectF(whole.right() - half, whole.top(), half, whole.height()), QRectF(whole.left(), whole.top(), half, whole.height())]

    def _target(self, area: QRectF) -> QRectF:
        """Where the whole picture would lie."""
        width, height, zoom = self._size[0] * self._aspect, self._size[1], self.zoom
        middle = area.center()
        return QRectF(
            middle.x() - self._centre.x() * width * zoom, middle.y() - self._centre.y() * height * zoom, width * zoom, height * zoom
        )

    def _to_picture(self, place: QPointF) -> QPointF:
        area = next((area for area in self._areas() if area.contains(place)), self._areas()[0])
        target = self._target(area)
        width, height = self._size
        if not target.width() or not target.height():
            return QPointF(-1, -1)
        return QPointF((place.x() - target.left()) / target.width() * width, (place.y() - target.top()) / target.height() * height)

    # How it is painted.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(theme.BACKDROP))
        if self._main is None or not self._size[0]:
            self._paint_message(painter)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.smooth and self.sharpness() < 3)
        areas = self._areas()
        self._paint_picture(painter, areas[0], self._main)
        if self.mode is Mode.SIDE:
            self._paint_picture(painter, areas[1], self._below)
            self._paint_labels(painter, *(self._target(area).intersected(area) for area in reversed(areas)))
        elif self.mode is Mode.WIPE:
            self._paint_wipe(painter, areas[0])
        if self._pinned is not None and self.mode is not Mode.EDITED:
            self._paint_inset(painter)
        paint_readout(painter, self.font(), self._readout, self.height())

    def _paint_picture(self, painter: QPainter, area: QRectF, picture: QImage | None) -> None:
        if picture is None:
            return
        painter.save()
        painter.setClipRect(area.adjusted(-12, -12, 12, 12) if len(self._areas()) == 1 else area)
        painter.drawImage(self._target(area), picture)
        painter.restore()

    def _paint_wipe(self, painter: QPainter, area: QRectF) -> None:
        target = self._target(area)
        line = target.left() + target.width() * self._wipe
        if self._below is not None:
            painter.save()
            painter.setClipRect(QRectF(target.left(), target.top(), line - target.left(), target.height()))
            painter.drawImage(target, self._below)
            painter.restore()
        paint_wipe_line(painter, line, max(target.top(), 0.0), min(target.bottom(), float(self.height())))
        seen = target.intersected(QRectF(self.rect()))
        self._paint_labels(painter, seen, seen)

    def _paint_labels(self, painter: QPainter, left: QRectF, right: QRectF) -> None:
        main, below = self._labels
        paint_tag(painter, self.font(), below, QPointF(left.left() + 10, left.top() + 10))
        paint_tag(painter, self.font(), main, QPointF(right.right() - 10, right.top() + 10), from_right=True)

    def _inset(self) -> QRectF:
        assert self._pinned is not None
        width = max(120.0, self.width() * INSET)
        height = width * self._pinned.height() / max(self._pinned.width() * self._aspect, 1)
        return QRectF(self.width() - width - 16, self.height() - height - 16, width, height)

    def _paint_inset(self, painter: QPainter) -> None:
        assert self._pinned is not None
        box = self._inset()
        painter.drawImage(box, self._pinned)
        painter.setPen(QPen(theme.colour(theme.BRIGHT, 160), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box)
        paint_tag(painter, self.font(), tr(texts.MODES["edited"]), QPointF(box.left() + 6, box.top() + 6))

    def _paint_message(self, painter: QPainter) -> None:
        painter.setPen(theme.colour(theme.DIM))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(self.rect()).adjusted(40, 40, -40, -40), int(flags), self._message)

    # What the hand does.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag = event.position()
        if self._pinned is not None and self.mode is not Mode.EDITED and self._inset().contains(event.position()):
            self.pin_pressed.emit()
            self._drag = None
        elif self.mode is Mode.WIPE and event.button() is Qt.MouseButton.LeftButton:
            # Anywhere in a fitted picture; near the line in one that can be pushed about.
            self._wiping = not self._zoom or abs(event.position().x() - self._line()) <= GRAB
            if self._wiping:
                self._wipe_to(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if self._drag is not None and self._wiping:
            self._wipe_to(place)
        elif self._drag is not None:
            self._push(place - self._drag)
            self._drag = place
        near = self.mode is Mode.WIPE and abs(place.x() - self._line()) <= GRAB
        self.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.CrossCursor)
        self._point(place)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag, self._wiping = None, False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._zoom:
            self.fit()
        else:
            self.zoom_by(1 / self.sharpness(), event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_by(WHEEL_STEP ** (event.angleDelta().y() / 120), event.position())

    def leaveEvent(self, event: object) -> None:
        self.pointed.emit(-1, -1)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._point(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    def _line(self) -> float:
        target = self._target(self._areas()[0])
        return target.left() + target.width() * self._wipe

    def _wipe_to(self, place: QPointF) -> None:
        target = self._target(self._areas()[0])
        self.set_wipe((place.x() - target.left()) / max(target.width(), 1.0))

    def _push(self, by: QPointF) -> None:
        if self._zoom:
            width, height = self._size[0] * self._aspect * self.zoom, self._size[1] * self.zoom
            self._centre -= QPointF(by.x() / max(width, 1), by.y() / max(height, 1))
            self.update()

    def _point(self, place: QPointF) -> None:
        spot = self._to_picture(place)
        inside = 0 <= spot.x() < self._size[0] and 0 <= spot.y() < self._size[1]
        pixel = QPoint(int(spot.x()), int(spot.y())) if inside else QPoint(-1, -1)
        self.pointed.emit(pixel.x(), pixel.y())
