"""What one sees where there is no job yet: how to begin, and what this machine lacks."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from i2vedit_client.diagnosis import CHECKS
from i2vedit_client.discovery import data_folder
from i2vedit_client.finding import Finding
from i2vedit_monitor import icons, texts, theme
from i2vedit_monitor.doing.fields import DropField
from i2vedit_monitor.link.calls import Calls
from i2vedit_monitor.texts import tr
from i2vedit_monitor.weights import weights
from i2vedit_monitor.widgets import role_frame, text_label

STAYS_MILLISECONDS = 1200
Check = Callable[[Path], Finding]
MACHINE: tuple[Check, ...] = (weights, *CHECKS)


class Findings(QWidget):
    """One line for each thing that is looked at, with what to do where it is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(2, 1)
        self.count = 0

    def clear(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self.count = 0

    def add(self, finding: Finding) -> None:
        mark = QLabel()
        name = "check" if finding.ok else "warning"
        mark.setPixmap(icons.icon(name, theme.GOOD if finding.ok else theme.BAD).pixmap(icons.ICON_SIZE))
        words = finding.detail if finding.ok else f"{finding.detail}<br><span style='color:{theme.ACCENT}'>{finding.mend}</span>"
        detail = QLabel(words, wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        detail.setObjectName("dim" if finding.ok else "")
        for column, widget in enumerate((mark, QLabel(tr(texts.CHECKS.get(finding.name, finding.name))), detail)):
            self._grid.addWidget(widget, self.count, column, Qt.AlignmentFlag.AlignTop)
        self.count += 1


class Welcome(QWidget):
    """Looks at this machine when it has stayed in sight for a moment: some of that costs seconds of the processor."""

    clip_given = Signal(str)
    demo_wanted = Signal()

    def __init__(self, calls: Calls, checks: Sequence[Check]) -> None:
        super().__init__()
        self._calls, self._checks = calls, checks
        self._looked = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(STAYS_MILLISECONDS)
        self._timer.timeout.connect(self._look_once)
        self.setAcceptDrops(True)
        self._build()

    def _build(self) -> None:
        title, sentence = text_label(tr(texts.WELCOME), "headline"), text_label(tr(texts.WELCOME_MORE), "dim", wraps=True)
        title.setFont(theme.small(title.font(), -9.0, bold=True))
        self.clip = DropField(tr(texts.DROP_CLIP), tr(texts.CHOOSE_CLIP), tr(texts.CLIP_FILES))
        self.clip.given.connect(self.clip_given)
        self.demo = QPushButton(icons.icon("play"), tr(texts.TRY_DEMO))
        self.demo.clicked.connect(self.demo_wanted)
        self.findings, self.state = Findings(), text_label(role="dim")
        self.again = QPushButton(icons.icon("retry"), tr(texts.LOOK_AGAIN))
        self.again.clicked.connect(self.look)
        inside = QWidget()
        inside.setMaximumWidth(820)
        column = QVBoxLayout(inside)
        column.setContentsMargins(28, 40, 28, 28)
        column.setSpacing(12)
        column.addWidget(title)
        column.addWidget(sentence)
        column.addSpacing(8)
        column.addWidget(self.clip)
        column.addWidget(self._demo_card())
        column.addSpacing(16)
        heading = QHBoxLayout()
        name = QLabel(tr(texts.THIS_MACHINE))
        name.setFont(theme.small(name.font(), 0.0, bold=True))
        heading.addWidget(name)
        heading.addWidget(self.state)
        heading.addStretch(1)
        heading.addWidget(self.again)
        column.addLayout(heading)
        column.addWidget(self.findings)
        column.addStretch(1)
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.addStretch(1)
        row.addWidget(inside, 100)
        row.addStretch(1)
        area = QScrollArea(widgetResizable=True)
        area.setWidget(holder)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)

    def _demo_card(self) -> QFrame:
        card = role_frame("card")
        row = QHBoxLayout(card)
        row.setContentsMargins(16, 14, 16, 14)
        words = QLabel(tr(texts.DEMO_SENTENCE), wordWrap=True)
        row.addWidget(words, 1)
        row.addWidget(self.demo)
        return card

    def showEvent(self, event: object) -> None:
        self._timer.start()

    def _look_once(self) -> None:
        if self.isVisible() and not self._looked:
            self.look()

    def look(self) -> None:
        """One check after the other, each in a thread; some start a Python of their own and take seconds."""
        self._looked = True
        self.again.setEnabled(False)
        self.findings.clear()
        self._next(iter(self._checks))

    def _next(self, checks: Iterator[Check]) -> None:
        check = next(checks, None)
        if check is None:
            self.state.setText("")
            self.again.setEnabled(True)
            return
        self.state.setText(tr(texts.LOOKING_AT_MACHINE))
        self._calls.do(lambda: check(data_folder()), lambda finding: self._found(finding, checks), lambda _: self._next(checks))

    def _found(self, finding: Finding, checks: Iterator[Check]) -> None:
        self.findings.add(finding)
        self._next(checks)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self.clip.dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.clip.dropEvent(event)
