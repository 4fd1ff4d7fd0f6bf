"""The round trip: saves of every kind, against a real server with a stand-in for the method."""

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from psd_tools import PSDImage
from tests.client.saving import WAYS, by_rename, in_place, paint
from tests.media import encode, numbered_frame
from tests.server.harness import wait_for

from i2vedit.v1 import job_pb2
from i2vedit_client.errors import BadInput
from i2vedit_client.host.session import Media, Request, Session
from i2vedit_client.host.timecode import parse_rate
from i2vedit_client.roundtrip.editor import System, editor_command, find_photoshop
from i2vedit_client.roundtrip.examiner import Examiner
from i2vedit_client.roundtrip.folder import QUIET_SECONDS, REST_SECONDS, SaveFolder
from i2vedit_client.roundtrip.watch import SaveWatch

GIMP = shutil.which("gimp-console")
MAGICK = shutil.which("magick") or shutil.which("mogrify")
SAVES = int(os.environ.get("I2VEDIT_SAVES", "30"))
"""A hundred take minutes: `I2VEDIT_SAVES=100` for the figure in docs/hosts.md."""
WAIT_SECONDS = 120


class Trip:
    """A running `i2vedit roundtrip`."""

    def __init__(self, process):
        self.process, self.events = process, []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.events.append({**json.loads(line), "at": time.time()})

    def wait(self, *kinds, count=1, seconds=WAIT_SECONDS):
        """The events of these kinds, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(found := [event for event in self.events if event["event"] in kinds]) < count:
            assert self.process.poll() is None, (self.events, self.process.stderr.read())
            assert time.monotonic() < deadline, self.events
            time.sleep(0.02)
        return found

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(60) == 0
        time.sleep(0.1)
        return self.events[-1]


@pytest.fixture
def trip(studio, clip, model, tmp_path):
    """A started round trip without an editor, waiting for saves; ended afterwards."""
    words = ["roundtrip", clip, "--editor", "none", "--model", model, "--out", tmp_path / "out", "--json"]
    running = Trip(studio.start(*words))
    running.wait("waiting")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def begun(studio, model, tmp_path):
    """Begins a round trip with these words, and gives the session that came of it, as it lies on the disk."""
    started = []

    def begin(*words):
        command = ["roundtrip", *words, "--editor", "none", "--model", model, "--out", tmp_path / "out", "--json"]
        started.append(Trip(studio.start(*command)))
        told = started[-1].wait("frame_file")[0]
        return load_session(studio.data, told["session"], told["path"])

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait()


def load_session(data, name, path):
    content = json.loads((data / "hosts" / name / "session.json").read_text())
    media = {**content["media"], "rate": parse_rate(content["media"]["rate"])}
    return Session(data / "hosts" / name, Request.parse(content["request"]), Media(**media), Path(path))


@pytest.mark.parametrize(
    ("words", "frames", "painted"), [((), (1001, 1006), 1001), (("--range", "1003-1005", "--at", "1004"), (1003, 1005), 1004)]
)
def test_pictures_are_painted_by_their_numbers(begun, pictures, words, frames, painted):
    session = begun(pictures, *words)
    assert (session.source.first, session.source.last) == frames
    assert session.edited.name == f"shot_f{painted}-Edit.tif" and session.edited.exists()


def test_how_the_clip_is_read_and_carried_is_said_as_to_propagate(begun, pictures):
    how = ["--rate", "25", "--timecode", "02:00:00:00", "--clip-color", "ACEScct", "--deinterlace", "--video-stream", "1"]
    what = ["--cuts", "ignore", "--inside", "delta", "--grain", "0.5", "--lora-steps", "3", "--size", "96x64"]
    session = begun(pictures, "--range", "1003-1005", *how, *what)
    spec = session.job_spec(session.edited)
    assert (spec.clip.source_in, spec.clip.rate.numerator, spec.clip.start_timecode) == (1003, 25, "02:00:00:00")
    assert (spec.clip.color_tag, spec.clip.deinterlace, spec.clip.video_stream) == ("ACEScct", True, 1)
    assert (spec.settings.ignore_cuts, spec.settings.lora_steps, spec.settings.picture_area) == (True, 3, 96 * 64)
    assert (spec.delivery.inside, spec.delivery.grain) == (job_pb2.INSIDE_DELTA, 0.5)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_saves_become_versions_and_only_the_first_one_learns_the_shot(trip, tmp_path):
    frame = Path(trip.wait("frame_file")[0]["path"])
    reference = Path(shutil.copy(frame, tmp_path / "reference.tif"))
    for number, way in enumerate((in_place, by_rename, in_place), start=1):
        way(paint(reference, tmp_path / "painted.tif", number / 4), frame)
        saved = trip.wait("saved", count=number)[-1]
        assert saved["box"] == [8, 8, 16, 12] and not saved["eight_bit"]
        trip.wait("delivered", count=number)
    in_place(tmp_path / "painted.tif", frame)
    trip.wait("unchanged")
    assert [Path(event["directory"]).name for event in trip.wait("delivered")] == ["shot_v001", "shot_v002", "shot_v003"]
    trained = {event["job"] for event in trip.events if event["event"] == "progress" and event["stage"] == "train"}
    jobs = [event["job"] for event in trip.wait("saved")]
    assert not trained & set(jobs[1:]), "the second and the third version do not learn the shot again"
    last = trip.stop()
    assert last["event"] == "succeeded" and last["jobs"] == jobs


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_a_save_that_cannot_be_used_is_told_and_the_next_one_counts(trip, tmp_path):
    frame = Path(trip.wait("frame_file")[0]["path"])
    reference = Path(shutil.copy(frame, tmp_path / "reference.tif"))
    small = encode(tmp_path / "small.png", [numbered_frame(1, 48, 40)], ("-frames:v", "1"))
    in_place(small, frame.with_suffix(".png"))
    assert trip.wait("refused")[0]["reason"] == "EDIT_SIZE_MISMATCH"
    frame.with_suffix(".png").unlink()
    in_place(paint(reference, tmp_path / "painted.tif", 0.9, bits=8), frame)
    assert trip.wait("saved")[0]["eight_bit"], trip.events
    trip.stop()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_saves_in_all_ways_are_each_seen_whole(tmp_path):
    """Versions or "unchanged", and never half a picture: the folder and the reader of pictures, without the server's time."""
    random.seed(7)
    reference = encode(tmp_path / "reference.tif", [numbered_frame(0)], ("-frames:v", "1", "-pix_fmt", "rgb48le"))
    out = tmp_path / "out"
    out.mkdir()
    target = Path(shutil.copy(reference, out / "shot_f0000-Edit.tif"))
    pictures = [paint(reference, tmp_path / f"painted-{number}.tif", number / 20) for number in range(10)]
    with Watched(target, reference, tmp_path / "kept") as watched:
        for number in range(SAVES):
            way = WAYS[number % len(WAYS)] if number % 10 == 4 or number % len(WAYS) != 4 else in_place
            way(pictures[random.randrange(len(pictures))], target)
            watched.wait(number + 1)
    assert len(watched.seen) == SAVES
    assert set(watched.seen) <= {"unchanged", "16x12"}, "a half-read picture would differ elsewhere"
    assert len(list((tmp_path / "kept").glob("save-*"))) == watched.seen.count("16x12")


