"""The panel at the right: learning, memory, versions, what was asked for, and the log of one job."""

import time
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QListWidget, QListWidgetItem, QPlainTextEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from i2vedit_monitor import texts, theme
from i2vedit_monitor.job.loss_plot import LossPlot
from i2vedit_monitor.job.memory_bars import MemoryBars
from i2vedit_monitor.model.book import JobBook
from i2vedit_monitor.model.facts import JobFacts, Plan, State
from i2vedit_monitor.texts import tr
from i2vedit_monitor.widgets import role_frame, text_label
from i2vedit_monitor.words import ago, folder_name, frames_words, gigabytes, note_line, short_path

NAME_ROLE = Qt.ItemDataRole.UserRole


class Section(QWidget):
    """A heading and what belongs to it."""

    def __init__(self, heading: str, *content: QWidget) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        label = text_label(heading, "section")
        label.setFont(theme.small(label.font(), 1.0, bold=True))
        column.addWidget(label)
        for widget in content:
            column.addWidget(widget)


class Details(QScrollArea):
    """Follows one job of the book."""

    version_chosen = Signal(str)
    """Name of the job that made the version."""

    def __init__(self, book: JobBook) -> None:
        super().__init__()
        self._book = book
        self._job: JobFacts | None = None
        self._listed: list[str] = []
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._build()

    def _build(self) -> None:
        self.plot, self.memory, self.advice = LossPlot(), MemoryBars(), text_label(role="dim", wraps=True)
        self.quality = text_label(wraps=True)
        self.facts = QLabel(wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self.facts.setTextFormat(Qt.TextFormat.RichText)
        self.versions, self.log = QListWidget(), QPlainTextEdit()
        self.log.setReadOnly(True)
        self.versions.setFrameShape(QFrame.Shape.NoFrame)
        self.versions.setAccessibleName(tr(texts.VERSIONS))
        self.versions.itemActivated.connect(lambda item: self.version_chosen.emit(item.data(NAME_ROLE)))
        self.versions.itemClicked.connect(lambda item: self.version_chosen.emit(item.data(NAME_ROLE)))
        self.log.setFont(theme.small(self.log.font(), 1.0))
        self.log.setMinimumHeight(110)
        self.log.setAccessibleName(tr(texts.LOG))
        self.log.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.sections = {
            "learning": Section(tr(texts.LEARNING), self.plot),
            "memory": Section(tr(texts.MEMORY), self.memory, self.advice),
            "quality": Section(tr(texts.QUALITY), self.quality),
            "versions": Section(tr(texts.VERSIONS), self.versions),
            "facts": Section(tr(texts.DETAILS), self.facts),
            "log": Section(tr(texts.LOG), self.log),
        }
        inside = self._inside = role_frame("panel")
        column = QVBoxLayout(inside)
        column.setContentsMargins(14, 14, 14, 14)
        column.setSpacing(18)
        for section in self.sections.values():
            column.addWidget(section, 1 if section is self.sections["log"] else 0)
        self.setWidget(inside)

    def show_job(self, job: JobFacts | None, plan: Plan | None) -> None:
        """`plan` is that of the running job."""
        self._job = job
        self._inside.setVisible(job is not None)
        if job is None:
            return
        watched = self._book.watched(job.name)
        self.plot.show_curve(watched.loss if watched else None)
        self.sections["learning"].setVisible(not self.plot.isHidden())
        self._show_plan(plan if job.state is State.RUNNING else None)
        self.sections["quality"].setVisible(bool(job.advice))
        self.quality.setText("\n".join(job.advice))
        self._show_versions(job)
        self.facts.setText(facts_html(job))
        self.facts.setToolTip(job.directory or job.out)
        self._show_log(job)

    def _show_plan(self, plan: Plan | None) -> None:
        self.sections["memory"].setVisible(plan is not None)
        self.memory.show_plan(plan)
        if plan is not None:
            words = tr(
                texts.FREE_OF, free=gigabytes(plan.free_bytes), total=gigabytes(plan.total_bytes), width=plan.width, height=plan.height
            )
            self.advice.setText(f"{words} {plan.advice}".strip())

    def _show_versions(self, job: JobFacts) -> None:
        versions = self._book.versions(job)
        self.sections["versions"].setVisible(len(versions) > 1 or (bool(versions) and versions[0].name != job.name))
        names = [version.name for version in versions]
        if names != self._listed:
            self._listed = names
            self.versions.clear()
            for version in versions:
                item = QListWidgetItem(f"{folder_name(version.directory)}   {ago(version.ended)}")
                item.setData(NAME_ROLE, version.name)
                item.setToolTip(version.directory)
                self.versions.addItem(item)
            row = self.versions.sizeHintForRow(0) if names else 0
            self.versions.setFixedHeight(min(len(names), 6) * max(row, 1) + 4)
        self.versions.setCurrentRow(names.index(job.name) if job.name in names else -1)

    def _show_log(self, job: JobFacts) -> None:
        lines = [(note.at, note_line(note)) for note in self._book.notes_of(job.name)] or past_of(job)
        text = "\n".join(f"{time.strftime('%H:%M:%S', time.localtime(at))}  {words}" for at, words in lines)
        if text != self.log.toPlainText():
            self.log.setPlainText(text)
            bar = self.log.verticalScrollBar()
            bar.setValue(bar.maximum())


def past_of(job: JobFacts) -> list[tuple[float, str]]:
    """What the server remembers of a job that the window has not seen running: (seconds since 1970, words)."""
    moments = ((job.created, texts.CREATED), (job.started, texts.BEGUN), (job.ended, texts.ENDED))
    return [(at, tr(words)) for at, words in moments if at]


def facts_html(job: JobFacts) -> str:
    """What was asked for, as a table of two columns."""
    rows = [
        (texts.CLIP, folder_name(job.clip)),
        (texts.FRAMES, frames_words(job)),
        (texts.PAINTED, folder_name(job.edited) if job.edited else ""),
        (texts.MODEL, folder_name(job.model)),
        (texts.PRESET, tr(texts.PRESETS[job.preset][0]) if job.preset in texts.PRESETS else job.preset),
        (texts.SEED, str(job.seed)),
        (texts.DELIVERED_TO, short_path(job.directory or job.out)),
        (texts.JOB, job.name.removeprefix("jobs/")),
        (texts.ATTEMPT, str(job.attempt) if job.attempt > 1 else ""),
    ]
    cells = (
        f'<tr><td style="color:{theme.DIM};padding-right:12px">{escape(tr(name))}</td><td>{escape(value)}</td></tr>'
        for name, value in rows
        if value
    )
    return f"<table cellspacing=2>{''.join(cells)}</table>"
