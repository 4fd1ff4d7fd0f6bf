"""The benchmark of writing in small: both ways write all frames, and memory stays bounded. Times are never asserted."""

import sys
from pathlib import Path

import pytest

import write_speed
from write_speed import BOUND_BYTES, WAYS, measure, page


def test_both_ways_write_every_frame_and_the_page_tells() -> None:
    plain, delivered = (measure(way, 160, 96, 3) for way in WAYS)
    assert plain.frames == delivered.frames == 3 and min(plain.file_bytes, delivered.file_bytes) > 0
    text = page(plain, delivered, "160x96")
    assert "3 frames of 160x96" in text and "times** as long" in text


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_memory_is_bounded_and_does_not_grow_with_the_frames() -> None:
    few, many = (measure("delivered", 4096, 2160, frames) for frames in (3, 9))
    assert many.peak_bytes < BOUND_BYTES
    assert many.peak_bytes < few.peak_bytes * 1.1


def test_it_runs_as_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_speed.main(["--frames", "2", "--size", "64x48", "--out", str(tmp_path / "page.md")])
    assert (tmp_path / "page.md").read_text() in capsys.readouterr().out
