"""Measures the window: how soon it is up, with 10,000 jobs, under events, over a long day, and how fast the viewer reads.

    python benchmarks/monitor.py [--jobs 10000] [--frames 48] [--out docs/performance/monitor.md]

Runs without a screen. Each figure is given by the wall clock and by the processor time of the window's process, since a busy machine
stretches the first and not the second.
"""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import OpenImageIO as oiio
import psutil
from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from i2vedit_client.client import Client
from i2vedit_monitor.app import make_app
from i2vedit_monitor.link.place import Place
from i2vedit_monitor.model.changes import AllTold, Change, FrameLanded, JobTold, Progressed
from i2vedit_monitor.model.facts import JobFacts, Progress, State
from i2vedit_monitor.session import Session
from i2vedit_monitor.viewer.display import UNTONED
from i2vedit_monitor.viewer.frame_store import FrameStore
from i2vedit_monitor.viewer.layers import Key, Layer, Shot
from i2vedit_monitor.viewer.sequence import open_sequence
from i2vedit_monitor.window import MonitorWindow

MEGABYTE = 1e6
SOAK_EVENTS, SOAK_JOBS = 100_000, 1_000
WARM_EVENTS = 20_000
WATCH_SECONDS = 5.0
HD = (1920, 1080)


@dataclass(frozen=True)
class Figure:
    """A row of the page."""

    what: str
    wanted: str
    wall: str
    processor: str = ""


class Stopwatch:
    """Seconds by the wall clock and of this process."""

    def __init__(self) -> None:
        self._wall, self._own = time.perf_counter(), time.process_time()

    def both(self) -> tuple[float, float]:
        return time.perf_counter() - self._wall, time.process_time() - self._own


def nowhere() -> Place:
    """A place where no server is."""

    def find() -> Client | None:
        return None

    def connect() -> Client:
        raise ConnectionError("no server is asked for here")

    return Place(connect, find)


def open_window(folder: Path) -> MonitorWindow:
    session = Session(nowhere(), start_server=False)
    window = MonitorWindow(session, QSettings(str(folder / "monitor.ini"), QSettings.Format.IniFormat))
    window.show()
    return window


