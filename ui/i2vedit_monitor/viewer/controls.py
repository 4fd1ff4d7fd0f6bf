"""The strips above and below the picture: ways to look, and the transport."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from i2vedit_monitor import icons, texts, theme
from i2vedit_monitor.texts import tr
from i2vedit_monitor.viewer.modes import Mode
from i2vedit_monitor.widgets import text_label


def tool(icon: str, tip: str, *, checkable: bool = False) -> QToolButton:
    """A small button with an icon alone; its words are its tool tip."""
    button = QToolButton()
    button.setIcon(icons.icon(icon))
    button.setIconSize(icons.ICON_SIZE)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setCheckable(checkable)
    return button


class LookStrip(QFrame):
    """Which picture: the modes, what it is compared with, through which view."""

    mode_chosen = Signal(object)
    below_chosen = Signal(str)
    """Folder of another version; empty for the plate."""
    view_chosen = Signal(str)

    def __init__(self, views: list[str]) -> None:
        super().__init__()
        self.setObjectName("strip")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.setSpacing(2)
        self._versions: list[tuple[str, str]] = []
        self._group = QButtonGroup(self)
        self._buttons: dict[Mode, QToolButton] = {}
        for number, mode in enumerate(Mode, start=1):
            button = tool(mode.value, tr(texts.WITH_KEY, what=tr(texts.MODE_TIPS[mode.value]), key=number), checkable=True)
            button.clicked.connect(lambda _=False, mode=mode: self.mode_chosen.emit(mode))
            self._group.addButton(button)
            self._buttons[mode] = button
            row.addWidget(button)
        row.addSpacing(12)
        self.mode_label = text_label(role="dim")
        row.addWidget(self.mode_label)
        row.addStretch(1)
        row.addWidget(text_label(tr(texts.COMPARE_WITH), "dim"))
        self.below = self._combo(tr(texts.COMPARE_WITH), [(tr(texts.THE_PLATE), "")])
        self.below.currentIndexChanged.connect(lambda: self.below_chosen.emit(self.below.currentData() or ""))
        row.addWidget(self.below)
        self.view = self._combo(tr(texts.VIEW_TIP), [(name, name) for name in views])
        self.view.currentIndexChanged.connect(lambda: self.view_chosen.emit(self.view.currentData()))
        row.addWidget(self.view)

    def _combo(self, tip: str, entries: list[tuple[str, str]]) -> QComboBox:
        box = QComboBox()
        box.setToolTip(tip)
        box.setAccessibleName(tip)
        box.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        box.setMaximumWidth(190)
        for words, value in entries:
            box.addItem(words, value)
        return box

    def show_mode(self, mode: Mode) -> None:
        self._buttons[mode].setChecked(True)
        self.mode_label.setText(tr(texts.MODES[mode.value]))

    def show_versions(self, versions: list[tuple[str, str]]) -> None:
        """(words, folder) of what the result can be compared with beside the plate."""
        if versions == self._versions:
            return
        self._versions = versions
        chosen = self.below.currentData()
        self.below.blockSignals(True)
        self.below.clear()
        for words, folder in [(tr(texts.THE_PLATE), ""), *versions]:
            self.below.addItem(words, folder)
        self.below.setCurrentIndex(max(self.below.findData(chosen), 0))
        self.below.blockSignals(False)
        if self.below.currentData() != chosen:
            self.below_chosen.emit("")


class Transport(QFrame):
    """Play, step, loop, pin; and where one is."""

    def __init__(self, scrubber: QWidget) -> None:
        super().__init__()
        self.setObjectName("foot")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 3, 10, 3)
        row.setSpacing(2)
        self.first = tool("first", tr(texts.TO_FIRST))
        self.back = tool("back", tr(texts.STEP_BACK))
        self.play = tool("play", tr(texts.PLAY_TIP))
        self.forward = tool("forward", tr(texts.STEP_FORWARD))
        self.last = tool("last", tr(texts.TO_LAST))
        self.loop = tool("loop", tr(texts.LOOP_TIP), checkable=True)
        self.pin = tool("pin", tr(texts.PIN_TIP), checkable=True)
        self.fit = tool("fit", tr(texts.FIT_TIP))
        self.place = QLabel()
        self.rate = text_label(role="dim")
        for button in (self.first, self.back, self.play, self.forward, self.last, self.loop):
            row.addWidget(button)
        row.addSpacing(6)
        row.addWidget(scrubber, 1)
        row.addSpacing(6)
        right: tuple[QWidget, ...] = (self.place, self.rate, self.pin, self.fit)
        for widget in right:
            row.addWidget(widget)
        for label, sample in ((self.place, "00:00:00:00  0000"), (self.rate, "00.0 fps")):
            label.setFont(theme.fixed_digits(label.font()))
            label.setMinimumWidth(label.fontMetrics().horizontalAdvance(sample) + 8)

    def show_playing(self, playing: bool) -> None:
        self.play.setIcon(icons.icon("pause" if playing else "play"))
