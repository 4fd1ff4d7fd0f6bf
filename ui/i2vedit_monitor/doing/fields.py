"""Small pieces of the form for a new shot."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from i2vedit_monitor import theme
from i2vedit_monitor.texts import tr
from i2vedit_monitor.widgets import role_frame, text_label


def dropped_file(event: QDropEvent) -> str:
    """The first file of what is dragged; empty where there is none."""
    return next((url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()), "")


class DropField(QFrame):
    """Takes one file by drop or by choosing; shows its name and a line about it."""

    given = Signal(str)

    def __init__(self, invitation: str, button: str, pattern: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self._invitation, self._pattern = invitation, pattern
        self.setAcceptDrops(True)
        self.name, self.about = QLabel(invitation, wordWrap=True), text_label(role="dim", wraps=True)
        self.button = QPushButton(button)
        self.button.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 14, 16, 14)
        words = QVBoxLayout()
        words.addWidget(self.name)
        words.addWidget(self.about)
        row.addLayout(words, 1)
        row.addWidget(self.button)
        self.about.hide()

    def show_file(self, path: str, about: str = "") -> None:
        """An empty path shows the invitation."""
        self.name.setText(Path(path).name if path else self._invitation)
        self.name.setToolTip(path)
        self.about.setText(about)
        self.about.setVisible(bool(about))

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, self._invitation, "", self._pattern)
        if path:
            self.given.emit(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_file(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.given.emit(dropped_file(event))


class FolderField(QWidget):
    """A folder, typed or chosen."""

    changed = Signal(str)

    def __init__(self, title: str, button: str) -> None:
        super().__init__()
        self._title = title
        self.line = QLineEdit()
        self.line.setAccessibleName(title)
        self.line.editingFinished.connect(lambda: self.changed.emit(self.line.text().strip()))
        self.button = QPushButton(button)
        self.button.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.button)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self._title, self.line.text())
        if folder:
            self.line.setText(folder)
            self.changed.emit(folder)


class Choices(QWidget):
    """One of several, each with a sentence below its name."""

    chosen = Signal(str)

    def __init__(self, choices: dict[str, tuple[str, str]], columns: bool = True) -> None:
        """Value: (name, sentence), as texts to be translated."""
        super().__init__()
        row = QHBoxLayout(self) if columns else QVBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QRadioButton] = {}
        for value, (name, sentence) in choices.items():
            card = role_frame("card")
            column = QVBoxLayout(card)
            column.setContentsMargins(12, 10, 12, 10)
            button = QRadioButton(tr(name))
            button.setAccessibleDescription(tr(sentence))
            words = text_label(tr(sentence), "dim", wraps=True)
            words.setFont(theme.small(words.font(), 0.5))
            words.setAlignment(Qt.AlignmentFlag.AlignTop)
            column.addWidget(button)
            column.addWidget(words, 1)
            self._group.addButton(button)
            self.buttons[value] = button
            button.clicked.connect(lambda _=False, value=value: self.chosen.emit(value))
            row.addWidget(card, 1)

    def show_choice(self, value: str) -> None:
        if value in self.buttons:
            self.buttons[value].setChecked(True)


def combo(entries: Sequence[tuple[object, str]], *, editable: bool = False) -> QComboBox:
    """(value, words) of each entry."""
    box = QComboBox(editable=editable)
    for value, words in entries:
        box.addItem(words, value)
    return box
