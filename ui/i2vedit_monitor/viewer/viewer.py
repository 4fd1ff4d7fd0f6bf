"""The viewer as a whole: one job's pictures, played, compared and measured."""

from fractions import Fraction

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from i2vedit_monitor import texts
from i2vedit_monitor.link.calls import Calls
from i2vedit_monitor.model.facts import JobFacts
from i2vedit_monitor.texts import tr
from i2vedit_monitor.viewer.canvas import Canvas
from i2vedit_monitor.viewer.clock import Clock
from i2vedit_monitor.viewer.controls import LookStrip, Transport
from i2vedit_monitor.viewer.display import Rgb32, views
from i2vedit_monitor.viewer.frame_store import FrameStore, Picture
from i2vedit_monitor.viewer.layers import Key, Layer, NotThereYetError, Shot
from i2vedit_monitor.viewer.modes import Mode
from i2vedit_monitor.viewer.opening import Opened, open_job, plate_space
from i2vedit_monitor.viewer.plates import Plates
from i2vedit_monitor.viewer.pointer import Pointer
from i2vedit_monitor.viewer.reading_ahead import BYTES_PER_PIXEL, in_turn, stride_for, wanted_keys
from i2vedit_monitor.viewer.readout import timecode_at
from i2vedit_monitor.viewer.scrubber import Scrubber
from i2vedit_monitor.viewer.sequence import Sequence, open_sequence

PLATES_AHEAD = 48
"""So many frames of the plate are fetched beyond the one that is looked at."""


