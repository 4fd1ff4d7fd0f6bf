"""The book of jobs as a Qt list: what runs, what waits in its order, what has ended."""

from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QByteArray, QMimeData, QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal

from i2vedit_monitor.model.book import JobBook, News
from i2vedit_monitor.model.facts import JobFacts, State
from i2vedit_monitor.words import job_line

Index = QModelIndex | QPersistentModelIndex
JOB_ROLE = Qt.ItemDataRole.UserRole + 1
MIME = "application/x-i2vedit-job"
NO_INDEX = QModelIndex()
LARGE = 40
"""From so many changed jobs on, the whole list is laid out anew, with whatever else comes in a moment."""
LAY_OUT_MILLISECONDS = 120

Key = tuple[tuple[int, float, int, str], str]


class Shown(StrEnum):
    """Which jobs the list has."""

    ALL = "all"
    LIVE = "live"
    DONE = "done"
    FAILED = "failed"

    def has(self, job: JobFacts) -> bool:
        match self:
            case Shown.LIVE:
                return not job.state.ended
            case Shown.DONE:
                return job.state is State.SUCCEEDED
            case Shown.FAILED:
                return job.state in (State.FAILED, State.CANCELLED)
            case _:
                return True


class JobList(QAbstractListModel):
    """Rows in the order of their turn. Dropping a waiting job on another place asks for a move and changes nothing itself."""

    move_wanted = Signal(str, str)
    """The job, and the waiting job that is to come right after it (empty: to the end)."""
    laid_out = Signal()
    """The rows are others now; selections have to be made again."""

    def __init__(self, book: JobBook) -> None:
        super().__init__()
        self._book = book
        self._keys: list[Key] = []
        self._key_of: dict[str, Key] = {}
        self._shown = Shown.ALL
        self._text = ""
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.setInterval(LAY_OUT_MILLISECONDS)
        self._due.timeout.connect(self._lay_out)
        book.news.subscribe(self._take)

    def show_only(self, shown: Shown, text: str = "") -> None:
        """Jobs of one kind whose name or clip holds `text`."""
        self._shown, self._text = shown, text.casefold()
        self._lay_out()

    def row_of(self, name: str) -> int:
        """-1 where the list does not show the job."""
        key = self._key_of.get(name)
        return -1 if key is None else bisect_left(self._keys, key)

    def job_at(self, row: int) -> JobFacts | None:
        return self._book.get(self._keys[row][1]) if 0 <= row < len(self._keys) else None

    # What Qt asks for.

    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._keys)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        job = self.job_at(index.row())
        if job is None:
            return None
        if role == JOB_ROLE:
            return job
        if role == Qt.ItemDataRole.DisplayRole:
            return job.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{job.title}, {job_line(job)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return job.clip
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        job = self.job_at(index.row()) if index.isValid() else None
        if job is None:
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsDragEnabled if job.state in (State.QUEUED, State.PAUSED) else flags

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        job = self.job_at(indexes[0].row()) if indexes else None
        data.setData(MIME, QByteArray((job.name if job else "").encode()))
        return data

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        """Never takes rows away itself: the server says where the job is then."""
        name = bytes(data.data(MIME).data()).decode()
        if not name:
            return False
        self.move_wanted.emit(name, self._waiting_at(row if row >= 0 else parent.row(), name))
        return False

    # How it follows the book.

    def _waiting_at(self, row: int, moved: str) -> str:
        for at in range(max(row, 0), len(self._keys)):
            job = self.job_at(at)
            if job is not None and job.name != moved and job.state in (State.QUEUED, State.PAUSED):
                return job.name
        return ""

    def _wanted(self, job: JobFacts) -> bool:
        return self._shown.has(job) and (not self._text or self._text in f"{job.title} {job.clip} {job.name}".casefold())

    def _take(self, news: News) -> None:
        if self._due.isActive():
            return
        if len(news.changed) + len(news.forgotten) >= LARGE:
            self._due.start()
            return
        for name in news.forgotten:
            self._drop(name)
        for name in news.changed:
            self._place(name)

    def _place(self, name: str) -> None:
        job = self._book.get(name)
        if job is None or not self._wanted(job):
            self._drop(name)
            return
        key = (job.turn, name)
        if self._key_of.get(name) == key:
            index = self.index(self.row_of(name))
            self.dataChanged.emit(index, index)
            return
        self._change_place(name, key)

    def _change_place(self, name: str, key: Key) -> None:
        old = self.row_of(name)
        new = bisect_left(self._keys, key)
        if old < 0:
            self.beginInsertRows(NO_INDEX, new, new)
            self._keys.insert(new, key)
            self._key_of[name] = key
            self.endInsertRows()
            return
        # Where it is put is counted before it is taken away.
        moves = new not in (old, old + 1)
        if moves:
            self.beginMoveRows(NO_INDEX, old, old, NO_INDEX, new)
        del self._keys[old]
        self._keys.insert(new - (new > old), key)
        self._key_of[name] = key
        if moves:
            self.endMoveRows()
        index = self.index(self.row_of(name))
        self.dataChanged.emit(index, index)

    def _drop(self, name: str) -> None:
        row = self.row_of(name)
        if row >= 0:
            self.beginRemoveRows(NO_INDEX, row, row)
            del self._keys[row]
            del self._key_of[name]
            self.endRemoveRows()

    def _lay_out(self) -> None:
        self._due.stop()
        self.beginResetModel()
        self._key_of = {job.name: (job.turn, job.name) for job in self._book.jobs() if self._wanted(job)}
        self._keys = sorted(self._key_of.values())
        self.endResetModel()
        self.laid_out.emit()
