"""The page for a new shot: drop a clip, choose its range, paint, choose how, send it on its way."""

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from i2vedit_client.client import Client
from i2vedit_client.remote import is_remote, send
from i2vedit_client.spec import job_spec
from i2vedit_monitor import icons, texts, theme
from i2vedit_monitor.doing.batch_reading import is_batch
from i2vedit_monitor.doing.clip_reading import read_clip, read_thumb
from i2vedit_monitor.doing.fields import Choices, DropField, FolderField, combo
from i2vedit_monitor.doing.painting import Opener, Painting, open_in_editor
from i2vedit_monitor.doing.sending_page import SendingPage
from i2vedit_monitor.doing.thumb_strip import ThumbStrip
from i2vedit_monitor.link.calls import Calls
from i2vedit_monitor.model.draft import ClipFacts, Draft, draft_like
from i2vedit_monitor.model.facts import JobFacts
from i2vedit_monitor.texts import tr, tr_counted
from i2vedit_monitor.widgets import role_frame, text_button, text_label

WIDEST = 860
LARGEST_SEED = 2**31 - 1
MODELS = ("mini", "svd", "svd-xt")
SPACES = ("match", "linear", "ACEScg")
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".psd")


def submit(client: Client, draft: Draft) -> str:
    """Creates the job, on another machine with the files brought there first; gives its name. Raises BadInput, ServerError."""
    spec = job_spec(draft.options())
    sent = send(client, spec, lambda _: None) if is_remote() else spec
    return client.create_job(sent).job.name


