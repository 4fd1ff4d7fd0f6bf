"""Every key of the window in one table, and the sheet that shows them."""

from collections.abc import Callable

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QWidget

from i2vedit_monitor import texts, theme
from i2vedit_monitor.texts import tr
from i2vedit_monitor.viewer.modes import Mode

PLAIN_KEYS = {
    "play": "Space",
    "back": "Left",
    "forward": "Right",
    "first": "Home",
    "last": "End",
    "loop": "L",
    "fit": "F",
    "pixels": "Z",
    "zoom_in": "+",
    "zoom_out": "-",
    "pin": "I",
    "next_job": "Down",
    "former_job": "Up",
    "new": "Ctrl+N",
    "search": "Ctrl+F",
    "machine": "Ctrl+M",
    "keys": "F1",
    "quit": "Ctrl+Q",
}
"""What each does stands in `texts.KEY_WORDS`. The viewer's modes have the digits, in their order."""


def add_keys(window: QWidget, handlers: dict[str, Callable[[], object]]) -> list[QAction]:
    """Gives the window an action for each handler; text fields keep the keys that they need themselves."""
    made = []
    for name, handler in handlers.items():
        action = QAction(tr(texts.KEY_WORDS[name]), window)
        action.setShortcut(QKeySequence(PLAIN_KEYS[name]))
        action.triggered.connect(lambda _=False, handler=handler: handler())
        window.addAction(action)
        made.append(action)
    return made


def add_modes(window: QWidget, handler: Callable[[Mode], object]) -> list[QAction]:
    """A digit for each way to look."""
    made = []
    for number, mode in enumerate(Mode, start=1):
        action = QAction(tr(texts.MODES[mode.value]), window)
        action.setShortcut(QKeySequence(str(number)))
        action.triggered.connect(lambda _=False, mode=mode: handler(mode))
        window.addAction(action)
        made.append(action)
    return made


class KeySheet(QDialog):
    """All keys at a glance."""

    def __init__(self, parent: QWidget, others: list[QAction]) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr(texts.KEYS))
        grid = QGridLayout(self)
        grid.setContentsMargins(24, 20, 24, 20)
        grid.setHorizontalSpacing(18)
        rows = [(key, tr(texts.KEY_WORDS[name])) for name, key in PLAIN_KEYS.items()]
        rows += [(str(number), tr(words)) for number, words in enumerate(texts.MODE_TIPS.values(), start=1)]
        rows += [(action.shortcut().toString(), action.text()) for action in others if not action.shortcut().isEmpty()]
        half = (len(rows) + 1) // 2
        for number, (key, words) in enumerate(rows):
            label = QLabel(key)
            label.setFont(theme.fixed_digits(label.font()))
            label.setStyleSheet(f"color: {theme.ACCENT};")
            grid.addWidget(label, number % half, 2 * (number // half))
            grid.addWidget(QLabel(words), number % half, 2 * (number // half) + 1)
