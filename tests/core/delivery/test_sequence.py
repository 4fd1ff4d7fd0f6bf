"""The delivered sequence as another reader sees it, and what happens when it cannot be written."""

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest

from i2vedit_core.delivery import form
from i2vedit_core.delivery.composite import composite
from i2vedit_core.delivery.sequence import SequenceWriter, check_directory, describe_delivery, reserve_version, safe_stem
from i2vedit_core.delivery.ticket import MAX_ATTRIBUTE_NAME, Ticket
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media import tags
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.settings import Alpha, DeliverySettings, Depth
from i2vedit_core.shot import Shot

NAME = "shot_01__50____é"
STORED = ("R", "G", "B", "A", "matte.A")


def new_picture() -> np.ndarray:
    return np.random.default_rng(3).random((64, 96, 3), np.float32)


def deliver(folder: Path, shot: Shot, ticket: Ticket, matte: np.ndarray, **settings: Any) -> tuple[Path, np.ndarray]:
    """One frame delivered; its path and plate."""
    delivery = DeliverySettings(folder, **settings)
    (plate,) = decode_frames(shot.clip, shot.first, shot.first)
    with SequenceWriter(reserve_version(folder, shot.clip), shot.clip, delivery, ticket) as writer:
        return writer.write(shot.first, plate, new_picture(), matte), plate


def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and channels by the OpenEXR library itself."""
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return dict(file.header()), {name: channel.pixels.copy() for name, channel in file.channels().items()}


def test_names_and_numbers(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray) -> None:
    first, _ = deliver(tmp_path, shot, ticket, matte)
    second, _ = deliver(tmp_path, shot, ticket, matte)
    assert first == tmp_path / f"{NAME}_v001" / f"{NAME}_v001.0002.exr"
    assert second.parent.name == f"{NAME}_v002"
    assert sorted(os.listdir(first.parent)) == [first.name, "ticket.json"]
    assert Ticket.load(first.parent) == ticket


def test_versions_go_on_after_the_highest(tmp_path: Path, shot: Shot) -> None:
    (tmp_path / f"{NAME}_v007").mkdir()
    (tmp_path / f"{NAME}_v008").write_text("a file of that name")
    assert reserve_version(tmp_path, shot.clip).name == f"{NAME}_v009"


_RESERVE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from i2vedit_core.delivery.sequence import reserve_version
clip = SimpleNamespace(stem="shot")
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
for _ in range(20):
    print(reserve_version(sys.argv[1], clip).name)
"""


def test_two_processes_never_get_the_same_version(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _RESERVE, str(tmp_path)]
    racers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for racer in racers:
        assert racer.stdout is not None and racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    names = [name for racer in racers for name in racer.communicate(timeout=120)[0].split()]
    assert sorted(names) == [f"shot_v{version:03}" for version in range(1, 41)]


@pytest.mark.parametrize(
    ("stem", "safe"),
    [("a b%04d#?*", "a_b_04d___"), ("..", "clip"), ("", "clip"), ("日本 語", "日本_語"), ("../../etc", "_.._etc"), ("x" * 300, "x" * 180)],
)
def test_safe_names(stem: str, safe: str) -> None:
    assert safe_stem(stem) == safe


def test_the_header_is_what_the_design_fixes(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray) -> None:
    path, _ = deliver(tmp_path, shot, ticket, matte)
    header, channels = read(path)
    assert set(channels) == set(STORED)
    assert all(pixels.dtype == np.float16 for pixels in channels.values())
    assert header["compression"] == OpenEXR.ZIP_COMPRESSION
    assert header["framesPerSecond"] == Fraction(30000, 1001)
    assert header["pixelAspectRatio"] == pytest.approx(16 / 15)
    # Frame 2 after 00:59:59;28 is 01:00:00;00: the hour drops no label.
    label = header["timeCode"]
    assert (label.hours, label.minutes, label.seconds, label.frame, bool(label.dropFrame)) == (1, 0, 0, 0, True)
    assert header["i2vedit/timecode"] == "01:00:00;00"
    assert header["i2vedit/colorspace"] == "Gamma 2.4 Encoded Rec.709"
    assert header["i2vedit/ocio_config"] == tags.OCIO_CONFIG
    assert header["i2vedit/frame"] == shot.first
    for name, value in ticket.attributes().items():
        assert header[name] == value
    assert tuple(header["dataWindow"][1]) == (95, 63) == tuple(header["displayWindow"][1])


