"""What the viewer shows, compared with the files."""

from fractions import Fraction
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtWidgets import QApplication
from tests.ui.standin_pictures import SPACE, SQUARE, write_frame

from i2vedit_monitor.viewer.canvas import Canvas
from i2vedit_monitor.viewer.clock import Clock
from i2vedit_monitor.viewer.display import DISPLAY, OCIO_CONFIG, TONED, UNTONED, DisplayTransform, unpack
from i2vedit_monitor.viewer.frame_store import FrameStore
from i2vedit_monitor.viewer.layers import Key, Layer, NotThereYetError, Shot, read_channels
from i2vedit_monitor.viewer.modes import Mode
from i2vedit_monitor.viewer.reading_ahead import in_turn, stride_for, wanted_keys
from i2vedit_monitor.viewer.readout import timecode_at
from i2vedit_monitor.viewer.sequence import open_sequence

WIDTH, HEIGHT, FRAMES = 96, 64, 4
MARGIN = 12
"""Of the canvas round the picture."""


@pytest.fixture
def folder(tmp_path):
    """A delivered sequence, and its plate beside it, both of grain."""
    made, plates = tmp_path / "shot_v001", tmp_path / "plates"
    made.mkdir()
    plates.mkdir()
    draw = np.random.default_rng(3)
    for frame in range(10, 10 + FRAMES):
        plate = draw.random((HEIGHT, WIDTH, 3), np.float32)
        write_frame(made / f"shot_v001.{frame:04}.exr", plate, SQUARE, rate=(24000, 1001))
        spec = oiio.ImageSpec(WIDTH, HEIGHT, 3, oiio.FLOAT)
        output: Any = oiio.ImageOutput.create(str(plates / f"{frame}.exr"))
        assert output.open(str(plates / f"{frame}.exr"), spec) and output.write_image(plate) and output.close()
    return made


@pytest.fixture
def shot(folder) -> Shot:
    sequence = open_sequence(folder)
    assert sequence is not None
    return Shot(1, sequence, UNTONED, plates=folder.parent / "plates", plate_space=SPACE)


def expected(path, space: str = SPACE, view: str = UNTONED) -> np.ndarray:
    """`[H, W, 3]` screen codes by OpenImageIO alone, from the file's values as half floats."""
    picture = oiio.ImageBuf(str(path))
    halves = np.asarray(picture.get_pixels(oiio.HALF))[..., :3].astype(np.float32)
    source = oiio.ImageBuf(np.ascontiguousarray(halves))
    screen: Any = oiio.ImageBufAlgo.ociodisplay(source, DISPLAY, view, fromspace=space, unpremult=False, colorconfig=OCIO_CONFIG)
    codes: np.ndarray = np.rint(np.clip(screen.get_pixels(oiio.FLOAT), 0, 1) * 255).astype(np.int16)
    return codes


def test_a_sequence_is_described_by_its_header(folder):
    sequence = open_sequence(folder)
    assert sequence is not None
    assert sequence.frames == (10, 11, 12, 13) and (sequence.width, sequence.height) == (WIDTH, HEIGHT)
    assert sequence.rate == Fraction(24000, 1001) and sequence.space == SPACE
    assert sequence.has_matte and sequence.timecode == "01:00:00:00"
    assert open_sequence(folder / "nowhere") is None


@pytest.mark.parametrize("space", [SPACE, "ACEScg", "sRGB Encoded Rec.709 (sRGB)"])
@pytest.mark.parametrize("view", [UNTONED, TONED])
def test_the_screen_gets_what_ocio_says(folder, space, view):
    path = folder / "shot_v001.0010.exr"
    pixels, _ = read_channels(path)
    transform = DisplayTransform(space, view)
    assert transform.is_table == (view == UNTONED and space != "ACEScg")
    apart = np.abs(unpack(transform(np.ascontiguousarray(pixels[..., :3]))) - expected(path, space, view))
    assert apart.max() <= 1 and (apart > 0).mean() < 0.002, "only where rounding falls the other way"


def test_what_is_no_number_is_shown_as_something(dressed):
    odd = np.array([[[np.nan, np.inf, -np.inf], [65504, -1, 0]]], np.float16)
    assert unpack(DisplayTransform(SPACE, UNTONED)(odd))[0].tolist() == [[0, 255, 0], [255, 0, 0]]


