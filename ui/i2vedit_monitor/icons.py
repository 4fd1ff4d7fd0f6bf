"""The window's icons: lines on a grid of 24, drawn in whatever colour and size the screen asks for."""

import functools

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from i2vedit_monitor import theme

LINES = {
    "add": "M12 5v14M5 12h14",
    "back": "M19 20 9 12l10-8zM5 4v16",
    "brush": "M20 4c-5 2-9 6-11 9l2 2c3-2 7-6 9-11zM8 14c-2 0-4 1.500-4 5 3 0 6-.5 6-3",
    "cancel": "M6 6l12 12M18 6 6 18",
    "check": "M5 12.500 10 17.500 19 7",
    "copy": "M9 9h11v11H9zM5 15H4V4h11v1",
    "difference": "M9 4a8 8 0 0 0 0 16M15 4a8 8 0 0 1 0 16M12 8v8M8 12h8",
    "edited": "M4 5h16v14H4zM8 15l3-4 2.500 3 1.500-2 2 3",
    "first": "M18 5 9 12l9 7zM6 5v14",
    "fit": "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
    "folder": "M3 6h6l2 2h10v11H3z",
    "forward": "M5 4l10 8-10 8zM19 4v16",
    "gpu": "M6 6h12v12H6zM10 10h4v4h-4zM9 2v4M15 2v4M9 18v4M15 18v4M2 9h4M2 15h4M18 9h4M18 15h4",
    "last": "M6 5l9 7-9 7zM18 5v14",
    "loop": "M4 12a7 7 0 0 1 7-7h8M16 2l3 3-3 3M20 12a7 7 0 0 1-7 7H5M8 22l-3-3 3-3",
    "matte": "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
    "menu": "M5 12h.01M12 12h.01M19 12h.01",
    "more": "M8 5l7 7-7 7",
    "pause": "M8 5v14M16 5v14",
    "pin": "M12 21v-6M8 3h8l-1 7 3 4H6l3-4z",
    "plate": "M4 5h16v14H4zM8 5v14M16 5v14M4 9h4M4 15h4M16 9h4M16 15h4",
    "play": "M7 4l13 8-13 8z",
    "result": "M4 5h16v14H4zM9 12l2.500 2.500L16 10",
    "retry": "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
    "search": "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13M15.500 15.500 21 21",
    "side": "M3 6h8v12H3zM13 6h8v12h-8z",
    "warning": "M12 4 2.500 20h19zM12 10v5M12 17.500v.01",
    "wipe": "M4 5h16v14H4zM12 2v20",
}
"""SVG paths, stroked."""

TEMPLATE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="{path}" fill="none" stroke="{colour}" '
    'stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
SIZES = (16, 20, 24, 32, 40, 48, 64)


@functools.cache
def pixmap(name: str, shade: str, size: int) -> QPixmap:
    """One icon in one colour, `size` real pixels wide."""
    picture = QPixmap(size, size)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer = QSvgRenderer(QByteArray(TEMPLATE.format(path=LINES[name], colour=shade).encode()))
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return picture


@functools.cache
def icon(name: str, shade: str = theme.TEXT) -> QIcon:
    """An icon that is sharp at every scale of the screen."""
    made = QIcon()
    for size in SIZES:
        made.addPixmap(pixmap(name, shade, size))
        made.addPixmap(pixmap(name, theme.FAINT, size), QIcon.Mode.Disabled)
        made.addPixmap(pixmap(name, theme.BRIGHT, size), QIcon.Mode.Normal, QIcon.State.On)
    return made


def app_icon(part: float | None = None) -> QIcon:
    """The window's own icon: a frame of which a part is carried over; `part` (0 to 1) draws progress around it, for the tray."""
    made = QIcon()
    for size in (16, 22, 24, 32, 48, 64, 128):
        picture = QPixmap(size, size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(size / 24, size / 24)
        _draw_app_icon(painter, part)
        painter.end()
        made.addPixmap(picture)
    return made


def _draw_app_icon(painter: QPainter, part: float | None) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(theme.RAISED))
    painter.drawRoundedRect(QRectF(1, 1, 22, 22), 5, 5)
    painter.setBrush(theme.colour(theme.DIM))
    painter.drawRect(QRectF(5, 6, 7, 12))
    painter.setBrush(theme.colour(theme.ACCENT))
    painter.drawRect(QRectF(12, 6, 7, 12))
    if part is not None:
        painter.setBrush(theme.colour("#000000", 150))
        painter.drawRect(QRectF(1, 19, 22, 4))
        painter.setBrush(theme.colour(theme.BRIGHT))
        painter.drawRect(QRectF(1, 19, 22 * min(max(part, 0.0), 1.0), 4))


ICON_SIZE = QSize(18, 18)
