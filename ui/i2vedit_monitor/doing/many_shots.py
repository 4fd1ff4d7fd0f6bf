"""The page for many shots: drop a table or a timeline, look at what it holds, send all of it on its way."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QTreeWidget, QTreeWidgetItem, QVBoxLayout

from i2vedit_monitor import texts, theme
from i2vedit_monitor.doing.batch_reading import ListedShot, Listing, Sent, clip_of, read_shots, send_shots
from i2vedit_monitor.doing.fields import Choices, DropField, FolderField
from i2vedit_monitor.doing.sending_page import SendingPage
from i2vedit_monitor.link.calls import Calls
from i2vedit_monitor.texts import tr, tr_counted
from i2vedit_monitor.widgets import text_label

SHOT = Qt.ItemDataRole.UserRole


class ManyShots(SendingPage):
    """Holds one file; it is looked at again whenever something that matters to it changes."""

    submitted = Signal(str)
    """Name of the first job that was made."""
    clip_wanted = Signal(str, int, int)
    """A clip that waits for its painted frame: path, first and last frame."""
    sent = Signal(str)
    """What became of all of them, as a sentence."""
    other_given = Signal(str)
    """A file that was dropped here, whatever it is."""

    def __init__(self, calls: Calls) -> None:
        super().__init__(tr(texts.CARRY_ALL))
        self._calls = calls
        self._path, self._preset = "", "full"
        self.listing: Listing | None = None
        self._build()
        self._connect()

    def _build(self) -> None:
        self.file = DropField(tr(texts.DROP_MANY), tr(texts.CHOOSE_CLIP), tr(texts.MANY_FILES))
        self.painted = FolderField(tr(texts.PAINTED_FOLDER), tr(texts.CHOOSE_FOLDER))
        self.out = FolderField(tr(texts.DELIVER_TO), tr(texts.CHOOSE_FOLDER))
        self.preset = Choices(texts.PRESETS)
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setHeaderLabels([tr(words) for words in texts.SHOT_COLUMNS])
        self.send.setEnabled(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._form(), 1)
        column.addWidget(self._foot())

    def _form(self) -> QVBoxLayout:
        form = QVBoxLayout()
        form.setContentsMargins(28, 22, 28, 22)
        form.setSpacing(8)
        title = text_label(tr(texts.MANY_SHOTS), "headline")
        title.setFont(theme.small(title.font(), -6.0, bold=True))
        form.addWidget(title)
        form.addWidget(self.file)
        form.addWidget(QLabel(tr(texts.PAINTED_FOLDER)))
        form.addWidget(self.painted)
        form.addWidget(QLabel(tr(texts.DELIVER_TO)))
        form.addWidget(self.out)
        form.addWidget(self.preset)
        form.addWidget(self.list, 1)
        return form

    def _connect(self) -> None:
        self.file.given.connect(self.other_given)
        self.painted.changed.connect(lambda _: self._look())
        self.out.changed.connect(lambda _: self._look())
        self.preset.chosen.connect(self._choose_preset)
        self.preset.show_choice(self._preset)
        self.list.itemActivated.connect(lambda item, _: self._activated(item.data(0, SHOT)))
        self.send.clicked.connect(self.carry)

    # What is chosen.

    def open_file(self, path: str, out: str) -> None:
        """A table or a timeline was dropped or chosen; `out` is where versions went the last time."""
        self._path = path
        self.file.show_file(path)
        if not self.out.line.text():
            self.out.line.setText(out)
        self._look()

    def carry(self) -> None:
        """Sends every shot that is ready."""
        listing = self.listing
        if listing is None or not listing.jobs:
            return
        self.send.setEnabled(False)
        self.say(tr(texts.SENDING))
        self._calls.ask(lambda client: send_shots(client, listing), self._sent, self.say_bad)

    def take_file(self, path: str) -> None:
        self.other_given.emit(path)

    def _choose_preset(self, preset: str) -> None:
        self._preset = preset
        self._look()

    def _look(self) -> None:
        if not self._path:
            return
        path, painted, defaults = self._path, self.painted.line.text(), self._defaults()
        self.send.setEnabled(False)
        self.say(tr(texts.LOOKING_MANY))

        def read(listing: Listing) -> None:
            if (path, painted, defaults) == (self._path, self.painted.line.text(), self._defaults()):
                self._show(listing)

        self._calls.ask(lambda client: read_shots(client, path, painted, defaults), read, self.say_bad)

    def _defaults(self) -> dict[str, Any]:
        return {"preset": self._preset, "out": self.out.line.text() or None}

    def _activated(self, shot: ListedShot) -> None:
        if shot.timeline_shot is not None:
            self._calls.ask(lambda client: clip_of(client, shot.timeline_shot), self._clip_found, self.say_bad)

    def _clip_found(self, found: tuple[str, tuple[int, int]]) -> None:
        path, (first, last) = found
        self.clip_wanted.emit(path, first, last)

    def _sent(self, sent: Sent) -> None:
        said = tr_counted(texts.MANY_SENT, sent.count, report=sent.report)
        self.say_bad(f"{said} {' '.join(sent.refused)}") if sent.refused else self.say(said)
        self.sent.emit(self.said.text())
        if sent.first_job:
            self.submitted.emit(sent.first_job)

    # How it is shown.

    def _show(self, listing: Listing) -> None:
        self.listing = listing
        self.list.clear()
        for shot in listing.shots:
            item = QTreeWidgetItem(self.list, [str(shot.number), shot.name, _frames(shot), _state(shot)])
            item.setData(0, SHOT, shot)
            item.setToolTip(3, _state(shot))
        for column in range(3):
            self.list.resizeColumnToContents(column)
        self.say(tr_counted(texts.MANY_FOUND, len(listing.shots), ready=len(listing.jobs)))
        self.send.setEnabled(bool(listing.jobs))


def _frames(shot: ListedShot) -> str:
    return f"{shot.range[0]}–{shot.range[1]}" if shot.range else ""


def _state(shot: ListedShot) -> str:
    if shot.problem:
        return shot.problem
    if shot.painted:
        return tr_counted(texts.SHOT_PAINTED, len(shot.painted), frames=", ".join(map(str, shot.painted)))
    return tr(texts.SHOT_UNPAINTED if shot.timeline_shot is not None else texts.SHOT_UNUSABLE)