def _with_imagemagick(target):
    """`mogrify` writes a temporary file and renames it; its TIFF has other tags, strips and compression than ours."""
    words = ["magick", "mogrify"] if shutil.which("magick") else ["mogrify"]
    drawing = ["-fill", "rgb(20%,60%,90%)", "-draw", "rectangle 8,8 23,19"]
    subprocess.run([*words, "-depth", "16", *drawing, "-compress", "LZW", str(target)], check=True, timeout=120)


def _with_pillow(target):
    """Eight bits, in place."""
    picture = Image.open(target).convert("RGB")
    ImageDraw.Draw(picture).rectangle((8, 8, 23, 19), fill=(40, 80, 120))
    picture.save(target)


def _with_psd_tools(target):
    """A layered document with its merged picture, beside the exported frame."""
    picture = Image.open(target).convert("RGB")
    ImageDraw.Draw(picture).rectangle((8, 8, 23, 19), fill=(200, 80, 20))
    PSDImage.frompil(picture).save(target.with_suffix(".psd"))


def _with_gimp(target):
    """GIMP itself, without its window: opened, painted on, and exported over the file."""
    paint = (
        f'(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE "{target}" "{target}")))',
        "(drawable (car (gimp-image-get-active-layer image))))",
        "(gimp-image-select-rectangle image CHANNEL-OP-REPLACE 8 8 16 12)",
        '(gimp-context-set-foreground "#c85014") (gimp-drawable-edit-fill drawable FILL-FOREGROUND)',
        f'(file-tiff-save RUN-NONINTERACTIVE image drawable "{target}" "{target}" 0))',
    )
    subprocess.run([str(GIMP), "-i", "-b", " ".join(paint), "-b", "(gimp-quit 0)"], check=True, capture_output=True, timeout=120)


