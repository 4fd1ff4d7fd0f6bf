"""A strip of small pictures of the clip, on which the range is chosen with two handles."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from i2vedit_monitor import texts, theme
from i2vedit_monitor.texts import tr

HEIGHT = 74
SIDE = 8
NEAR = 10
PLACES = 8
"""So many pictures are shown, spread over the clip."""


class ThumbStrip(QWidget):
    """The frames of a clip by their source frame numbers, of which `first` to `last` (inclusive) are chosen."""

    chosen = Signal(int, int)
    key_chosen = Signal(int)
    """The frame to paint."""

    def __init__(self) -> None:
        super().__init__()
        self._count, self.first, self.last, self._key = 0, 0, 0, 0
        self._begin = 0
        self._pictures: dict[int, QImage] = {}
        self._held = ""
        self._from = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setToolTip(tr(texts.STRIP_TIP))
        self.setAccessibleName(tr(texts.STRIP_TIP))

    def sizeHint(self) -> QSize:
        return QSize(400, HEIGHT + 12)

    def set_clip(self, begin: int, count: int) -> None:
        """`begin`: source frame number of the clip's first frame."""
        self._begin, self._count, self._pictures = begin, count, {}
        self.set_range(begin, begin + max(count - 1, 0))

    def set_range(self, first: int, last: int) -> None:
        self.first, self.last = first, last
        self.update()

    def set_key(self, frame: int) -> None:
        """Marks the frame to paint."""
        self._key = frame
        self.update()

    def frames(self) -> list[int]:
        """Of which pictures are wanted: the middle of each place."""
        if not self._count:
            return []
        middles = {min((2 * place + 1) * self._count // (2 * PLACES), self._count - 1) for place in range(PLACES)}
        return [self._begin + middle for middle in sorted(middles)]

    def show_picture(self, frame: int, picture: QImage) -> None:
        self._pictures[frame] = picture
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        strip = QRectF(SIDE, 6, self.width() - 2 * SIDE, HEIGHT)
        painter.fillRect(strip, theme.colour(theme.BACKDROP))
        if not self._count:
            return
        frames = self.frames()
        width = strip.width() / len(frames)
        for place, frame in enumerate(frames):
            self._paint_picture(painter, QRectF(strip.left() + place * width, strip.top(), width, strip.height()), frame)
        self._paint_range(painter, strip)

    def _paint_picture(self, painter: QPainter, box: QRectF, frame: int) -> None:
        picture = self._pictures.get(frame)
        if picture is None:
            return
        # Fills its place; what does not fit is cut off at both sides.
        wanted = box.width() / box.height()
        have = picture.width() / picture.height()
        source = QRectF(picture.rect())
        if have > wanted:
            cut = picture.width() - picture.height() * wanted
            source.adjust(cut / 2, 0, -cut / 2, 0)
        else:
            cut = picture.height() - picture.width() / wanted
            source.adjust(0, cut / 2, 0, -cut / 2)
        painter.drawImage(box, picture, source)

    def _paint_range(self, painter: QPainter, strip: QRectF) -> None:
        left, right = self._x(self.first), self._x(self.last + 1)
        shade = theme.colour("#000000", 170)
        painter.fillRect(QRectF(strip.left(), strip.top(), left - strip.left(), strip.height()), shade)
        painter.fillRect(QRectF(right, strip.top(), strip.right() - right, strip.height()), shade)
        painter.setPen(QPen(theme.colour(theme.ACCENT), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(left, strip.top(), max(right - left, 2), strip.height()))
        painter.setBrush(theme.colour(theme.ACCENT))
        for x in (left, right):
            painter.drawRoundedRect(QRectF(x - 3, strip.center().y() - 12, 6, 24), 3, 3)

        key = (self._x(self._key) + self._x(self._key + 1)) / 2
        painter.setPen(QPen(theme.colour(theme.BRIGHT), 1))
        painter.drawLine(QPointF(key, strip.top()), QPointF(key, strip.bottom()))

    def _x(self, frame: int) -> float:
        return SIDE + (frame - self._begin) * (self.width() - 2 * SIDE) / max(self._count, 1)

    def _frame_at(self, place: QPointF) -> int:
        return self._begin + round((place.x() - SIDE) / max(self.width() - 2 * SIDE, 1) * self._count)

    def _near(self, place: QPointF) -> str:
        to_left, to_right = abs(place.x() - self._x(self.first)), abs(place.x() - self._x(self.last + 1))
        if min(to_left, to_right) > NEAR:
            return "both" if self._x(self.first) < place.x() < self._x(self.last + 1) else ""
        return "left" if to_left < to_right else "right"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._held, self._from = self._near(event.position()), self._frame_at(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._count:
            self.key_chosen.emit(min(max(self._frame_at(event.position()), self.first), self.last))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        near = self._held or self._near(event.position())
        shape = Qt.CursorShape.OpenHandCursor if near == "both" else Qt.CursorShape.SizeHorCursor if near else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)
        if not event.buttons() & Qt.MouseButton.LeftButton or not self._count:
            return
        frame = self._frame_at(event.position())
        if self._held == "left":
            self._choose(frame, self.last)
        elif self._held == "right":
            self._choose(self.first, frame - 1)
        elif self._held == "both":
            self._shift(frame - self._from)
            self._from = frame

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows push the whole range, with Shift its end."""
        by = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if not by:
            event.ignore()
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._choose(self.first, self.last + by)
        else:
            self._shift(by)

    def _shift(self, by: int) -> None:
        by = max(self._begin - self.first, min(by, self._begin + self._count - 1 - self.last))
        self._choose(self.first + by, self.last + by)

    def _choose(self, first: int, last: int) -> None:
        most = self._begin + self._count - 1
        first = min(max(first, self._begin), most)
        last = min(max(last, first), most)
        if (first, last) != (self.first, self.last):
            self.set_range(first, last)
            self.chosen.emit(first, last)