def test_outside_the_matte_the_difference_is_black_and_inside_it_is_not(shot):
    apart = unpack(shot.load(Key(1, Layer.DIFFERENCE, 10)))
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[SQUARE] = True
    assert apart[~inside].max() == 0
    assert (apart[inside].max(axis=-1) > 0).mean() > 0.9


def test_the_matte_lies_in_red_over_the_result(shot):
    result, matte = (unpack(shot.load(Key(1, layer, 11))) for layer in (Layer.RESULT, Layer.MATTE))
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[SQUARE] = True
    assert np.array_equal(result[~inside], matte[~inside])
    assert (matte[inside][:, 0] - matte[inside][:, 1]).mean() > (result[inside][:, 0] - result[inside][:, 1]).mean() + 60


def test_a_pixel_is_told_with_the_values_of_the_files(shot, folder):
    pixels, _ = read_channels(folder / "shot_v001.0012.exr")
    found = shot.values(12, 30, 20)
    assert found[Layer.RESULT] == pytest.approx([*pixels[20, 30, :3].astype(float), 1.0])
    plate = np.asarray(oiio.ImageBuf(str(shot.below_path(12))).get_pixels(oiio.FLOAT))[20, 30]
    assert found[Layer.BELOW] == pytest.approx(plate.tolist())
    assert shot.values(12, WIDTH, 0) == {}


@pytest.fixture
def store(shot, dressed):
    made = FrameStore(shot.load)
    yield made
    made.close()


def test_pictures_arrive_from_threads_the_urgent_ones_first(store, qtbot):
    keys = [Key(1, Layer.RESULT, frame) for frame in (12, 10, 11)]
    with qtbot.waitSignals([store.arrived] * 3, timeout=20_000):
        store.want(keys)
    assert all(store.get(key) is not None for key in keys)


def test_the_cache_keeps_its_bound_and_what_is_wanted_most(shot, dressed, qtbot):
    room = 2 * WIDTH * HEIGHT * 4
    store = FrameStore(shot.load, capacity=room, threads=1)
    keys = [Key(1, Layer.RESULT, frame) for frame in (10, 11, 12, 13)]
    with qtbot.waitSignals([store.arrived] * 2, timeout=20_000):
        store.want(keys)
    with qtbot.waitSignals([store.arrived] * 2, timeout=20_000):
        store.want(keys[2:])
    assert store.byte_count <= room
    assert [store.has(key) for key in keys] == [False, False, True, True]
    store.close()


def test_a_file_that_lands_later_is_read_then(shot, folder, dressed, qtbot):
    store = FrameStore(shot.load)
    late, key = folder / "shot_v001.0020.exr", Key(1, Layer.RESULT, 20)
    store.want([key])
    qtbot.waitUntil(lambda: store.is_missing(key), timeout=20_000)
    late.write_bytes((folder / "shot_v001.0010.exr").read_bytes())
    with qtbot.waitSignal(store.arrived, timeout=20_000):
        store.retry()
    store.close()


