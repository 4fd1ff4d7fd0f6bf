"""The window: queue at the left, and beside it the chosen job, a new shot, or the welcome."""

from collections.abc import Sequence

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QMainWindow, QSplitter, QStackedWidget, QStatusBar, QVBoxLayout, QWidget

from i2vedit_client.client import Client
from i2vedit_monitor import icons, keys, texts
from i2vedit_monitor.demo import submit_demo
from i2vedit_monitor.doing.fields import dropped_file
from i2vedit_monitor.doing.job_actions import JobActions
from i2vedit_monitor.doing.many_shots import ManyShots
from i2vedit_monitor.doing.new_shot import NewShot
from i2vedit_monitor.doing.painting import Opener, open_in_editor
from i2vedit_monitor.job.job_page import JobPage
from i2vedit_monitor.link.device_load import Load, read_load
from i2vedit_monitor.model.book import News
from i2vedit_monitor.model.changes import PreviewSeen
from i2vedit_monitor.model.facts import Contact, JobFacts
from i2vedit_monitor.model.health import Health
from i2vedit_monitor.model.notices import Way
from i2vedit_monitor.queue.queue_panel import QueuePanel
from i2vedit_monitor.session import Session
from i2vedit_monitor.state import restore, save
from i2vedit_monitor.texts import tr
from i2vedit_monitor.top_bar import TopBar
from i2vedit_monitor.tray import Tray
from i2vedit_monitor.welcome import MACHINE, Check, Welcome
from i2vedit_monitor.widgets import text_label
from i2vedit_monitor.words import gigabytes

SAID_MILLISECONDS = 12_000
LOAD_MILLISECONDS = 5_000
ZOOM_STEP = 1.5