@pytest.mark.parametrize("program", [_with_imagemagick, _with_pillow, _with_psd_tools, _with_gimp])
def test_programs_that_save_differently(program, tmp_path):
    if program is _with_gimp and (GIMP is None or " 2." not in _version_of(GIMP)):
        pytest.skip("there is no GIMP 2 here")
    if program is _with_imagemagick and (MAGICK is None or "ImageMagick" not in _version_of(MAGICK)):
        pytest.skip("there is no ImageMagick here")
    reference = encode(tmp_path / "reference.tif", [numbered_frame(0)], ("-frames:v", "1", "-pix_fmt", "rgb24"))
    (tmp_path / "out").mkdir()
    target = Path(shutil.copy(reference, tmp_path / "out" / "shot_f0000-Edit.tif"))
    with Watched(target, reference, tmp_path / "kept") as watched:
        program(target)
        watched.wait(1)
    assert watched.seen == ["16x12"]


def _version_of(program):
    return subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60).stdout


class Watched:
    """A watch beside the test, and what it has seen: the size of what is painted over, or the event told."""

    def __init__(self, picture, reference, folder):
        folder.mkdir()
        self.seen: list[str] = []
        self._over, self._began = threading.Event(), threading.Event()
        watch = SaveWatch(picture, reference, folder, self._hear, self._save)
        self._thread = threading.Thread(target=watch.run, args=(self._over.is_set,))

    def _hear(self, event):
        if event["event"] == "waiting":
            self._began.set()
        else:
            self.seen.append(event["event"])

    def _save(self, version, path, found):
        assert found["changed"] and found["size"] == [96, 64]
        self.seen.append("{}x{}".format(*found["box"][2:]))

    def wait(self, count):
        """Until so many saves have been seen."""
        wait_for(lambda: len(self.seen) >= count)

    def __enter__(self):
        self._thread.start()
        assert self._began.wait(30)
        time.sleep(2 * REST_SECONDS)  # the picture as it was exported is seen first
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_file_is_looked_at_when_it_is_quiet_and_once(tmp_path):
    clock, picture = Clock(), tmp_path / "a-Edit.tif"
    folder = SaveFolder(picture, clock)
    assert folder.quiet() == []
    picture.write_bytes(b"1")
    assert folder.quiet() == []
    clock.now += QUIET_SECONDS / 2
    picture.write_bytes(b"22")
    assert folder.quiet() == []
    clock.now += QUIET_SECONDS - 0.01
    assert folder.quiet() == [], "it has changed meanwhile"
    clock.now += 0.02
    ((path, found),) = folder.quiet()
    folder.handled(path, found)
    clock.now += 60
    assert folder.quiet() == []
    picture.write_bytes(b"333")
    folder.quiet()
    clock.now += QUIET_SECONDS + 0.01
    ((path, newer),) = folder.quiet()
    folder.handled(path, found)
    assert folder.quiet() == [(path, newer)], "what was handled is an older state of it"