def screen(widget) -> np.ndarray:
    """`[H, W, 3]` of what a widget paints."""
    picture = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    codes = np.frombuffer(picture.constBits(), np.uint32).reshape(picture.height(), picture.bytesPerLine() // 4)
    return unpack(codes[:, : picture.width()])


@pytest.fixture
def canvas(shot, store, qtbot):
    """Just so large that a fitted picture has its own size, with frame 10 and its plate."""
    made = Canvas()
    qtbot.addWidget(made)
    made.setMinimumSize(1, 1)
    made.resize(WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    made.set_size(WIDTH, HEIGHT)
    keys = [Key(1, Layer.RESULT, 10), Key(1, Layer.BELOW, 10)]
    store.want(keys)
    qtbot.waitUntil(lambda: all(store.has(key) for key in keys), timeout=20_000)
    pictures = [store.get(key) for key in keys]
    made.show_pictures(*(picture.image for picture in pictures))
    yield made


def test_a_wipe_has_the_plate_left_and_the_result_right_to_the_pixel(canvas, folder, shot):
    canvas.mode = Mode.WIPE
    plate, result = expected(shot.below_path(10)), expected(folder / "shot_v001.0010.exr")
    assert np.abs(plate - result)[SQUARE].max() > 20, "or the two could be the wrong way round"
    for part, whole in ((0.1, result), (0.9, plate)):
        canvas.set_wipe(part)
        seen = screen(canvas)[MARGIN : MARGIN + HEIGHT, MARGIN : MARGIN + WIDTH]
        # All but the ends, of which one has the line with its handle.
        assert np.abs(seen - whole)[:, 24:72].max() <= 1


def test_a_picture_at_its_own_size_is_the_file_to_the_pixel(canvas, folder):
    seen = screen(canvas)[MARGIN : MARGIN + HEIGHT, MARGIN : MARGIN + WIDTH]
    assert np.abs(seen - expected(folder / "shot_v001.0010.exr")).max() <= 1


def point_at(widget, place: QPoint) -> None:
    """The cursor comes to a place of the widget."""
    none, at = Qt.MouseButton.NoButton, place.toPointF()
    event = QMouseEvent(QEvent.Type.MouseMove, at, widget.mapToGlobal(at), none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def test_the_wipe_follows_the_hand_and_the_pixel_under_it_is_told(canvas, qtbot):
    canvas.mode = Mode.WIPE
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(MARGIN + 24, 30))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(MARGIN + 24, 30))
    assert canvas.wipe == pytest.approx(24 / WIDTH, abs=0.01)
    with qtbot.waitSignal(canvas.pointed) as told:
        point_at(canvas, QPoint(MARGIN + 50, MARGIN + 20))
    assert told.args == [50, 20]


def test_zooming_keeps_the_point_under_the_cursor(canvas, qtbot):
    canvas.to_pixels()
    assert canvas.sharpness() == 1
    place = QPoint(MARGIN + 40, MARGIN + 10)
    canvas.zoom_by(8, place.toPointF())
    with qtbot.waitSignal(canvas.pointed) as told:
        point_at(canvas, place)
    assert told.args == [40, 10]
    canvas.fit()
    assert canvas.zoom == pytest.approx(1.0)


def test_frames_are_read_in_the_direction_of_play_round_the_end():
    assert list(in_turn((3, 4, 5, 6), 5)) == [5, 6, 3, 4]
    assert list(in_turn((3, 4, 5, 6), 5, -1)) == [5, 4, 3, 6]
    keys = wanted_keys(1, Mode.WIPE, in_turn((3, 4, 5), 4), 1, 4)
    assert [(key.frame, key.layer) for key in keys] == [(4, "result"), (4, "below"), (5, "result"), (5, "below")]
    assert [stride_for(sharpness) for sharpness in (2.0, 1.0, 0.5, 0.2)] == [1, 1, 2, 4]


def test_the_clock_keeps_the_rate_and_waits_for_what_is_not_read(dressed, qtbot):
    shown, ready = [], [True]

    def advance() -> bool:
        if ready[0]:
            shown.append(1)
        return ready[0]

    clock = Clock(advance)
    clock.set_rate(Fraction(50))
    clock.start()
    qtbot.wait(600)
    kept = len(shown)
    ready[0] = False
    qtbot.wait(100)
    clock.stop()
    assert 3 <= kept <= 32, "never faster than the rate, whatever else the machine does"
    assert len(shown) == kept


@pytest.mark.parametrize(
    ("start", "frames", "rate", "then"),
    [
        ("01:00:00:00", 25, Fraction(24), "01:00:01:01"),
        ("23:59:59:23", 1, Fraction(24), "00:00:00:00"),
        ("00:00:59;28", 2, Fraction(30000, 1001), "00:01:00;02"),
        ("00:09:59;29", 1, Fraction(30000, 1001), "00:10:00;00"),
        ("", 3, Fraction(24), ""),
    ],
)
def test_timecode_counts_as_the_header_does(start, frames, rate, then):
    assert timecode_at(start, frames, rate) == then


def test_a_missing_plate_is_no_error(shot):
    with pytest.raises(NotThereYetError):
        shot.load(Key(1, Layer.BELOW, 99))