class NewShot(SendingPage):
    """Holds one draft; every change of it is shown at once."""

    submitted = Signal(str)
    """Name of the job that was made."""
    many_given = Signal(str)
    """A table or a timeline was given instead of a clip."""

    def __init__(self, calls: Calls, opener: Opener = open_in_editor) -> None:
        super().__init__(tr(texts.CARRY))
        self._calls = calls
        self.draft = Draft()
        self._range: tuple[int, int] | None = None
        """Of the clip that is looked at: what a job or a timeline takes of it."""
        self.painting = Painting(calls, opener)
        self.painting.exported.connect(lambda path: self.say(tr(texts.PAINT_OPENED, path=path)))
        self.painting.saved.connect(self._saved)
        self.painting.failed.connect(self.say_bad)
        self._build()
        self._show()

    # How it is laid out.

    def _build(self) -> None:
        self.clip = DropField(tr(texts.DROP_CLIP), tr(texts.CHOOSE_CLIP), tr(texts.CLIP_FILES))
        self.strip, self.range = ThumbStrip(), text_label(role="dim")
        self.painted = DropField(tr(texts.DROP_PAINTED), tr(texts.CHOOSE_PICTURE), tr(texts.PICTURE_FILES))
        self.at = QSpinBox()
        self.at.setAccessibleName(tr(texts.FRAME_TO_PAINT))
        self.at.setToolTip(tr(texts.FRAME_TO_PAINT))
        self.paint = QPushButton(icons.icon("brush"), tr(texts.PAINT))
        self.preset, self.edit = Choices(texts.PRESETS), Choices(texts.EDITS)
        self.out = FolderField(tr(texts.DELIVER_TO), tr(texts.CHOOSE_FOLDER))
        self.more = text_button(tr(texts.ADVANCED), "more")
        self.more.setCheckable(True)
        self.advanced = self._advanced()
        self.send.setToolTip(tr(texts.WITH_KEY, what=tr(texts.CARRY), key="Ctrl+Return"))
        self.send.setShortcut("Ctrl+Return")
        self._connect()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        area = QScrollArea(widgetResizable=True)
        area.setWidget(self._form())
        outer.addWidget(area, 1)
        outer.addWidget(self._foot())

    def _form(self) -> QWidget:
        form = QWidget()
        form.setMaximumWidth(WIDEST)
        column = QVBoxLayout(form)
        column.setContentsMargins(28, 22, 28, 22)
        column.setSpacing(8)
        title = text_label(tr(texts.NEW_SHOT), "headline")
        title.setFont(theme.small(title.font(), -6.0, bold=True))
        column.addWidget(title)
        paint = QHBoxLayout()
        paint.addWidget(self.painted, 1)
        paint.addWidget(self.at)
        paint.addWidget(self.paint)
        for number, (heading, content) in enumerate(
            (
                (texts.STEP_CLIP, (self.clip, self.strip, self.range)),
                (texts.STEP_PAINT, (paint,)),
                (texts.STEP_HOW, (self.preset, self.edit)),
                (texts.STEP_WHERE, (self.out, self.more, self.advanced)),
            ),
            start=1,
        ):
            label = QLabel(f"{number}   {tr(heading)}")
            label.setFont(theme.small(label.font(), 0.0, bold=True))
            column.addSpacing(12)
            column.addWidget(label)
            for part in content:
                column.addLayout(part) if isinstance(part, QHBoxLayout) else column.addWidget(part)
        column.addStretch(1)
        return _centred(form)

    def _advanced(self) -> QFrame:
        frame = role_frame("card")
        rows = QFormLayout(frame)
        rows.setContentsMargins(14, 12, 14, 12)
        self.model = combo([(name, name) for name in MODELS], editable=True)
        self.seed = QSpinBox(maximum=LARGEST_SEED)
        self.space = combo([(name, name) for name in SPACES], editable=True)
        self.bits = combo([(value, tr(words)) for value, words in texts.DEPTHS.items()])
        self.alpha = combo([(value, tr(words)) for value, words in texts.ALPHAS.items()])
        self.cuts = combo([(value, tr(words)) for value, words in texts.CUTS.items()])
        self.interlaced = combo([(False, tr(texts.FIELDS_AS_THEY_ARE)), (True, tr(texts.FIELDS_INTO_FRAMES))])
        self.largest = QLineEdit(placeholderText=tr(texts.SIZE_OF_THE_MODEL))
        for words, widget in (
            (texts.MODEL, self.model),
            (texts.SEED, self.seed),
            (texts.COLOUR, self.space),
            (texts.DEPTH, self.bits),
            (texts.ALPHA, self.alpha),
            (texts.CUTS_TITLE, self.cuts),
            (texts.FIELDS, self.interlaced),
            (texts.SIZE, self.largest),
        ):
            widget.setAccessibleName(tr(words))
            rows.addRow(tr(words), widget)
        frame.hide()
        return frame

    def _connect(self) -> None:
        self.clip.given.connect(self.open_clip)
        self.strip.chosen.connect(lambda first, last: self._change(self.draft.with_range(first, last)))
        self.strip.key_chosen.connect(lambda frame: self._change(self.draft.with_key(frame)))
        self.at.valueChanged.connect(lambda frame: self._change(self.draft.with_key(frame)))
        self.painted.given.connect(self._painted)
        self.paint.clicked.connect(lambda: self.painting.begin(self.draft))
        self.preset.chosen.connect(lambda preset: self._change(replace(self.draft, preset=preset)))
        self.edit.chosen.connect(lambda edit: self._change(replace(self.draft, edit=edit)))
        self.out.changed.connect(lambda out: self._change(replace(self.draft, out=out)))
        self.more.toggled.connect(self.advanced.setVisible)
        self.model.currentTextChanged.connect(lambda text: self._change(replace(self.draft, model=text.strip() or "mini")))
        self.space.currentTextChanged.connect(lambda text: self._change(replace(self.draft, color_space=text.strip() or "match")))
        self.seed.valueChanged.connect(lambda seed: self._change(replace(self.draft, seed=seed)))
        self.bits.currentIndexChanged.connect(lambda _: self._change(replace(self.draft, depth=self.bits.currentData())))
        self.alpha.currentIndexChanged.connect(lambda _: self._change(replace(self.draft, alpha=self.alpha.currentData())))
        self.cuts.currentIndexChanged.connect(lambda _: self._change(replace(self.draft, cuts=self.cuts.currentData())))
        self.interlaced.currentIndexChanged.connect(lambda _: self._change(replace(self.draft, deinterlace=self.interlaced.currentData())))
        self.largest.textChanged.connect(lambda text: self._change(replace(self.draft, size=text.strip())))
        self.send.clicked.connect(self.carry)

    # What is chosen.

    def open_clip(self, path: str, frames: tuple[int, int] | None = None) -> None:
        """A clip was dropped or chosen; a picture counts as the painted frame of the clip that is there."""
        if is_batch(path):
            self.many_given.emit(path)
            return
        if self.draft.clip is not None and path.lower().endswith(PICTURES):
            self._painted(path)
            return
        self._range = frames
        self.say(tr(texts.LOOKING))
        self._calls.ask(lambda client: read_clip(client, path), self._clip_read, self.say_bad)

    def paint_again(self, job: JobFacts) -> None:
        """The shot of a job, to be painted another time."""
        self.draft = draft_like(job, self.draft)
        self.open_clip(job.clip, (job.first, job.first + job.frames - 1) if job.frames else None)

    def carry(self) -> None:
        """Sends the draft, if nothing is missing."""
        draft = self.draft
        if draft.missing:
            self.say_bad(tr(texts.MISSING[draft.missing]))
            return
        self.send.setEnabled(False)
        self.say(tr(texts.SENDING))
        self._calls.ask(lambda client: submit(client, draft), self._sent, self.say_bad)

    def take_file(self, path: str) -> None:
        self.open_clip(path)

    def _clip_read(self, clip: ClipFacts) -> None:
        self.say("")
        self.draft = self.draft.with_clip(clip)
        self.strip.set_clip(clip.first, clip.frames)
        # A job without a range says 0 of pictures that begin with another number: it had all of them.
        if self._range is not None and self._range[0] >= clip.first:
            self.draft = self.draft.with_range(*self._range)
            self.strip.set_range(self.draft.first, self.draft.last)
        self._show()
        for frame in self.strip.frames():
            self._ask_thumb(clip, frame)

    def _ask_thumb(self, clip: ClipFacts, frame: int) -> None:
        def show(picture: QImage) -> None:
            if self.draft.clip == clip:
                self.strip.show_picture(frame, picture)

        # A strip with a gap is no reason to say anything.
        self._calls.ask(lambda client: read_thumb(client, clip, frame), show, lambda _: None)

    def _saved(self, path: str) -> None:
        if self.painting.is_of(self.draft):
            self._painted(path)

    def _painted(self, path: str) -> None:
        self._change(replace(self.draft, painted=path))
        self.say(tr(texts.PAINTED_READY))

    def _change(self, draft: Draft) -> None:
        self.draft = draft
        self._show()

    def _sent(self, name: str) -> None:
        self.say("")
        self.draft = replace(self.draft, painted="")
        self._show()
        self.submitted.emit(name)

    # How it is shown.

    def _show(self) -> None:
        draft, clip = self.draft, self.draft.clip
        about = tr_counted(texts.CLIP_ABOUT, clip.frames, width=clip.width, height=clip.height, rate=f"{clip.rate:g}") if clip else ""
        self.clip.show_file(clip.path if clip else "", about)
        for widget in (self.strip, self.range, self.at, self.paint):
            widget.setEnabled(clip is not None)
        self.strip.setVisible(clip is not None)
        self.range.setVisible(clip is not None)
        self.strip.set_key(draft.key)
        with QSignalBlocker(self.at):
            self.at.setRange(draft.first, draft.last)
            self.at.setValue(draft.key)
        frames = draft.last - draft.first + 1
        seconds = f"{frames / clip.rate:.1f}" if clip else ""
        self.range.setText(tr_counted(texts.RANGE, frames, first=draft.first, last=draft.last, seconds=seconds, key=draft.key))
        self.painted.show_file(draft.painted)
        self.preset.show_choice(draft.preset)
        self.edit.show_choice(draft.edit)
        if self.out.line.text() != draft.out:
            self.out.line.setText(draft.out)
        self.model.setCurrentText(draft.model)
        self.seed.setValue(min(draft.seed, LARGEST_SEED))
        self.space.setCurrentText(draft.color_space)
        self.send.setEnabled(not draft.missing)

    def say_bad(self, sentence: str) -> None:
        super().say_bad(sentence)
        self.send.setEnabled(not self.draft.missing)


def _centred(form: QWidget) -> QWidget:
    """In the middle of whatever is wider."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.addStretch(1)
    row.addWidget(form, 100)
    row.addStretch(1)
    return holder