def test_above_thirty_frames_a_second_a_label_counts_pairs(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray) -> None:
    fast = replace(shot, clip=replace(shot.clip, rate=Fraction(60), start_timecode="01:00:00:57"))
    path, _ = deliver(tmp_path, fast, ticket, matte)
    header, _ = read(path)
    # Frame 2 after 57 is 59: the second frame of pair 29.
    assert (header["timeCode"].seconds, header["timeCode"].frame) == (0, 29)
    assert header["i2vedit/timecode"] == "01:00:00:59" and header["framesPerSecond"] == 60
    assert all(len(name) <= MAX_ATTRIBUTE_NAME for name in header)


def test_a_plates_windows_travel(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """An EXR plate may hold less, or more, than is shown of it."""
    monkeypatch.setattr(form, "windows_of", lambda clip: (form.Window(-4, 5, 91, 68), form.Window(0, 0, 199, 99)))
    path, plate = deliver(tmp_path, shot, ticket, matte, depth=Depth.FLOAT)
    header, channels = read(path)
    assert [tuple(map(int, corner)) for corner in header["dataWindow"]] == [(-4, 5), (91, 68)]
    assert [tuple(map(int, corner)) for corner in header["displayWindow"]] == [(0, 0), (199, 99)]
    np.testing.assert_array_equal(channels["G"][matte == 0], plate[:, :, 1][matte == 0])
    assert SequenceWriter(path.parent, shot.clip, DeliverySettings(tmp_path), ticket).have(shot.first)


def test_the_plate_is_kept_and_the_patch_is_laid_in(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray) -> None:
    path, plate = deliver(tmp_path, shot, ticket, matte, depth=Depth.FLOAT)
    _, channels = read(path)
    colour = np.stack([channels[name] for name in "RGB"], axis=2)
    assert colour.dtype == np.float32
    assert colour[matte == 0].tobytes() == plate[matte == 0].tobytes()
    np.testing.assert_array_equal(colour, composite(plate, new_picture(), matte))
    np.testing.assert_array_equal(channels["matte.A"], matte)
    assert (channels["A"] == 1).all()


def test_the_patch_alone_gives_the_composite_over_the_plate(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray) -> None:
    path, plate = deliver(tmp_path, shot, ticket, matte, depth=Depth.FLOAT, alpha=Alpha.MATTE)
    _, channels = read(path)
    patch = np.stack([channels[name] for name in "RGB"], axis=2)
    np.testing.assert_array_equal(channels["A"], matte)
    assert not patch[matte == 0].any()
    np.testing.assert_allclose(patch + (1 - matte[:, :, None]) * plate, composite(plate, new_picture(), matte), atol=1e-6)


def test_a_plates_alpha_multiplies_its_colour(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray) -> None:
    (plate,) = decode_frames(shot.clip, 2, 2)
    alpha = np.random.default_rng(4).random((64, 96, 1), np.float32)
    with SequenceWriter(reserve_version(tmp_path, shot.clip), shot.clip, DeliverySettings(tmp_path, depth=Depth.FLOAT), ticket) as writer:
        path = writer.write(2, np.concatenate([plate, alpha], axis=2), new_picture(), matte)
    _, channels = read(path)
    np.testing.assert_array_equal(channels["A"], alpha[:, :, 0])
    np.testing.assert_array_equal(channels["R"], composite(plate, new_picture(), matte)[:, :, 0] * alpha[:, :, 0])


def test_conversion_to_linear(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray) -> None:
    path, plate = deliver(tmp_path, shot, ticket, matte, depth=Depth.FLOAT, color_space="linear")
    header, channels = read(path)
    assert header["i2vedit/colorspace"] == "Linear Rec.709 (sRGB)"
    expected = np.maximum(composite(plate, new_picture(), matte), 0) ** 2.4
    np.testing.assert_allclose(channels["G"], expected[:, :, 1], atol=2e-5)


def test_settings_are_resolved_for_the_ticket(shot: Shot) -> None:
    settings = DeliverySettings(Path("/out"), color_space="acescg", compression="dwaa")
    assert describe_delivery(shot.clip, settings) == {
        "plate_space": "Gamma 2.4 Encoded Rec.709",
        "color_space": "ACEScg",
        "ocio_config": tags.OCIO_CONFIG,
        "depth": "float",
        "compression": "dwaa",
        "alpha": "plate",
        "premultiplied": False,
        "lossy": True,
        "data_window": [0, 0, 95, 63],
        "display_window": [0, 0, 95, 63],
        "pixel_aspect": "16/15",
        "rate": "30000/1001",
        "timecode": "00:59:59;28",
        "also": [],
        "inside": "auto",
        "grain": 1.0,
    }
    assert describe_delivery(replace(shot.clip, bit_depth=12), DeliverySettings(Path("/out")))["depth"] == "float"
    with pytest.raises(BridgeError) as caught:
        describe_delivery(shot.clip, DeliverySettings(Path("/out"), color_space="Nonsense"))
    assert caught.value.reason is Reason.SETTING_INVALID


@pytest.mark.parametrize("bits", [8, 10])
def test_half_keeps_all_codes_apart(bits: int) -> None:
    codes = np.arange(1 << bits, dtype=np.float32)
    step = 1 << (bits - 8)
    for values in (codes / ((1 << bits) - 1), (codes - 16 * step) / (219 * step)):
        assert len(np.unique(values.astype(np.float16))) == 1 << bits


def test_resuming_knows_what_is_there_and_whole(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray) -> None:
    path, plate = deliver(tmp_path, shot, ticket, matte)
    again = SequenceWriter(path.parent, shot.clip, DeliverySettings(tmp_path), ticket)
    assert again.have(2) and not again.have(3)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert not again.have(2)
    again.write(2, plate, new_picture(), matte)
    assert again.have(2) and path.read_bytes()[-1000:] == whole[-1000:]


def test_a_version_is_known_before_it_is_there_and_a_killed_writers_remains_go(
    tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray
) -> None:
    there: list[tuple[str, bool]] = []
    folder = reserve_version(tmp_path, shot.clip, lambda noted: there.append((noted.name, noted.exists())))
    assert there == [(folder.name, False)] and folder.is_dir()
    (folder / ".i2vedit-0123.part").write_bytes(b"half a frame")
    with SequenceWriter(folder, shot.clip, DeliverySettings(tmp_path), ticket):
        assert os.listdir(folder) == ["ticket.json"]


def test_failure_takes_an_empty_folder_away_and_keeps_finished_frames(
    tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray
) -> None:
    folder = reserve_version(tmp_path, shot.clip)
    (plate,) = decode_frames(shot.clip, 2, 2)
    with pytest.raises(BridgeError) as caught, SequenceWriter(folder, shot.clip, DeliverySettings(tmp_path), ticket) as writer:
        writer.write(2, plate, np.full_like(plate, np.nan), matte)
    assert caught.value.reason is Reason.NOT_FINITE and "try another seed" in caught.value.sentence
    assert os.listdir(tmp_path) == []

    folder = reserve_version(tmp_path, shot.clip)
    with pytest.raises(RuntimeError), SequenceWriter(folder, shot.clip, DeliverySettings(tmp_path), ticket) as writer:
        writer.write(2, plate, new_picture(), matte)
        raise RuntimeError
    assert sorted(os.listdir(folder)) == [f"{folder.name}.0002.exr", "ticket.json"]


def test_folders_that_cannot_be_written(tmp_path: Path, shot: Shot) -> None:
    check_directory(tmp_path / "not" / "yet" / "there")
    assert os.listdir(tmp_path) == []
    (tmp_path / "file").write_text("x")
    for bad in (tmp_path / "file", tmp_path / "file" / "below", "nul\0"):
        with pytest.raises(BridgeError) as caught:
            check_directory(bad)
        assert caught.value.reason is Reason.OUTPUT_NOT_WRITABLE
    with pytest.raises(BridgeError):
        reserve_version(tmp_path / "file", shot.clip)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BridgeError) as caught:
        check_directory(tmp_path / "below")
    assert caught.value.reason is Reason.OUTPUT_NOT_WRITABLE
