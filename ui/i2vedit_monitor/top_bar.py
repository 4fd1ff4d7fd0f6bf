"""The line at the top: the server's health and what the machine carries."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from i2vedit_monitor import icons, texts, theme
from i2vedit_monitor.model.facts import Contact, ServerFacts
from i2vedit_monitor.model.health import Health
from i2vedit_monitor.texts import tr
from i2vedit_monitor.widgets import text_button, text_label
from i2vedit_monitor.words import duration

SHADES = {
    Contact.CONNECTED: theme.GOOD,
    Contact.SEEKING: theme.WAIT,
    Contact.LOST: theme.ACCENT,
    Contact.ENDED: theme.FAINT,
    Contact.REFUSED: theme.BAD,
}


class Dot(QWidget):
    """A mark in the colour of a state."""

    def __init__(self) -> None:
        super().__init__()
        self._shade = theme.FAINT
        self.setFixedSize(QSize(12, 12))

    def set_shade(self, shade: str) -> None:
        self._shade = shade
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(self._shade))
        painter.drawEllipse(QRectF(2, 2, 8, 8))


class TopBar(QFrame):
    """Follows the health of the server."""

    free_wanted = Signal()
    start_wanted = Signal()
    machine_wanted = Signal()
    keys_wanted = Signal()

    def __init__(self, health: Health) -> None:
        super().__init__()
        self.setObjectName("strip")
        self._load = ""
        self._health = health
        self.dot, self.words, self.device = Dot(), QLabel(), text_label(role="dim")
        self.start = QPushButton(tr(texts.START_SERVER))
        self.free = text_button(tr(texts.FREE_GPU), "gpu")
        self.free.setToolTip(tr(texts.FREE_GPU_TIP))
        self.machine = text_button(tr(texts.THIS_MACHINE))
        self.keys = text_button(tr(texts.KEYS))
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 10, 6)
        row.setSpacing(8)
        mark = QLabel()
        mark.setPixmap(icons.app_icon().pixmap(QSize(18, 18)))
        name = text_label(tr(texts.APP_NAME), "headline")
        name.setFont(theme.small(name.font(), 0.0, bold=True))
        row.addWidget(mark)
        row.addWidget(name)
        row.addStretch(1)
        right: tuple[QWidget, ...] = (self.dot, self.words, self.device, self.start, self.free, self.machine, self.keys)
        for widget in right:
            row.addWidget(widget)
        for button, signal in (
            (self.start, self.start_wanted),
            (self.free, self.free_wanted),
            (self.machine, self.machine_wanted),
            (self.keys, self.keys_wanted),
        ):
            button.clicked.connect(signal)
        health.changed.subscribe(self._show)
        self._show(health)

    def show_load(self, words: str) -> None:
        """How busy the graphics card is."""
        self._load = words
        self._show(self._health)

    def _show(self, health: Health) -> None:
        self.dot.set_shade(SHADES[health.contact])
        self.words.setText(health.sentence or tr(texts.CONTACTS[health.contact.value]))
        self.start.setVisible(health.contact is Contact.ENDED)
        server = health.server if health.contact is Contact.CONNECTED else None
        self.free.setVisible(server is not None)
        self.device.setVisible(server is not None)
        if server is not None:
            self.words.setText(tr(texts.SERVER_COUNTS, running=server.running, waiting=server.waiting))
            self.device.setText("  ·  ".join(part for part in (server.device, self._load) if part))
            self.words.setToolTip(server_words(server))


def server_words(server: ServerFacts) -> str:
    """Everything that the server says about itself, a line each."""
    libraries = "\n".join(f"{name} {version}" for name, version in server.libraries)
    words = tr(
        texts.SERVER_TIP, version=server.version, process=server.process, uptime=duration(server.uptime), folder=server.data_directory
    )
    return f"{words}\n\n{libraries}".strip()