def until(condition: Callable[[], bool], seconds: float = 600.0) -> None:
    """Lets Qt work until the condition holds. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(condition)
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        time.sleep(0.001)  # or this loop would be what is measured


def jobs(count: int) -> Iterator[JobFacts]:
    for number in range(count):
        state = State.QUEUED if number < 20 else State.SUCCEEDED if number % 7 else State.FAILED
        yield JobFacts(f"jobs/{number:05}", state, False, f"/shots/sc{number:05}.mov", 0, 96, position=number, ended=float(number))


def window_up(folder: Path) -> list[Figure]:
    watch = Stopwatch()
    make_app()
    window = open_window(folder)
    QApplication.processEvents()
    wall, own = watch.both()
    window.close()
    return [Figure("window up, without a server (imports beside)", "< 2 s", f"{wall:.2f} s", f"{own:.2f} s")]


def many_jobs(folder: Path, count: int) -> list[Figure]:
    watch = Stopwatch()
    window = open_window(folder)
    told: list[Change] = [*(JobTold(job) for job in jobs(count)), AllTold(frozenset(job.name for job in jobs(count)))]
    for change in told:
        window.session.pump.put(change)
    until(lambda: window.queue.list.rowCount() == count and window.session.pump.is_idle)
    wall, own = watch.both()
    window.close()
    return [Figure(f"window up with {count:,} jobs listed", "< 3 s", f"{wall:.2f} s", f"{own:.2f} s")]


def held_up(folder: Path) -> list[Figure]:
    """The longest piece of work of the window's thread between two beats of a watchdog, at 20 events a second."""
    window = open_window(folder)
    window.session.book.take([JobTold(job) for job in jobs(500)])
    window.queue.choose("jobs/00000")
    steps = iter(range(10**6))
    worst, last = [0.0, 0.0], [time.perf_counter(), time.thread_time()]

    def event() -> None:
        step = next(steps)
        window.session.pump.put(Progressed("jobs/00000", Progress("train", step // 200, 4, step % 200, 200, 1 / (step + 1), 90.0)))

    def watch() -> None:
        now = [time.perf_counter(), time.thread_time()]
        worst[:] = [max(worst[0], now[0] - last[0]), max(worst[1], now[1] - last[1])]
        last[:] = now

    event()
    event()
    until(lambda: window.session.pump.is_idle)
    for _ in range(50):
        QApplication.processEvents()
    beat, feed = QTimer(interval=2), QTimer(interval=50)
    beat.timeout.connect(watch)
    feed.timeout.connect(event)
    last[:] = [time.perf_counter(), time.thread_time()]
    beat.start()
    feed.start()
    end = time.monotonic() + WATCH_SECONDS
    until(lambda: time.monotonic() > end)
    window.close()
    return [
        Figure("longest hold of the window's thread, 20 events a second", "< 50 ms", f"{worst[0] * 1e3:.0f} ms", f"{worst[1] * 1e3:.0f} ms")
    ]


def day_events(count: int) -> Iterator[Change]:
    """As a day brings them: jobs come, learn, deliver and end, one after the other."""
    for number in range(count):
        name, step = f"jobs/{number // (SOAK_EVENTS // SOAK_JOBS) % SOAK_JOBS:05}", number % (SOAK_EVENTS // SOAK_JOBS)
        base = JobFacts(name, State.RUNNING, False, f"/shots/{name[5:]}.mov", 0, 24, started=float(number))
        if step == 0:
            yield JobTold(base)
        elif step < 80:
            yield Progressed(name, Progress("train", 0, 1, step, 80, 1 / step, 60.0))
        elif step < 99:
            yield FrameLanded(name, step - 80, f"/out/{name[5:]}/{step}.exr")
        else:
            yield JobTold(JobFacts(name, State.SUCCEEDED, False, f"/shots/{name[5:]}.mov", 0, 24, ended=float(number)))


def soak(folder: Path) -> list[Figure]:
    window = open_window(folder)
    process = psutil.Process()

    def run(events: Iterator[Change]) -> int:
        for number, change in enumerate(events):
            window.session.pump.put(change)
            if number % 500 == 499:
                until(lambda: window.session.pump.is_idle)
        until(lambda: window.session.pump.is_idle)
        gc.collect()
        return int(process.memory_info().rss)

    window.session.book.take([JobTold(job) for job in jobs(SOAK_JOBS)])
    run(day_events(WARM_EVENTS))
    watch, before = Stopwatch(), int(process.memory_info().rss)
    grown = run(day_events(SOAK_EVENTS)) - before
    wall, own = watch.both()
    window.close()
    what = f"memory grown over {SOAK_EVENTS:,} events of {SOAK_JOBS:,} jobs"
    return [Figure(what, "< 10 MB", f"{grown / MEGABYTE:.1f} MB"), Figure("the same, time", "", f"{wall:.1f} s", f"{own:.1f} s")]


def write_sequence(folder: Path, frames: int) -> None:
    """1080p, half, ZIP, five channels, with the grain that a plate has."""
    width, height = HD
    draw = np.random.default_rng(1)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    smooth = np.stack([x / width, y / height, (x + y) / (width + height)], axis=2)
    spec = oiio.ImageSpec(width, height, 5, oiio.HALF)
    spec.channelnames = ("R", "G", "B", "A", "matte.A")
    spec.attribute("compression", "zip")
    spec.attribute("i2vedit/colorspace", "Gamma 2.4 Encoded Rec.709")
    matte = ((x - width / 2) ** 2 + (y - height / 2) ** 2 < 300**2).astype(np.float32)[..., None]
    for frame in range(frames):
        grain = np.rint((smooth + draw.normal(0, 0.01, smooth.shape)) * 255).astype(np.float32) / 255
        output: Any = oiio.ImageOutput.create("x.exr")
        path = str(folder / f"{folder.name}.{frame:04}.exr")
        pixels = np.concatenate([grain, np.ones_like(matte), matte], axis=2).astype(np.float32)
        if not (output.open(path, spec) and output.write_image(pixels) and output.close()):
            raise OSError(output.geterror())


def viewer(folder: Path, frames: int) -> list[Figure]:
    place = folder / "hd_v001"
    place.mkdir()
    write_sequence(place, frames)
    sequence = open_sequence(place)
    assert sequence is not None
    shot = Shot(1, sequence, UNTONED)
    shot.load(Key(1, Layer.RESULT, 0))  # the table is made once
    read_alone(place, sequence.frames)  # the disk's own cache is the same for both
    alone = read_alone(place, sequence.frames)
    store = FrameStore(shot.load)
    watch = Stopwatch()
    store.want([Key(1, Layer.RESULT, frame) for frame in sequence.frames])
    until(lambda: all(store.has(Key(1, Layer.RESULT, frame)) for frame in sequence.frames))
    wall, own = watch.both()
    rate, bound = frames / wall, frames / alone[0]
    rows = [
        Figure("1080p ZIP half EXR, OpenImageIO alone", "", f"{bound:.1f} frames/s", f"{alone[1] / frames * 1e3:.0f} ms a frame"),
        Figure(f"first pass of the viewer ({rate / bound:.2f}×)", "≥ 0.8×", f"{rate:.1f} frames/s", f"{own / frames * 1e3:.0f} ms a frame"),
        played(store, sequence.frames),
    ]
    store.close()
    return rows


def read_alone(folder: Path, frames: tuple[int, ...]) -> tuple[float, float]:
    """Seconds, by the wall clock and of this process, to read every frame with OpenImageIO and its own threads."""
    watch = Stopwatch()
    for frame in frames:
        source: Any = oiio.ImageInput.open(str(folder / f"{folder.name}.{frame:04}.exr"))
        source.read_image(0, 0, 0, 5, oiio.HALF)
    return watch.both()


def played(store: FrameStore, frames: tuple[int, ...]) -> Figure:
    """From the cache into a window of 1280x720, as fast as it goes."""
    from i2vedit_monitor.viewer.canvas import Canvas

    canvas = Canvas()
    canvas.resize(1304, 744)
    canvas.set_size(*HD)
    canvas.smooth = False
    screen = QImage(canvas.size(), QImage.Format.Format_RGB32)
    watch = Stopwatch()
    for frame in frames:
        picture = store.get(Key(1, Layer.RESULT, frame))
        assert picture is not None
        canvas.show_pictures(picture.image, None)
        canvas.render(screen)
    wall, own = watch.both()
    return Figure(
        "played from the cache, painted as fast as it goes",
        "≥ 24",
        f"{len(frames) / wall:.0f} frames/s",
        f"{own / len(frames) * 1e3:.1f} ms a frame",
    )


def page(figures: list[Figure]) -> str:
    """The figures as Markdown."""
    lines = ["| what | wanted | wall clock | processor |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.wanted} | {row.wall} | {row.processor} |" for row in figures]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    head = (
        "# The window, measured\n\n`python benchmarks/monitor.py` wrote this. Without a screen, "
        f"on {os.cpu_count()} processor cores, with a load of {load:.1f} by everything that ran.\n\n"
    )
    return head + "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="i2vedit-monitor-") as name:
        folder = Path(name)
        figures = window_up(folder) + many_jobs(folder, options.jobs) + held_up(folder) + soak(folder) + viewer(folder, options.frames)
    text = page(figures)
    print(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
