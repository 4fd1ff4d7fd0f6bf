"""The panel at the left: search, what to show, and the list."""

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHBoxLayout, QLineEdit, QListView, QTabBar, QVBoxLayout

from i2vedit_monitor import icons, texts, theme
from i2vedit_monitor.doing.job_actions import JobActions
from i2vedit_monitor.model.book import JobBook
from i2vedit_monitor.queue.job_list import JobList, Shown
from i2vedit_monitor.queue.job_row import JobRow
from i2vedit_monitor.texts import tr
from i2vedit_monitor.widgets import primary_button, text_label


class QueuePanel(QFrame):
    """Keeps the chosen job chosen, wherever it goes in the list."""

    chosen = Signal(str)
    """Name of a job; empty when none is."""
    new_wanted = Signal()

    def __init__(self, book: JobBook, actions: JobActions) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._actions = actions
        self._name = ""
        self.list = JobList(book)
        self.list.move_wanted.connect(actions.move)
        self.list.laid_out.connect(self._choose_again)
        self._build()
        self.view.selectionModel().currentChanged.connect(self._current_changed)
        # Also the one that is chosen already, as from the page of a new shot.
        self.view.clicked.connect(lambda _: self.chosen.emit(self._name))
        self.list.rowsInserted.connect(self._counted)
        self.list.rowsRemoved.connect(self._counted)
        self.list.laid_out.connect(self._counted)
        self._counted()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        top = QHBoxLayout()
        top.setContentsMargins(12, 12, 12, 8)
        self.search = QLineEdit(placeholderText=tr(texts.SEARCH), clearButtonEnabled=True)
        self.search.addAction(icons.icon("search", theme.DIM), QLineEdit.ActionPosition.LeadingPosition)
        self.search.setAccessibleName(tr(texts.SEARCH))
        self.new = primary_button(tr(texts.NEW_SHOT), icons.icon("add", theme.INK))
        self.new.setToolTip(tr(texts.WITH_KEY, what=tr(texts.NEW_SHOT_TIP), key="Ctrl+N"))
        top.setSpacing(10)
        top.addWidget(self.search, 1)
        top.addWidget(self.new)
        self.tabs = QTabBar(expanding=False, drawBase=False)
        for shown in Shown:
            self.tabs.addTab(tr(texts.SHOWN[shown.value]))
        self.view = QListView()
        self.view.setModel(self.list)
        self.view.setItemDelegate(JobRow(self.view))
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.view.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.view.setDropIndicatorShown(True)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.setAccessibleName(tr(texts.QUEUE))
        self.view.customContextMenuRequested.connect(self._menu)
        self.empty = text_label(tr(texts.NO_JOBS), "dim", wraps=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setContentsMargins(24, 24, 24, 24)
        column.addLayout(top)
        column.addWidget(self.tabs)
        column.addWidget(self.view, 1)
        column.addWidget(self.empty, 1)
        self.search.textChanged.connect(lambda _: self._filter())
        self.tabs.currentChanged.connect(lambda _: self._filter())
        self.new.clicked.connect(self.new_wanted)

    @property
    def name(self) -> str:
        """Of the chosen job."""
        return self._name

    def choose(self, name: str) -> None:
        """Chooses a job, now or as soon as it is in the list."""
        self._name = name
        row = self.list.row_of(name)
        if row < 0 and name and (self.search.text() or self.tabs.currentIndex()):
            self.search.clear()
            self.tabs.setCurrentIndex(0)
            row = self.list.row_of(name)
        if row >= 0:
            self.view.setCurrentIndex(self.list.index(row))
            self.view.scrollTo(self.list.index(row))
        elif not name:
            self.view.clearSelection()
            self.view.setCurrentIndex(QModelIndex())
        self.chosen.emit(name)

    def step(self, by: int) -> None:
        """To the next job below or above."""
        row = min(max(self.view.currentIndex().row() + by, 0), self.list.rowCount() - 1)
        if row >= 0:
            self.view.setCurrentIndex(self.list.index(row))

    def _filter(self) -> None:
        self.list.show_only(list(Shown)[self.tabs.currentIndex()], self.search.text().strip())

    def _counted(self) -> None:
        any_there = self.list.rowCount() > 0
        self.view.setVisible(any_there)
        self.empty.setVisible(not any_there)

    def _choose_again(self) -> None:
        row = self.list.row_of(self._name)
        if row >= 0:
            self.view.setCurrentIndex(self.list.index(row))

    def _current_changed(self, current: QModelIndex, _: QModelIndex) -> None:
        job = self.list.job_at(current.row()) if current.isValid() else None
        if job is not None and job.name != self._name:
            self._name = job.name
            self.chosen.emit(job.name)

    def _menu(self, place: QPoint) -> None:
        if self.view.indexAt(place).isValid():
            self._actions.menu().exec(self.view.viewport().mapToGlobal(place))
