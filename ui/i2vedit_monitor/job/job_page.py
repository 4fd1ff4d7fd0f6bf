"""The page of one job: what it is, how far it is, what can be done; its pictures; and the panel of details."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSplitter, QToolButton, QVBoxLayout, QWidget

from i2vedit_monitor import icons, theme
from i2vedit_monitor.doing.job_actions import ON_PAGE, JobActions
from i2vedit_monitor.job.details import Details
from i2vedit_monitor.job.notice_bar import NoticeBar
from i2vedit_monitor.job.stage_track import StageTrack
from i2vedit_monitor.link.calls import Calls
from i2vedit_monitor.model.book import JobBook
from i2vedit_monitor.model.facts import JobFacts, Plan
from i2vedit_monitor.model.notices import notice_of
from i2vedit_monitor.model.timing import stage_parts
from i2vedit_monitor.viewer.viewer import Viewer
from i2vedit_monitor.widgets import role_frame, text_label
from i2vedit_monitor.words import ago, folder_name, job_line, state_name, time_left


class JobPage(QWidget):
    """Follows the job that was set."""

    way_chosen = Signal(object)
    version_chosen = Signal(str)

    def __init__(self, book: JobBook, calls: Calls, actions: JobActions) -> None:
        super().__init__()
        self._book, self._actions = book, actions
        self.viewer, self.details = Viewer(calls), Details(book)
        self.track, self.notice = StageTrack(), NoticeBar()
        self.title, self.state = text_label(role="headline"), text_label(role="dim")
        self.title.setFont(theme.small(self.title.font(), -4.0, bold=True))
        self.notice.chosen.connect(self.way_chosen)
        self.details.version_chosen.connect(self.version_chosen)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(self.viewer)
        self.split.addWidget(self.details)
        self.split.setStretchFactor(0, 1)
        self.split.setSizes([900, 300])
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(2)
        self.details.setMinimumWidth(230)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head())
        column.addWidget(self.split, 1)

    def _head(self) -> QFrame:
        head = role_frame("strip")
        column = QVBoxLayout(head)
        column.setContentsMargins(16, 12, 12, 8)
        column.setSpacing(8)
        row = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.state)
        row.addLayout(words, 1)
        for name in ON_PAGE:
            row.addWidget(self._button(name))
        column.addLayout(row)
        column.addWidget(self.notice)
        column.addWidget(self.track)
        return head

    def _button(self, name: str) -> QToolButton:
        action = self._actions.actions[name]
        button = QToolButton()
        button.setDefaultAction(action)
        button.setIconSize(icons.ICON_SIZE)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        # A button of an action that does not fit the job is no button.
        action.changed.connect(lambda: button.setVisible(action.isVisible()))
        button.setVisible(action.isVisible())
        return button

    def show_job(self, job: JobFacts, plan: Plan | None) -> None:
        """Another job, or news of the same one."""
        self.title.setText(job.title)
        self.state.setText(headline(job))
        watched = self._book.watched(job.name)
        self.track.show_parts(job, stage_parts(job, watched.parts if watched else {}))
        self.notice.show_notice(notice_of(job))
        self.details.show_job(job, plan)
        self.viewer.show_job(None if job.is_preparation else job)
        versions = [version for version in self._book.versions(job) if version.name != job.name]
        self.viewer.set_versions([(folder_name(version.directory), version.directory) for version in versions])


def headline(job: JobFacts) -> str:
    """What the job does, in one line."""
    parts = [state_name(job)]
    if not job.state.ended or job.trouble is None:
        line = job_line(job)
        parts += [line] if line != parts[0] else []
    parts += [time_left(job)] if time_left(job) else []
    if job.state.ended:
        parts.append(ago(job.ended))
    return "  ·  ".join(parts)
