"""What the pages have in common that send something on its way: files are dropped on them, and at their foot they say how it goes."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from i2vedit_monitor import texts, theme
from i2vedit_monitor.doing.fields import dropped_file
from i2vedit_monitor.texts import tr
from i2vedit_monitor.widgets import primary_button, role_frame, text_label
from i2vedit_monitor.words import in_window


class SendingPage(QWidget):
    """A page with a foot."""

    closed = Signal()

    def __init__(self, leads_on: str) -> None:
        """`leads_on`: the words of the button that sends."""
        super().__init__()
        self.said = text_label(role="dim", wraps=True)
        self.send, self.cancel = primary_button(leads_on), QPushButton(tr(texts.CLOSE))
        self.cancel.clicked.connect(self.closed)
        self.setAcceptDrops(True)

    def take_file(self, path: str) -> None:
        """A file was dropped."""
        raise NotImplementedError

    def say(self, sentence: str) -> None:
        """How it goes."""
        self.said.setText(sentence)
        self.said.setStyleSheet("")

    def say_bad(self, sentence: str) -> None:
        """What went wrong."""
        self.said.setText(in_window(sentence))
        self.said.setStyleSheet(f"color: {theme.BAD};")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_file(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.take_file(dropped_file(event))

    def _foot(self) -> QFrame:
        foot = role_frame("foot")
        row = QHBoxLayout(foot)
        row.setContentsMargins(28, 10, 20, 10)
        row.addWidget(self.said, 1)
        row.addWidget(self.cancel)
        row.addWidget(self.send)
        return foot
