"""`verify` finds nothing on what is whole and true, and names frame and reason of every kind of damage."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.delivery.delivered import rewrite, whole_delivery

from i2vedit_core.delivery.finding import Check, Finding, Kind, Looked, Verdict
from i2vedit_core.delivery.ticket import TICKET_FILE, Ticket
from i2vedit_core.delivery.verify import verify
from i2vedit_core.settings import Alpha, Depth
from i2vedit_core.shot import Shot

FRAMES = range(2, 8)


def look(folder: Path, plate: Path | None, edit: Path | None) -> tuple[list[Finding], Verdict]:
    events = list(verify(folder, plate, [edit]))
    verdict = events[-1]
    assert isinstance(verdict, Verdict)
    findings = [event for event in events if isinstance(event, Finding)]
    assert verdict.faults == sum(finding.kind is Kind.FAULT for finding in findings)
    return findings, verdict


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, shot: Shot) -> Path:
    """One whole delivery, of which tests damage copies."""
    return whole_delivery(tmp_path_factory.mktemp("made"), shot, plain_ticket(shot))


def plain_ticket(shot: Shot) -> Ticket:
    names: dict[str, Any] = {"plate_sha256": "", "edit_path": "", "edit_sha256": "", "model": "mini", "model_sha256": "c" * 64}
    settings: dict[str, Any] = {"settings": {"model": "mini"}, "delivery": {}, "seed": 1, "device": "cpu", "dtype": "float32"}
    rest: dict[str, Any] = {"threads": 1, "versions": {"torch": "2.13.0"}, "created": "2026-01-02T03:04:05Z"}
    plate: dict[str, Any] = {"plate_path": str(shot.clip.path), "first": shot.first, "last": shot.last, "edit_frame": shot.first}
    return Ticket(**plate, **names, **settings, **rest)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


@pytest.fixture
def edit(made: Path) -> Path:
    return made.parents[1] / "painted.tif"


def frame_file(folder: Path, number: int) -> Path:
    return folder / f"{folder.name}.{number:04}.exr"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"depth": Depth.FLOAT},
        {"alpha": Alpha.MATTE},
        {"color_space": "ACEScg"},
        {"color_space": "linear", "depth": Depth.FLOAT, "compression": "piz"},
        {"compression": "dwaa"},
        {"compression": "pxr24", "depth": Depth.FLOAT},
    ],
)
def test_every_kind_of_delivery_is_whole_and_true(tmp_path: Path, shot: Shot, settings: dict[str, Any]) -> None:
    folder = whole_delivery(tmp_path, shot, plain_ticket(shot), **settings)
    findings, verdict = look(folder, shot.clip.path, tmp_path / "painted.tif")
    assert findings == []
    lossy = "compression" in settings and settings["compression"] != "piz"
    assert verdict == Verdict(2, 7, 0, 0, lossy, verdict.largest_difference)
    assert (verdict.largest_difference > 0) == lossy


def test_it_says_how_far_it_is(made: Path, shot: Shot) -> None:
    looked = [event for event in verify(made, shot.clip.path) if isinstance(event, Looked)]
    assert looked == [Looked(count, len(FRAMES)) for count in range(1, len(FRAMES) + 1)]


def _truncate(folder: Path) -> None:
    path = frame_file(folder, 4)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _change_one_pixel(folder: Path) -> None:
    def change(spec: Any, pixels: np.ndarray) -> None:
        assert pixels[3, 5, 4] == 0
        pixels[3, 5, 1] = np.nextafter(pixels[3, 5, 1], np.float16(9))

    rewrite(frame_file(folder, 4), change)


def _swap(folder: Path) -> None:
    one, other, aside = frame_file(folder, 4), frame_file(folder, 5), folder / "aside"
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def _change_header(name: str, value: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        rewrite(frame_file(folder, 4), lambda spec, pixels: spec.attribute(name, value))

    return change


def _fill_matte(folder: Path) -> None:
    def change(spec: Any, pixels: np.ndarray) -> None:
        pixels[0, 0, 4] = 1.5

    rewrite(frame_file(folder, 4), change)


def _unpaint(folder: Path) -> None:
    def change(spec: Any, pixels: np.ndarray) -> None:
        pixels[40:44, 50:60, 0] = 0.25

    rewrite(frame_file(folder, 2), change)


def _forget_paint(folder: Path) -> None:
    def change(spec: Any, pixels: np.ndarray) -> None:
        pixels[40:44, 50:60, 4] = 0

    rewrite(frame_file(folder, 2), change)


def _recompress(folder: Path) -> None:
    rewrite(frame_file(folder, 4), lambda spec, pixels: spec.attribute("compression", "rle"))


def _shift_window(folder: Path) -> None:
    def change(spec: Any, pixels: np.ndarray) -> None:
        spec.x += 1

    rewrite(frame_file(folder, 4), change)


@pytest.mark.parametrize(
    ("damage", "check", "frame", "words"),
    [
        (_truncate, Check.READABLE, 4, "cut off"),
        (lambda folder: frame_file(folder, 4).unlink(), Check.FRAMES, 4, "missing"),
        (lambda folder: frame_file(folder, 4).write_bytes(b""), Check.READABLE, 4, "cut off"),
        (_change_one_pixel, Check.PLATE, 4, "1 pixel outside the matte is not the plate's (first at x 5, y 3"),
        (_swap, Check.HEADER, 4, "that of frame 5"),
        (_change_header("i2vedit/seed", "7"), Check.HEADER, 4, "i2vedit/seed (7 instead of 1)"),
        (_change_header("i2vedit/colorspace", "ACEScg"), Check.HEADER, 4, "i2vedit/colorspace"),
        (_change_header("framesPerSecond", 0), Check.HEADER, 4, "framesPerSecond"),
        (_recompress, Check.HEADER, 4, "compression (rle instead of zip)"),
        (_shift_window, Check.HEADER, 4, "data window"),
        (_fill_matte, Check.MATTE, 4, "0 to 1"),
        (_unpaint, Check.PAINTED, 2, "40 pixels are not as they were painted"),
        (_forget_paint, Check.PAINTED, 2, "40 painted pixels are missing"),
    ],
)
def test_damage_is_named_with_its_frame(
    folder: Path, shot: Shot, edit: Path, damage: Callable[[Path], None], check: Check, frame: int, words: str
) -> None:
    damage(folder)
    findings, verdict = look(folder, shot.clip.path, edit)
    assert not verdict.is_true
    named = [finding for finding in findings if finding.kind is Kind.FAULT and finding.check is check]
    assert named and named[0].frame == frame and words in named[0].sentence, findings
    assert {finding.frame for finding in findings if finding.kind is Kind.FAULT} <= {frame, 5 if damage is _swap else frame}


def test_a_frame_too_many_is_named(folder: Path, shot: Shot, edit: Path) -> None:
    shutil.copyfile(frame_file(folder, 7), frame_file(folder, 8))
    findings, _ = look(folder, shot.clip.path, edit)
    assert [finding.check for finding in findings] == [Check.FRAMES] and "0008.exr" in findings[0].sentence


def test_a_renamed_folder_is_the_same_delivery(folder: Path, shot: Shot, edit: Path) -> None:
    findings, _ = look(folder.rename(folder.with_name("backup of monday")), shot.clip.path, edit)
    assert findings == []


def test_without_its_plate_the_rest_is_checked(folder: Path, shot: Shot, tmp_path: Path) -> None:
    other = tmp_path / "other.mov"
    other.write_bytes(shot.clip.path.read_bytes() + b"\0")
    for plate, words in ((None, "--plate"), (tmp_path / "gone.mov", "no clip"), (other, "content has changed")):
        findings, verdict = look(folder, plate, None)
        assert [(finding.kind, finding.check) for finding in findings] == [(Kind.UNCHECKED, Check.PLATE), (Kind.UNCHECKED, Check.PAINTED)]
        assert words in findings[0].sentence and verdict.is_true and verdict.unchecked == 2
    _truncate(folder)
    assert not look(folder, None, None)[1].is_true


def test_a_painted_frame_saved_again_is_told(folder: Path, shot: Shot, edit: Path, tmp_path: Path) -> None:
    again = tmp_path / "painted.tif"
    again.write_bytes(edit.read_bytes() + b"\0")
    findings, verdict = look(folder, shot.clip.path, again)
    assert verdict.is_true and "saved again" in findings[0].sentence


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', None])
def test_a_ticket_that_is_none(folder: Path, text: str | None) -> None:
    ticket = folder / TICKET_FILE
    ticket.unlink()
    if text is not None:
        ticket.write_text(text)
    findings, verdict = look(folder, None, None)
    assert [finding.check for finding in findings] == [Check.TICKET] and not verdict.is_true


def test_another_tickets_frames_are_known(folder: Path, shot: Shot) -> None:
    replace(Ticket.load(folder), seed=99).save(folder)
    findings, _ = look(folder, None, None)
    assert sum("i2vedit/seed" in finding.sentence for finding in findings) == len(FRAMES)
