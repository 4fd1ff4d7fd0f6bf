"""The icon among the system's own: how far the running job is, and a word when one has ended."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from i2vedit_monitor import icons, texts
from i2vedit_monitor.model.book import JobBook, News
from i2vedit_monitor.model.facts import JobFacts, State
from i2vedit_monitor.model.timing import overall_part
from i2vedit_monitor.texts import tr
from i2vedit_monitor.words import job_line, time_left

STEPS = 20
"""The icon is drawn anew at every twentieth of the way."""


class Tray(QObject):
    """Only where the system has a place for it."""

    show_wanted = Signal()
    quit_wanted = Signal()
    job_wanted = Signal(str)

    def __init__(self, book: JobBook) -> None:
        super().__init__()
        self._book = book
        self._live: set[str] = set()
        self._step: int | None = -1
        self._told = ""
        self.icon = QSystemTrayIcon(icons.app_icon())
        self.menu = QMenu()
        self.menu.addAction(tr(texts.SHOW_WINDOW)).triggered.connect(self.show_wanted)
        self.menu.addAction(tr(texts.QUIT)).triggered.connect(self.quit_wanted)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(lambda _: self.show_wanted.emit())
        self.icon.messageClicked.connect(lambda: self.job_wanted.emit(self._told))
        book.news.subscribe(self._take)

    @staticmethod
    def is_possible() -> bool:
        return QSystemTrayIcon.isSystemTrayAvailable()

    def _take(self, news: News) -> None:
        for name in news.changed:
            job = self._book.get(name)
            if job is None:
                continue
            if not job.state.ended:
                self._live.add(name)
            elif name in self._live:
                self._live.discard(name)
                self._tell_end(job)
        self._live -= news.forgotten
        self._show_progress()

    def _show_progress(self) -> None:
        jobs = (self._book.get(name) for name in self._live)
        running = next((job for job in jobs if job is not None and job.state is State.RUNNING), None)
        step = round(overall_part(running) * STEPS) if running else None
        if step != self._step:
            self._step = step
            self.icon.setIcon(icons.app_icon(None if step is None else step / STEPS))
        words = f"{running.title}: {job_line(running)} {time_left(running)}".strip() if running else tr(texts.APP_NAME)
        if words != self.icon.toolTip():
            self.icon.setToolTip(words)

    def _tell_end(self, job: JobFacts) -> None:
        if job.state is State.CANCELLED or job.is_preparation:
            return
        self._told = job.name
        kind = QSystemTrayIcon.MessageIcon.Warning if job.state is State.FAILED else QSystemTrayIcon.MessageIcon.Information
        self.icon.showMessage(job.title, job_line(job), kind)