class MonitorWindow(QMainWindow):
    """Binds widgets to the session. Closing it leaves every job as it is."""

    def __init__(self, session: Session, settings: QSettings, opener: Opener = open_in_editor, checks: Sequence[Check] = MACHINE) -> None:
        """`opener` gets pictures that are to be painted on; `checks` are what is looked at on this machine."""
        super().__init__()
        self.session, self._settings = session, settings
        self._preview: PreviewSeen | None = None
        self.setWindowTitle(tr(texts.APP_NAME))
        self.setWindowIcon(icons.app_icon())
        self.setAcceptDrops(True)
        self.actions_of_job = JobActions(session.calls)
        self.queue = QueuePanel(session.book, self.actions_of_job)
        self.page = JobPage(session.book, session.calls, self.actions_of_job)
        self.new_shot = NewShot(session.calls, opener)
        self.many = ManyShots(session.calls)
        self.welcome = Welcome(session.calls, checks)
        self.top = TopBar(session.health)
        self._build()
        self._connect()
        self._add_keys()
        self.tray = self._tray()
        restore(self, settings)
        self.queue.view.setFocus()
        self._show_job()

    def _build(self) -> None:
        self.stack = QStackedWidget()
        self.waiting = text_label(tr(texts.CONTACTS["seeking"]), "dim")
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for page in (self.waiting, self.welcome, self.page, self.new_shot, self.many):
            self.stack.addWidget(page)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(self.queue)
        self.split.addWidget(self.stack)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([310, 1100])
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(2)
        self.queue.setMinimumWidth(240)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addWidget(self.split, 1)
        self.setCentralWidget(centre)
        self.setStatusBar(QStatusBar(sizeGripEnabled=False))
        self.statusBar().hide()
        self.statusBar().messageChanged.connect(lambda text: self.statusBar().setVisible(bool(text)))
        self.resize(1440, 860)

    def _connect(self) -> None:
        session = self.session
        session.book.news.subscribe(self._news)
        session.health.changed.subscribe(self._health_changed)
        session.calls.failed.connect(self.say)
        self.queue.chosen.connect(lambda _: self._job_chosen())
        self.queue.new_wanted.connect(self.begin_new)
        self.actions_of_job.paint_again.connect(self._paint_again)
        self.page.way_chosen.connect(self._go)
        self.page.version_chosen.connect(self.queue.choose)
        self.page.viewer.troubled.connect(self.say)
        self.new_shot.submitted.connect(self.queue.choose)
        self.new_shot.closed.connect(self._job_chosen)
        self.new_shot.many_given.connect(self.open_many)
        self.many.submitted.connect(self.queue.choose)
        self.many.sent.connect(self.say)
        self.many.closed.connect(self._job_chosen)
        self.many.other_given.connect(self.open_clip)
        self.many.clip_wanted.connect(lambda path, first, last: self.open_clip(path, (first, last)))
        self.welcome.clip_given.connect(self.open_clip)
        self.welcome.demo_wanted.connect(self._try_demo)
        self.top.start_wanted.connect(session.watcher.wake)
        self.top.free_wanted.connect(self._free)
        self.top.machine_wanted.connect(lambda: self.stack.setCurrentWidget(self.welcome))
        self.top.keys_wanted.connect(self._show_keys)
        self._load_timer = QTimer(self, interval=LOAD_MILLISECONDS)
        self._load_timer.timeout.connect(lambda: session.calls.do(read_load, self._show_load))

    def _add_keys(self) -> None:
        viewer = self.page.viewer
        keys.add_keys(
            self,
            {
                "next_job": lambda: self.queue.step(1),
                "former_job": lambda: self.queue.step(-1),
                "new": self.begin_new,
                "search": self.queue.search.setFocus,
                "machine": lambda: self.stack.setCurrentWidget(self.welcome),
                "keys": self._show_keys,
                "quit": self.leave,
            },
        )
        of_viewer = keys.add_keys(
            self,
            {
                "play": viewer.toggle_play,
                "back": lambda: viewer.step(-1),
                "forward": lambda: viewer.step(1),
                "first": viewer.to_first,
                "last": viewer.to_last,
                "loop": viewer.transport.loop.toggle,
                "fit": viewer.canvas.fit,
                "pixels": viewer.canvas.to_pixels,
                "zoom_in": lambda: viewer.canvas.zoom_by(ZOOM_STEP),
                "zoom_out": lambda: viewer.canvas.zoom_by(1 / ZOOM_STEP),
                "pin": viewer.transport.pin.toggle,
            },
        )
        of_viewer += keys.add_modes(self, viewer.set_mode)
        self.addActions(list(self.actions_of_job.all()))

        def give_keys() -> None:
            # Elsewhere these keys belong to buttons and fields.
            for action in of_viewer:
                action.setEnabled(self.stack.currentWidget() is self.page)

        self.stack.currentChanged.connect(lambda _: give_keys())

    def _tray(self) -> Tray | None:
        if not Tray.is_possible():
            return None
        tray = Tray(self.session.book)
        tray.show_wanted.connect(self._come_forward)
        tray.quit_wanted.connect(self.leave)
        tray.job_wanted.connect(self.queue.choose)
        tray.job_wanted.connect(lambda _: self._come_forward())
        tray.icon.show()
        return tray

    # What is shown.

    @property
    def job(self) -> JobFacts | None:
        """The chosen one."""
        return self.session.book.get(self.queue.name)

    def say(self, sentence: str) -> None:
        """A sentence at the bottom that goes away by itself."""
        self.statusBar().show()
        self.statusBar().showMessage(sentence, SAID_MILLISECONDS)

    def _job_chosen(self) -> None:
        self.stack.setCurrentWidget(self.page if self.job is not None else self.welcome)
        self._show_job()

    def _show_job(self) -> None:
        job = self.job
        self.actions_of_job.set_job(job)
        if job is None:
            if self.stack.currentWidget() is self.page:
                self.stack.setCurrentWidget(self.welcome)
            return
        server = self.session.health.server
        self.page.show_job(job, server.plan if server and server.running_job == job.name else None)
        watched = self.session.book.watched(job.name)
        self._show_preview(watched.preview if watched else None)

    def _show_preview(self, preview: PreviewSeen | None) -> None:
        if preview is not self._preview:
            self._preview = preview
            self.page.viewer.show_preview(QImage.fromData(preview.image) if preview else None)

    def _news(self, news: News) -> None:
        if not self.queue.name and self._is_idle_page() and len(self.session.book):
            self._choose_first()
        name = self.queue.name
        if name in news.changed or name in news.forgotten:
            self._show_job()
            landed = [frame.frame for frame in news.landed if frame.name == name]
            if landed:
                self.page.viewer.frames_landed(landed)
            if self._is_idle_page() and name in news.changed:
                self._job_chosen()

    def _is_idle_page(self) -> bool:
        return self.stack.currentWidget() in (self.waiting, self.welcome)

    def _choose_first(self) -> None:
        """The job that was looked at last, where it is still there, else the topmost."""
        last = str(self._settings.value("job", ""))
        first = self.queue.list.job_at(0)
        name = last if last in self.session.book else first.name if first else ""
        if name:
            self.queue.choose(name)

    def _health_changed(self, health: Health) -> None:
        if self.stack.currentWidget() is self.waiting and health.contact is not Contact.SEEKING and not len(self.session.book):
            self.stack.setCurrentWidget(self.welcome)
        if self.job is not None and self.stack.currentWidget() is self.page:
            self._show_job()
        on_card = health.server is not None and health.server.device.startswith("cuda")
        if on_card != self._load_timer.isActive():
            self._load_timer.start() if on_card else self._load_timer.stop()

    def _show_load(self, load: Load | None) -> None:
        words = tr(texts.LOAD, percent=load.percent, used=gigabytes(load.used_bytes), total=gigabytes(load.total_bytes)) if load else ""
        self.top.show_load(words)

    # What is done.

    def begin_new(self) -> None:
        self.stack.setCurrentWidget(self.new_shot)
        self.new_shot.clip.button.setFocus()

    def open_clip(self, path: str, frames: tuple[int, int] | None = None) -> None:
        self.begin_new()
        self.new_shot.open_clip(path, frames)

    def open_many(self, path: str) -> None:
        """A table or a timeline."""
        self.stack.setCurrentWidget(self.many)
        self.many.open_file(path, self.new_shot.draft.out)

    def _paint_again(self, job: JobFacts) -> None:
        self.begin_new()
        self.new_shot.paint_again(job)

    def _try_demo(self) -> None:
        self.say(tr(texts.DEMO_BEGINS))
        self.session.calls.ask(submit_demo, self.queue.choose)

    def _free(self) -> None:
        def freed(answer: object) -> None:
            self.say(tr(texts.FREED if getattr(answer, "freed", False) else texts.NOT_FREED))

        self.session.calls.ask(Client.free_memory, freed)

    def _go(self, way: Way) -> None:
        """Where a notice leads."""
        job = self.job
        if job is None:
            return
        match way:
            case Way.RETRY:
                self.actions_of_job.do("retry")
            case Way.FREE_MEMORY:
                self._free()
            case Way.PAINT_AGAIN:
                self._paint_again(job)
            case Way.SET_UP:
                self.stack.setCurrentWidget(self.welcome)
            case Way.OPEN_OUT:
                self.actions_of_job.open_folder(job.out)
            case Way.REVEAL:
                self.actions_of_job.do("reveal")

    def _show_keys(self) -> None:
        keys.KeySheet(self, list(self.actions_of_job.all())).exec()

    # How it comes and goes.

    def _come_forward(self) -> None:
        self.showNormal()
        self.raise_()
        self.activateWindow()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_file(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.open_clip(dropped_file(event))

    def leave(self) -> None:
        self.close()
        QApplication.quit()

    def closeEvent(self, event: QCloseEvent) -> None:
        save(self, self._settings)
        self.page.viewer.close_threads()
        self.new_shot.painting.stop()
        self._load_timer.stop()
        if self.tray is not None:
            self.tray.icon.hide()
        self.session.close()
        event.accept()
