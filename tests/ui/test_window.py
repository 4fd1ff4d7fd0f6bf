"""The window on a real server with a real worker process, from a dropped clip to delivered frames."""

import os
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from PySide6.QtCore import QMimeData, QPoint, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication
from tests.client.saving import paint
from tests.media import numbered_pictures
from tests.ui.conftest import FRAMES, SECONDS

from i2vedit_client.painted import Painted
from i2vedit_client.roundtrip.folder import REST_SECONDS
from i2vedit_client.spec import PropagateOptions, job_spec
from i2vedit_monitor.job.loss_plot import mean_by_chunk
from i2vedit_monitor.link.device_load import Load, read_load
from i2vedit_monitor.model.changes import JobTold, PreviewSeen, Progressed
from i2vedit_monitor.model.facts import Contact, JobFacts, Progress, State
from i2vedit_monitor.viewer.display import unpack
from i2vedit_monitor.viewer.layers import Key, Layer
from i2vedit_monitor.viewer.modes import Mode


def drop(widget, path: Path) -> None:
    """A file comes by the mouse."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place = QPoint(5, 5)
    QApplication.sendEvent(widget, QDragEnterEvent(place, copy, data, left, none))
    QApplication.sendEvent(widget, QDropEvent(place.toPointF(), copy, data, left, none))


def spec(clip: Path, painted: Path, out: Path, seed: int):
    return job_spec(PropagateOptions(clip=str(clip), edits=(Painted(str(painted)),), directory=str(out), seed=seed))


def state_of(window, name: str) -> State | None:
    job = window.session.book.get(name)
    return job.state if job else None


@pytest.fixture
def running(server, window, clip, painted, tmp_path, qtbot):
    """A job that takes its time, chosen in the window."""
    name = server.create(spec(clip, painted, tmp_path / "out", 100)).job.name
    window.queue.choose(name)
    qtbot.waitUntil(lambda: window.job is not None and window.job.progress is not None, timeout=SECONDS)
    return name


def test_a_dropped_clip_goes_all_the_way(server, window, clip, painted, tmp_path, qtbot):
    form = window.new_shot
    drop(window, clip)
    qtbot.waitUntil(lambda: form.draft.clip is not None, timeout=SECONDS)
    assert window.stack.currentWidget() is form and not form.send.isEnabled()
    assert (form.draft.clip.frames, form.strip.last) == (FRAMES, FRAMES - 1)
    form.out.line.setText(str(tmp_path / "out"))
    form.out.line.editingFinished.emit()
    drop(form, painted)
    assert form.send.isEnabled() and form.draft.painted == str(painted)
    qtbot.mouseClick(form.send, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.job is not None and window.job.state is State.SUCCEEDED, timeout=SECONDS)
    assert window.stack.currentWidget() is window.page
    viewer = window.page.viewer
    qtbot.waitUntil(lambda: viewer.shot is not None and len(viewer.shot.sequence.frames) == FRAMES, timeout=SECONDS)
    assert window.session.book.watched(window.job.name).loss.losses, "its learning was seen"
    viewer.set_mode(Mode.DIFFERENCE)
    key = Key(viewer.shot.number, Layer.DIFFERENCE, 0)
    qtbot.waitUntil(lambda: viewer.store.has(key), timeout=SECONDS)
    apart = unpack(viewer.store.get(key).codes)
    assert np.array_equal(apart.max(axis=-1) > 0, _square()), "the plate came from the server, and equals the result outside the matte"


def _square() -> np.ndarray:
    inside = np.zeros((64, 96), bool)
    inside[16:40, 24:56] = True
    return inside


def test_a_job_is_paused_resumed_and_cancelled_from_the_window(window, running, qtbot):
    for action, state in (("pause", State.PAUSED), ("resume", State.RUNNING), ("cancel", State.CANCELLED)):
        qtbot.waitUntil(lambda action=action: window.actions_of_job.actions[action].isEnabled(), timeout=SECONDS)
        window.actions_of_job.actions[action].trigger()
        qtbot.waitUntil(lambda state=state: state_of(window, running) is state, timeout=SECONDS)
    assert not window.actions_of_job.actions["pause"].isVisible()
    assert window.actions_of_job.actions["retry"].isEnabled()


def test_a_killed_server_comes_back_and_the_window_with_it(server, start_server, window, running, qtbot):
    qtbot.waitUntil(lambda: window.session.health.contact is Contact.CONNECTED, timeout=SECONDS)
    server.kill()
    qtbot.waitUntil(lambda: window.session.health.contact is Contact.LOST, timeout=SECONDS)
    assert state_of(window, running) is State.RUNNING, "what was known stays in sight"
    start_server()
    qtbot.waitUntil(lambda: state_of(window, running) is State.SUCCEEDED, timeout=SECONDS)
    assert window.session.health.contact is Contact.CONNECTED


def test_a_server_that_is_told_to_end_is_not_started_again(server, window, qtbot):
    qtbot.waitUntil(lambda: window.session.health.contact is Contact.CONNECTED, timeout=SECONDS)
    server.stop()
    qtbot.waitUntil(lambda: window.session.health.contact is Contact.ENDED, timeout=SECONDS)
    assert window.top.start.isVisible()


def test_the_order_of_waiting_jobs_is_changed(server, window, clip, painted, tmp_path, qtbot):
    longest = server.create(spec(clip, painted, tmp_path / "out", 5000)).job.name
    qtbot.waitUntil(lambda: state_of(window, longest) is State.RUNNING, timeout=SECONDS)
    names = [server.create(spec(clip, painted, tmp_path / "out", seed)).job.name for seed in (2, 3)]
    qtbot.waitUntil(lambda: window.queue.list.row_of(names[1]) == 2, timeout=SECONDS)
    window.actions_of_job.move(names[1], names[0])
    qtbot.waitUntil(lambda: window.queue.list.row_of(names[1]) == 1, timeout=SECONDS)
    window.queue.choose(names[0])
    window.actions_of_job.priorities[3].trigger()
    qtbot.waitUntil(lambda: window.queue.list.row_of(names[0]) == 1, timeout=SECONDS)
    assert server.job(names[0]).priority == 3


def test_a_full_disk_is_a_sentence_that_leads_to_its_folder(server, window, clip, painted, tmp_path, qtbot, monkeypatch):
    opened = []
    monkeypatch.setattr("i2vedit_monitor.doing.job_actions.QDesktopServices.openUrl", lambda url: opened.append(url.toLocalFile()))
    (tmp_path / "out").mkdir()
    window.queue.choose(server.create(spec(clip, painted, tmp_path / "out", 1)).job.name)
    notice = window.page.notice
    qtbot.waitUntil(lambda: len(notice.buttons) == 2, timeout=SECONDS)
    assert "3.1 GB are needed" in notice.sentence.text() and notice.isVisible()
    qtbot.mouseClick(notice.buttons[0], Qt.MouseButton.LeftButton)
    assert opened == [str(tmp_path / "out")]
    assert [button.text() for button in notice.buttons] == ["Open folder", "Try again"]


def test_a_frame_is_exported_painted_and_seen_when_it_is_saved(server, window, clip, painted, tmp_path, qtbot):
    form = window.new_shot
    form.open_clip(str(clip))
    qtbot.waitUntil(lambda: form.draft.clip is not None, timeout=SECONDS)
    form.out.changed.emit(str(tmp_path / "out"))
    with qtbot.waitSignal(form.painting.exported, timeout=SECONDS) as told:
        qtbot.mouseClick(form.paint, Qt.MouseButton.LeftButton)
    path = Path(told.args[0])
    assert path == tmp_path / "out" / "paint" / "shot_frame0000.tif" and path.exists()
    assert not form.draft.painted, "nothing was painted yet"
    qtbot.waitUntil(lambda: any(job.is_preparation for job in window.session.book.jobs()), timeout=SECONDS)
    whole = paint(path, tmp_path / "whole.tif", 0.25).read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    qtbot.wait(int(3000 * REST_SECONDS))
    assert not form.draft.painted, "half a picture is none"
    path.write_bytes(whole)
    qtbot.waitUntil(lambda: bool(form.draft.painted), timeout=SECONDS)
    first = Path(form.draft.painted)
    assert first.read_bytes() == whole and form.send.isEnabled()
    beside = paint(tmp_path / "whole.tif", path.with_suffix(".png"), 0.75)
    qtbot.waitUntil(lambda: form.draft.painted.endswith(".png"), timeout=SECONDS)
    assert Path(form.draft.painted).read_bytes() == beside.read_bytes()
    assert first.read_bytes() == whole, "painting on changes no job that waits"
    form.at.setValue(5)
    paint(tmp_path / "whole.tif", path, 0.5)
    qtbot.waitUntil(lambda: len(list(first.parent.glob("save-*"))) == 3, timeout=SECONDS)
    qtbot.wait(500)
    assert (form.draft.key, form.draft.painted) == (5, ""), "another frame's picture is not taken for this one's"


def test_any_frame_of_the_range_may_be_painted(server, window, clip, tmp_path, qtbot):
    drop(window, clip)
    form = window.new_shot
    qtbot.waitUntil(lambda: form.draft.clip is not None, timeout=SECONDS)
    form.out.changed.emit(str(tmp_path / "out"))
    form.strip.key_chosen.emit(5)
    assert (form.draft.key, form.at.value()) == (5, 5) and "Frame 5" in form.range.text()
    with qtbot.waitSignal(form.painting.exported, timeout=SECONDS) as told:
        qtbot.mouseClick(form.paint, Qt.MouseButton.LeftButton)
    assert Path(told.args[0]).name == "shot_frame0005.tif"
    form.at.setValue(3)
    assert form.draft.key == 3


def test_dropped_pictures_are_chosen_by_their_numbers(server, window, tmp_path, qtbot):
    drop(window, numbered_pictures(tmp_path, 1001, FRAMES).with_name("shot.1003.png"))
    form = window.new_shot
    qtbot.waitUntil(lambda: form.draft.clip is not None, timeout=SECONDS)
    assert (form.draft.first, form.draft.last, form.at.value()) == (1001, 1000 + FRAMES, 1001)
    qtbot.waitUntil(lambda: set(form.strip._pictures) == set(range(1001, 1001 + FRAMES)), timeout=SECONDS)
    form.out.changed.emit(str(tmp_path / "out"))
    qtbot.keyClick(form.strip, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert (form.draft.first, form.draft.last) == (1001, 999 + FRAMES)
    qtbot.keyClick(form.strip, Qt.Key.Key_Right)
    qtbot.keyClick(form.strip, Qt.Key.Key_Right)
    assert (form.draft.first, form.draft.last) == (1002, 1000 + FRAMES)
    form.strip.key_chosen.emit(1004)
    with qtbot.waitSignal(form.painting.exported, timeout=SECONDS) as told:
        qtbot.mouseClick(form.paint, Qt.MouseButton.LeftButton)
    assert Path(told.args[0]).name == "shot_frame1004.tif"
    drop(form, paint(Path(told.args[0]), tmp_path / "painted.tif", 0.5))
    qtbot.mouseClick(form.send, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.job is not None and window.job.state is State.SUCCEEDED, timeout=SECONDS)
    assert (window.job.first, window.job.frames, window.job.keys) == (1002, FRAMES - 1, (1004,))


def test_what_the_server_advises_can_be_chosen_under_advanced(window, qtbot):
    form = window.new_shot
    form.cuts.setCurrentIndex(form.cuts.findData("ignore"))
    form.interlaced.setCurrentIndex(form.interlaced.findData(True))
    form.largest.setText(" 704x384 ")
    assert (form.draft.cuts, form.draft.deinterlace, form.draft.size) == ("ignore", True, "704x384")
    form.say_bad("If it is no cut, give --cuts ignore.")
    assert form.cuts.currentText() in form.said.text() and "--" not in form.said.text()


def a_cut(path: Path, clip: Path, *names: str) -> Path:
    """A timeline that shows frames 2 to 5 of the clip under each of the names."""
    made = otio.schema.Timeline("Cut")
    made.tracks.append(track := otio.schema.Track("V1", kind=otio.schema.TrackKind.Video))
    shown, there = (
        otio.opentime.TimeRange(otio.opentime.RationalTime(first, 24), otio.opentime.RationalTime(length, 24))
        for first, length in ((2, 4), (0, FRAMES))
    )
    track.extend(otio.schema.Clip(name, otio.schema.ExternalReference(clip.as_uri(), there), shown) for name in names)
    otio.adapters.write_to_file(made, str(path))
    return path


def test_a_dropped_timeline_shows_its_clips_and_sends_those_that_are_painted(server, window, clip, painted, tmp_path, qtbot):
    folder = tmp_path / "painted"
    folder.mkdir()
    for name in ("A.png", "B.0003.png"):
        (folder / name).write_bytes(painted.read_bytes())
    drop(window, a_cut(tmp_path / "cut.otio", clip, "A", "B", "C"))
    many = window.many
    qtbot.waitUntil(lambda: many.list.topLevelItemCount() == 3, timeout=SECONDS)
    assert window.stack.currentWidget() is many and not many.send.isEnabled()
    many.out.line.setText(str(tmp_path / "out"))
    many.painted.line.setText(str(folder))
    many.painted.changed.emit(str(folder))
    qtbot.waitUntil(many.send.isEnabled, timeout=SECONDS)
    rows = [[many.list.topLevelItem(row).text(column) for column in range(4)] for row in range(3)]
    assert [row[:3] for row in rows] == [["1", "A", "2–5"], ["2", "B", "2–5"], ["3", "C", ""]]
    assert rows[0][3] == "frame 2" and rows[1][3] == "frame 3" and "double-click" in rows[2][3]
    qtbot.mouseClick(many.send, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(window.session.book) == 2, timeout=SECONDS)
    qtbot.waitUntil(lambda: all(job.state is State.SUCCEEDED for job in window.session.book.jobs()), timeout=SECONDS)
    assert window.stack.currentWidget() is window.page and (tmp_path / "cut_report.csv").exists()


def test_a_clip_of_a_timeline_is_painted_in_the_range_that_it_shows(server, window, clip, tmp_path, qtbot):
    drop(window, a_cut(tmp_path / "cut.otio", clip, "A"))
    qtbot.waitUntil(lambda: window.many.list.topLevelItemCount() == 1, timeout=SECONDS)
    window.many.list.itemActivated.emit(window.many.list.topLevelItem(0), 0)
    qtbot.waitUntil(lambda: window.new_shot.draft.clip is not None, timeout=SECONDS)
    assert (window.new_shot.draft.first, window.new_shot.draft.last) == (2, 5)
    assert window.stack.currentWidget() is window.new_shot


def test_what_is_wrong_with_a_table_is_shown_row_by_row(server, window, clip, painted, tmp_path, qtbot):
    path = tmp_path / "shots.csv"
    path.write_text(f"clip,edited,at,out\n{clip},{painted},,o\n{clip},none.png,,o\n{clip},{painted},99,o\n")
    drop(window, path)
    qtbot.waitUntil(lambda: window.many.list.topLevelItemCount() == 3, timeout=SECONDS)
    said = [window.many.list.topLevelItem(row).text(3) for row in range(3)]
    assert said[0] == "frame 0" and "none.png cannot be read" in said[1] and "Frame 99" in said[2]
    assert window.many.said.text() == "1 of 3 shots can be carried through."


def test_what_is_no_timeline_is_told(server, window, tmp_path, qtbot):
    (tmp_path / "cut.otio").write_text("{}")
    drop(window, tmp_path / "cut.otio")
    qtbot.waitUntil(lambda: "cut.otio" in window.many.said.text() and "Export" in window.many.said.text(), timeout=SECONDS)


def test_without_a_server_the_window_is_there_and_says_so(window, qtbot):
    qtbot.waitUntil(lambda: window.session.health.contact is Contact.LOST, timeout=SECONDS)
    assert window.isVisible() and window.stack.currentWidget() is window.welcome
    window.new_shot.open_clip("/nowhere.mov")
    qtbot.waitUntil(lambda: window.new_shot.said.text() == "There is no server.", timeout=SECONDS)


def test_what_was_chosen_is_there_again(window, tmp_path, qtbot):
    window.page.viewer.set_mode(Mode.MATTE)
    window.new_shot.out.changed.emit("/deliver/here")
    window.close()
    settings = QSettings(str(tmp_path / "monitor.ini"), QSettings.Format.IniFormat)
    assert (settings.value("mode"), settings.value("draft/out")) == ("matte", "/deliver/here")


def test_a_frame_that_is_being_denoised_is_shown_until_it_lands(window, painted, tmp_path, qtbot):
    """As servers send it that show previews; here it is put into the model by hand."""
    window.session.watcher.stop()
    job = JobFacts("jobs/1", State.RUNNING, False, "/shots/a.mov", 0, 8, edited=str(painted))
    window.session.book.take([JobTold(job)])
    viewer = window.page.viewer
    qtbot.waitUntil(lambda: viewer.shot is not None and viewer.is_shown, timeout=SECONDS)
    assert viewer.mode is Mode.EDITED, "what was painted, while nothing else is there"
    viewer.set_mode(Mode.RESULT)
    viewer.seek(3)
    picture = QImage(96, 64, QImage.Format.Format_RGB32)
    picture.fill(0xFF12C845)
    assert picture.save(str(tmp_path / "preview.png"))
    window.session.book.take([PreviewSeen("jobs/1", 3, 0, 7, (tmp_path / "preview.png").read_bytes())])
    middle = viewer.canvas.rect().center()
    assert viewer.canvas.grab().toImage().pixelColor(middle).name() == "#12c845"


def test_keys_of_the_viewer_are_its_own_page_s(window, clip, qtbot):
    window.session.watcher.stop()
    window.session.book.take([JobTold(JobFacts("jobs/1", State.QUEUED, False, "/shots/a.mov", 0, 8))])
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_6)
    assert window.page.viewer.mode is Mode.MATTE
    window.begin_new()
    qtbot.keyClick(window, Qt.Key.Key_3)
    assert window.page.viewer.mode is Mode.MATTE
    qtbot.mouseClick(window.queue.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, 20))
    assert window.stack.currentWidget() is window.page, "the job that is chosen already comes back into sight"


def test_the_mean_of_the_losses_begins_anew_with_each_chunk():
    means = mean_by_chunk(np.arange(6), np.array([4.0, 2.0, 0.0, 9.0, 7.0, 5.0]), [3])
    assert means[:3].tolist() == [4, 3, 2] and np.isnan(means[3]) and means[4:].tolist() == [8, 7]


def test_a_card_says_how_busy_it_is(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '63, 11468, 24564'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert read_load() == Load(63, 11468 * 2**20, 24564 * 2**20)
    tool.write_text("#!/bin/sh\necho 'No devices were found'\n")
    assert read_load() is None


def test_an_event_is_shown_in_its_own_row_and_leaves_the_others_alone(window, qtbot):
    """How long the window's thread works on it at most, `benchmarks/monitor.py` measures."""
    window.session.watcher.stop()
    jobs = [JobFacts(f"jobs/{number}", State.QUEUED, False, f"/shots/{number}.mov", 0, 50, position=number) for number in range(200)]
    window.session.book.take([JobTold(job) for job in jobs])
    qtbot.waitUntil(lambda: window.queue.list.rowCount() == len(jobs), timeout=SECONDS)
    window.queue.choose("jobs/70")
    touched: list[tuple[int, int]] = []
    window.queue.list.dataChanged.connect(lambda first, last, *_: touched.append((first.row(), last.row())))
    window.queue.list.modelReset.connect(lambda: pytest.fail("the whole list was laid out anew"))
    for step in range(20):
        window.session.pump.put(Progressed("jobs/70", Progress("train", 0, 2, step, 100, 0.3, 60.0)))
    qtbot.waitUntil(lambda: window.session.pump.is_idle and bool(touched), timeout=SECONDS)
    row = window.queue.list.row_of("jobs/70")
    assert set(touched) == {(row, row)}
    assert len(touched) < 20, "what comes together is shown together"
    assert window.job.progress.step == 19