def test_only_pictures_of_this_name_count_layers_beside_included(tmp_path):
    clock, picture = Clock(), tmp_path / "a-Edit.tif"
    folder = SaveFolder(picture, clock)
    for name in ("a-Edit.tif", "a-Edit.PSD", "~PST12.tmp", "a-Edit.tif~", ".a-Edit.tif.part", "b-Edit.tif", "a-Edit.xmp"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "a-Edit.png").write_bytes(b"")
    folder.quiet()
    clock.now += QUIET_SECONDS + 0.01
    assert sorted(path.name for path, _ in folder.quiet()) == ["a-Edit.PSD", "a-Edit.tif"]


def test_a_folder_that_is_away_for_a_moment_is_no_error(tmp_path):
    folder = SaveFolder(tmp_path / "gone" / "a-Edit.tif")
    assert folder.quiet() == []


def test_a_picture_that_was_written_on_while_it_was_read_does_not_count(tmp_path):
    """What is compared with is the last version, not what was seen of an unfinished save."""
    before = encode(tmp_path / "before.tif", [numbered_frame(0)], ("-frames:v", "1", "-pix_fmt", "rgb48le"))
    after = paint(before, tmp_path / "after.tif", 0.5)
    with Examiner(before, None) as examiner:
        assert examiner.look(after)["changed"] and examiner.look(after)["changed"]
        examiner.count()
        assert not examiner.look(after)["changed"]
        assert examiner.look(before)["changed"]


def test_photoshop_is_found_where_each_system_has_it(tmp_path):
    applications = tmp_path / "Applications"
    for name in ("Adobe Photoshop 2024", "Adobe Photoshop 2026", "Adobe Photoshop (Beta)"):
        (applications / name / f"{name}.app").mkdir(parents=True)
    mac = System("darwin", tmp_path, {})
    assert find_photoshop(mac) == applications / "Adobe Photoshop 2026" / "Adobe Photoshop 2026.app"
    assert editor_command(Path("/a.tif"), None, mac) == ["open", "-a", str(find_photoshop(mac)), "/a.tif"]

    program = tmp_path / "Program Files" / "Adobe" / "Adobe Photoshop 2025" / "Photoshop.exe"
    program.parent.mkdir(parents=True)
    program.touch()
    windows = System("win32", tmp_path, {"ProgramFiles": str(tmp_path / "Program Files")})
    assert editor_command(Path("a.tif"), None, windows) == [str(program), "a.tif"]
    assert editor_command(Path("a.tif"), None, System("win32", tmp_path, {})) is None, "Windows opens it itself"

    linux = System("linux", tmp_path, {})
    assert find_photoshop(linux) is None
    assert editor_command(Path("/a.tif"), None, linux) == ["xdg-open", "/a.tif"]


def test_another_editor_can_be_named(tmp_path):
    program = tmp_path / "my editor"
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    linux = System("linux", tmp_path, {"I2VEDIT_EDITOR": sys.executable})
    assert editor_command(Path("/a.tif"), str(program), linux) == [str(program), "/a.tif"]
    assert editor_command(Path("/a.tif"), None, linux) == [sys.executable, "/a.tif"]
    assert editor_command(Path("/a.tif"), f"'{program}' --new", linux) == [str(program), "--new", "/a.tif"]
    mac = System("darwin", tmp_path, {})
    assert editor_command(Path("/a.tif"), "Affinity Photo 2", mac) == [
        "open",
        "-a",
        "Affinity Photo 2",
        "/a.tif",
    ]
    with pytest.raises(BadInput, match="--editor"):
        editor_command(Path("/a.tif"), "no such program", linux)
