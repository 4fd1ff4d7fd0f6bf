"""A sentence with the buttons that lead on from it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from i2vedit_monitor import icons, texts, theme
from i2vedit_monitor.model.notices import Notice, Way
from i2vedit_monitor.texts import tr
from i2vedit_monitor.words import in_window


class NoticeBar(QFrame):
    """Hidden while there is nothing to say."""

    chosen = Signal(object)
    """A Way."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 8, 12, 8)
        self._sign = QLabel()
        self.sentence = QLabel(wordWrap=True)
        self._row.addWidget(self._sign)
        self._row.addWidget(self.sentence, 1)
        self._buttons: list[QPushButton] = []
        self._shown: Notice | None = None
        self.hide()

    @property
    def buttons(self) -> list[QPushButton]:
        return self._buttons

    def show_notice(self, notice: Notice | None) -> None:
        if notice == self._shown:
            return
        self._shown = notice
        self.setVisible(notice is not None)
        for button in self._buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self._buttons = [self._button(way) for way in notice.ways] if notice else []
        if notice is not None:
            self.sentence.setText(in_window(notice.sentence))
            shade = theme.BAD if notice.is_bad else theme.ACCENT
            self._sign.setPixmap(icons.icon("warning", shade).pixmap(icons.ICON_SIZE))

    def _button(self, way: Way) -> QPushButton:
        button = QPushButton(tr(texts.WAYS[way.value]))
        button.clicked.connect(lambda: self.chosen.emit(way))
        self._row.addWidget(button)
        return button
