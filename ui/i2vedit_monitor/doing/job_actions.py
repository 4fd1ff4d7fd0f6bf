"""Everything that can be done with the chosen job, once for buttons, menus and keys."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu

from i2vedit.v1 import job_pb2
from i2vedit_client.client import Client
from i2vedit_monitor import icons, texts
from i2vedit_monitor.link.calls import Calls
from i2vedit_monitor.model.facts import JobFacts, State
from i2vedit_monitor.texts import tr

PRIORITIES = {1: job_pb2.PRIORITY_LOW, 2: job_pb2.PRIORITY_NORMAL, 3: job_pb2.PRIORITY_HIGH}


def _waits(job: JobFacts) -> bool:
    return job.state in (State.QUEUED, State.PAUSED)


@dataclass(frozen=True)
class Kind:
    """An action: its icon, its key, and for which jobs it is there."""

    icon: str
    key: str
    fits: Callable[[JobFacts], bool]


KINDS = {
    "pause": Kind("pause", "P", lambda job: job.state in (State.QUEUED, State.RUNNING) and not job.stop_request),
    "resume": Kind("play", "R", lambda job: job.state is State.PAUSED or job.stop_request == "pause"),
    "retry": Kind("retry", "T", lambda job: job.state in (State.FAILED, State.CANCELLED)),
    "cancel": Kind("cancel", "Ctrl+.", lambda job: not job.state.ended and job.stop_request != "cancel"),
    "reveal": Kind("folder", "Ctrl+R", lambda job: bool(job.directory)),
    "copy_path": Kind("copy", "Ctrl+Shift+C", lambda job: bool(job.directory)),
    "again": Kind("brush", "Ctrl+E", lambda job: not job.is_preparation),
    "forget": Kind("cancel", "Ctrl+Backspace", lambda job: job.state is not State.RUNNING),
}
ON_PAGE = ("pause", "resume", "retry", "cancel", "again", "copy_path", "reveal")


class JobActions(QObject):
    """Acts on the job that was set last."""

    paint_again = Signal(object)
    """JobFacts whose shot is to get another version."""

    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self._calls = calls
        self._job: JobFacts | None = None
        self.actions = {name: self._made(name, kind) for name, kind in KINDS.items()}
        self.priorities = {level: self._priority(level) for level in (3, 2, 1)}
        self.set_job(None)

    def set_job(self, job: JobFacts | None) -> None:
        """Shows what fits this job and hides the rest."""
        self._job = job
        for name, action in self.actions.items():
            fits = job is not None and KINDS[name].fits(job)
            action.setEnabled(fits)
            action.setVisible(fits)
        for level, action in self.priorities.items():
            action.setEnabled(job is not None and _waits(job) and job.priority != level)

    def menu(self) -> QMenu:
        """For the right mouse button."""
        menu = QMenu()
        menu.addActions(list(self.actions.values()))
        if self._job is not None and _waits(self._job):
            menu.addSeparator()
            menu.addActions(list(self.priorities.values()))
        return menu

    def all(self) -> Iterator[QAction]:
        yield from self.actions.values()
        yield from self.priorities.values()

    def move(self, name: str, before: str) -> None:
        """Puts a waiting job before another, or at the end."""
        self._calls.ask(lambda client: client.move_job(name, before=before), _nothing)

    def _made(self, name: str, kind: Kind) -> QAction:
        action = QAction(icons.icon(kind.icon), tr(texts.ACTIONS[name]), self)
        action.setShortcut(kind.key)
        action.setToolTip(tr(texts.WITH_KEY, what=tr(texts.ACTION_TIPS[name]), key=kind.key))
        action.triggered.connect(lambda: self.do(name))
        return action

    def _priority(self, level: int) -> QAction:
        action = QAction(tr(texts.PRIORITIES[level]), self)
        action.setShortcut(f"Ctrl+Alt+{level}")
        action.triggered.connect(lambda: self._ask(lambda client, name: client.move_job(name, PRIORITIES[level])))
        return action

    def do(self, name: str) -> None:
        """Carries out an action on the set job."""
        job = self._job
        if job is None:
            return
        match name:
            case "pause":
                self._ask(Client.pause_job)
            case "resume":
                self._ask(Client.resume_job)
            case "cancel":
                self._ask(Client.cancel_job)
            case "retry":
                self._ask(Client.retry_job)
            case "forget":
                self._ask(Client.delete_job)
            case "reveal":
                self.open_folder(job.directory)
            case "copy_path":
                QGuiApplication.clipboard().setText(job.directory)
            case "again":
                self.paint_again.emit(job)

    def open_folder(self, folder: str) -> None:
        """The nearest folder that is there, in the system's own file window."""
        place = Path(folder)
        while not place.is_dir() and place != place.parent:
            place = place.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))

    def _ask(self, question: Callable[[Client, str], object]) -> None:
        if self._job is not None:
            name = self._job.name
            self._calls.ask(lambda client: question(client, name), _nothing)


def _nothing(_: object) -> None:
    """The answer comes as an event to every window."""
