"""What is painted over a picture: tags in its corners, the line of a wipe, and the readout."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen

from i2vedit_monitor import theme

HANDLE = 9
"""Radius of what the wipe is pulled by."""


def paint_tag(painter: QPainter, font: QFont, text: str, corner: QPointF, *, from_right: bool = False) -> None:
    """A word on a dark ground, with its upper left (or right) at `corner`; nothing for an empty one."""
    if not text:
        return
    painter.setFont(theme.small(font, 1.0))
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(text) + 14, metrics.height() + 6
    box = QRectF(corner.x() - width if from_right else corner.x(), corner.y(), width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("#000000", 140))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(theme.colour(theme.BRIGHT))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def paint_wipe_line(painter: QPainter, x: float, top: float, bottom: float) -> None:
    """The line between two pictures, with its handle in the middle."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for pen in (QPen(theme.colour("#000000", 120), 3), QPen(theme.colour(theme.BRIGHT), 1)):
        painter.setPen(pen)
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
    middle = QPointF(x, (top + bottom) / 2)
    painter.setBrush(theme.colour(theme.BACKDROP, 200))
    painter.drawEllipse(middle, HANDLE, HANDLE)
    for side in (-1, 1):
        tip = middle + QPointF(side * 6, 0)
        painter.drawLine(tip, tip - QPointF(side * 3, 3))
        painter.drawLine(tip, tip - QPointF(side * 3, -3))


def paint_readout(painter: QPainter, font: QFont, lines: list[str], bottom: float) -> None:
    """Lines of figures at the lower left, `bottom` being the height of the canvas."""
    if not lines:
        return
    painter.setFont(theme.fixed_digits(font))
    metrics = painter.fontMetrics()
    width = max(metrics.horizontalAdvance(line) for line in lines) + 20
    height = metrics.height() * len(lines) + 10
    box = QRectF(12, bottom - height - 12, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("#000000", 170))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(theme.colour(theme.TEXT))
    for number, line in enumerate(lines):
        painter.drawText(QPointF(22, box.top() + 5 + metrics.ascent() + metrics.height() * number), line)