class Viewer(QWidget):
    """Shows one job. Everything is read in threads; what is not there yet leaves the last picture standing."""

    troubled = Signal(str)
    """A sentence for people."""

    def __init__(self, calls: Calls) -> None:
        super().__init__()
        self._calls = calls
        self._job: JobFacts | None = None
        self._shot: Shot | None = None
        self._number = 0
        self._frame = 0
        self._mode = Mode.RESULT
        self._view = views()[0]
        self._preview: QImage | None = None
        self.store = FrameStore(self._load)
        self.store.arrived.connect(self._arrived)
        self.plates = Plates(calls)
        self.plates.arrived.connect(self._plate_arrived)
        self.plates.failed.connect(self.troubled)
        self.clock = Clock(self._advance)
        self._build()
        self.pointer = Pointer(self.canvas, calls, self._looked_at)
        self.clear()

    def _build(self) -> None:
        self.canvas, self.look = Canvas(), LookStrip(views())
        self.scrubber = Scrubber(self._is_ready)
        self.transport = Transport(self.scrubber)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.look)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.transport)
        self.transport.loop.setChecked(True)
        self.transport.pin.toggled.connect(lambda _: self._paint())
        self.transport.fit.clicked.connect(self.canvas.fit)
        for button, action in {
            self.transport.first: self.to_first,
            self.transport.back: lambda: self.step(-1),
            self.transport.play: self.toggle_play,
            self.transport.forward: lambda: self.step(1),
            self.transport.last: self.to_last,
        }.items():
            button.clicked.connect(action)
        self.look.mode_chosen.connect(self.set_mode)
        self.look.below_chosen.connect(self.set_below)
        self.look.view_chosen.connect(self.set_view)
        self.scrubber.chosen.connect(self.seek)
        self.canvas.zoomed.connect(lambda _: self._ask())
        self.canvas.pin_pressed.connect(lambda: self.set_mode(Mode.EDITED))
        self.clock.rate_measured.connect(lambda rate: self.transport.rate.setText(tr(texts.FPS, rate=f"{rate:.1f}")))
        self.clock.stopped.connect(self._stopped)

    # What is looked at.

    def show_job(self, job: JobFacts | None) -> None:
        """Another job, or news of the same one."""
        if job is None:
            self.clear()
            return
        same = self._job is not None and self._job.name == job.name
        has_folder_now = same and self._job is not None and self._job.directory != job.directory
        self._job = job
        if not same:
            self.clear(tr(texts.NOTHING_DELIVERED if job.state.ended else texts.NOTHING_YET))
            self._job = job
        if not same or has_folder_now or (self._shot is None and job.directory):
            self._calls.do(lambda: open_job(job), lambda opened: self._opened(job.name, opened))

    def clear(self, message: str = "") -> None:
        self.clock.stop()
        self._job = self._shot = self._preview = None
        self.store.want([])
        self.store.forget(lambda _: False)
        self.canvas.clear(message)
        self.scrubber.set_range(0, 0, frozenset(), ())
        self.transport.place.setText("")
        self.setEnabled(False)

    def frames_landed(self, frames: list[int]) -> None:
        """Frames of the shown job lie under their final names."""
        job, shot = self._job, self._shot
        if job is None:
            return
        if shot is None or not shot.sequence.frames:
            self._calls.do(lambda: open_job(job), lambda opened: self._opened(job.name, opened))
            return
        self.store.retry()
        self._replace(sequence=shot.sequence.having(frames), number=shot.number)

    def show_preview(self, picture: QImage | None) -> None:
        """A frame that is being denoised; shown while the frame itself is not there."""
        self._preview = picture
        self._paint()

    def _opened(self, name: str, opened: Opened | None) -> None:
        if self._job is None or self._job.name != name:
            return
        if opened is None:
            if self._job.delivered:
                self.canvas.clear(tr(texts.ELSEWHERE, folder=self._job.directory))
            return
        sequence, first_time = opened.sequence, self._shot is None
        self._number += 1
        self._shot = Shot(self._number, sequence, self._view, plates=opened.plates, plate_space=sequence.space, edited=opened.edited)
        self.setEnabled(True)
        self.clock.set_rate(sequence.rate)
        self.canvas.set_size(sequence.width, sequence.height, sequence.pixel_aspect)
        if first_time:
            self._frame = self._job.first
        self.set_mode(Mode.EDITED if not sequence.frames else Mode.RESULT if self._mode is Mode.EDITED and first_time else self._mode)
        self._learn_plate_space(self._job, sequence)

    def _learn_plate_space(self, job: JobFacts, sequence: Sequence) -> None:
        def learnt(space: str) -> None:
            if self._shot is not None and self._shot.sequence.folder == sequence.folder and space != self._shot.plate_space:
                self._replace(plate_space=space)

        if job.color_space != "match":
            self._calls.ask(lambda client: plate_space(job, sequence, client), learnt)

    def _replace(self, **changes: object) -> None:
        """Another look at the same job: pictures of the earlier one are not used any more, unless the number stays."""
        if self._shot is None:
            return
        if "number" not in changes:
            self._number += 1
        fields = {field: getattr(self._shot, field) for field in Shot.__dataclass_fields__}
        self._shot = Shot(**{**fields, "number": self._number, **changes})
        if "number" not in changes:
            number = self._number
            self.store.forget(lambda key: key.shot == number)
        self._ask()

    # How it is looked at.

    @property
    def mode(self) -> Mode:
        return self._mode

    @property
    def frame(self) -> int:
        return self._frame

    @property
    def shot(self) -> Shot | None:
        return self._shot

    @property
    def is_shown(self) -> bool:
        """Whether the picture that is looked at is read, in full, or cannot be had."""
        keys = self._keys(self._frame, 1)
        return all(self.store.has(key) or self.store.is_missing(key) for key in keys)

    def set_mode(self, mode: Mode) -> None:
        self._mode = self.canvas.mode = mode
        self.look.show_mode(mode)
        below = self.look.below.currentText()
        self.canvas.set_labels(tr(texts.MODES["result"]), below)
        self._ask()

    def set_below(self, folder: str) -> None:
        """Compares with another version, or with the plate (empty)."""
        if not folder:
            self._replace(below=None)
        else:
            self._calls.do(lambda: open_sequence(folder), lambda found: self._replace(below=found))
        self.canvas.set_labels(tr(texts.MODES["result"]), self.look.below.currentText())

    def set_view(self, view: str) -> None:
        self._view = view
        self._replace(view=view)

    def set_versions(self, versions: list[tuple[str, str]]) -> None:
        self.look.show_versions(versions)

    # Where in time.

    def seek(self, frame: int) -> None:
        self._frame = frame
        self._ask()

    def step(self, by: int) -> None:
        self.clock.stop()
        self.seek(self._next(by))

    def to_first(self) -> None:
        if self._shot is not None and self._shot.sequence.frames:
            self.seek(self._shot.sequence.frames[0])

    def to_last(self) -> None:
        if self._shot is not None and self._shot.sequence.frames:
            self.seek(self._shot.sequence.frames[-1])

    def toggle_play(self) -> None:
        if self.clock.is_running:
            self.clock.stop()
        elif self._shot is not None and len(self._shot.sequence.frames) > 1:
            if self._mode is Mode.EDITED:
                self.set_mode(Mode.RESULT)
            self.transport.show_playing(True)
            self.canvas.smooth = False
            self.canvas.set_readout([])
            self.clock.start()

    def _stopped(self) -> None:
        self.transport.show_playing(False)
        self.transport.rate.setText("")
        self.canvas.smooth = True
        self._ask()

    def _next(self, by: int) -> int:
        frames = self._shot.sequence.frames if self._shot else ()
        if not frames:
            return self._frame
        here = min(range(len(frames)), key=lambda place: abs(frames[place] - self._frame))
        return frames[(here + by) % len(frames)]

    def _advance(self) -> bool:
        following = self._next(1)
        if following <= self._frame and not self.transport.loop.isChecked():
            self.clock.stop()
            return False
        if not self._is_ready(following):
            self._ask_keys(following)
            return False
        self._frame = following
        self._ask()
        return True

    # Reading.

    def _load(self, key: Key) -> Rgb32:
        shot = self._shot
        if shot is None or shot.number != key.shot:
            raise NotThereYetError(key)
        return shot.load(key)

    def _stride(self) -> int:
        return stride_for(self.canvas.sharpness())

    def _keys(self, frame: int, stride: int) -> list[Key]:
        number = self._shot.number if self._shot else 0
        return [Key(number, layer, 0 if layer is Layer.EDITED else frame, stride) for layer in self._mode.layers]

    def _is_ready(self, frame: int) -> bool:
        return all(self.store.has(key) for key in self._keys(frame, self._stride()))

    def _ask(self) -> None:
        """Has read what is looked at and what comes next, and paints what is there."""
        if self._shot is None:
            return
        self._ask_keys(self._frame)
        self._paint()

    def _ask_keys(self, frame: int) -> None:
        assert self._shot is not None
        sequence, stride = self._shot.sequence, self._stride()
        frames = tuple(in_turn(sequence.frames or (frame,), frame))
        size = sequence.width * sequence.height * BYTES_PER_PIXEL // stride**2
        keys = wanted_keys(self._shot.number, self._mode, iter(frames), stride, max(self.store.capacity // max(size, 1) - 8, 4))
        # A picture that stands still is shown in full.
        sharp = [] if self.clock.is_running or stride == 1 else self._keys(frame, 1)
        pinned = [Key(self._shot.number, Layer.EDITED, 0)] if self.transport.pin.isChecked() and self._shot.edited else []
        self.store.want([*keys[: len(self._mode.layers)], *sharp, *pinned, *keys[len(self._mode.layers) :]])
        folder = self._shot.plates
        if self._job is not None and folder is not None and (self._mode.needs_below or sequence.is_patch) and self._shot.below is None:
            self.plates.want(self._job.clip, self._job.video_stream, folder, frames[:PLATES_AHEAD])

    def _arrived(self, key: Key) -> None:
        if self._shot is not None and key.shot == self._shot.number:
            if key.frame == self._frame or key.layer is Layer.EDITED:
                self._paint()
            self.scrubber.update()

    def _plate_arrived(self, clip: str, frame: int) -> None:
        self.store.retry()

    # Painting.

    def _picture(self, layer: Layer) -> Picture | None:
        assert self._shot is not None
        frame = 0 if layer is Layer.EDITED else self._frame
        for stride in dict.fromkeys((1, self._stride()) if not self.clock.is_running else (self._stride(), 1)):
            picture = self.store.get(Key(self._shot.number, layer, frame, stride))
            if picture is not None:
                return picture
        return None

    def _paint(self) -> None:
        if self._shot is None:
            return
        sequence, job = self._shot.sequence, self._job
        pictures = [self._picture(layer) for layer in self._mode.layers]
        main = pictures[0].image if pictures[0] else None
        if main is None and self._preview is not None and self._frame not in sequence.frames:
            main = self._preview
        self.canvas.show_pictures(main, pictures[1].image if len(pictures) > 1 and pictures[1] else None)
        pinned = self._picture(Layer.EDITED) if self.transport.pin.isChecked() else None
        self.canvas.set_pinned(pinned.image if pinned else None)
        if job is not None:
            last = job.first + job.frames - 1 if job.frames else (sequence.frames or (job.first,))[-1]
            self.scrubber.set_range(job.first, last, frozenset(sequence.frames), job.keys)
        self.scrubber.set_frame(self._frame)
        self.transport.place.setText(self._place_words(sequence.rate))

    def _place_words(self, rate: Fraction) -> str:
        assert self._shot is not None
        first = self._shot.sequence.frames[0] if self._shot.sequence.frames else self._frame
        code = timecode_at(self._shot.sequence.timecode, self._frame - first, rate)
        return f"{code}  {self._frame}" if code else str(self._frame)

    def _looked_at(self) -> tuple[Shot, int] | None:
        return None if self._shot is None or self.clock.is_running else (self._shot, self._frame)

    def close_threads(self) -> None:
        self.clock.stop()
        self.store.close()
