"""Where the plate's frames are kept that the window has fetched."""

import os

import pytest

from i2vedit_monitor.viewer.plates import plate_folder


def _rendered_again(path) -> None:
    """As large as before."""
    later = path.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(later, later))


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "100% [späte]"
    folder.mkdir()
    for number in range(1001, 1004):
        (folder / f"shot.{number}.exr").write_bytes(b"picture")
    return folder


@pytest.mark.parametrize("name", ["shot.%04d.exr", "shot.####.exr", "shot.1001.exr", ""])
def test_pictures_that_were_rendered_again_are_fetched_again(pictures, name):
    clip = str(pictures / name)
    before = plate_folder(clip)
    assert plate_folder(clip) == before, "as long as nothing happens"
    _rendered_again(pictures / "shot.1003.exr")
    after = plate_folder(clip)
    assert after != before
    (pictures / "shot.1004.exr").write_bytes(b"picture")
    assert plate_folder(clip) not in (before, after)


def test_what_lies_beside_a_clip_does_not_matter(pictures):
    clip = str(pictures / "shot.%04d.exr")
    before = plate_folder(clip)
    (pictures / "other.1001.exr").write_bytes(b"picture")
    (pictures / "shot.1001.tif").write_bytes(b"picture")
    assert plate_folder(clip) == before


def test_a_movie_that_was_rendered_again_is_fetched_again(tmp_path):
    movie = tmp_path / "shot_01.mov"
    movie.write_bytes(b"movie")
    before = plate_folder(str(movie))
    (tmp_path / "shot_02.mov").write_bytes(b"movie")
    assert plate_folder(str(movie)) == before
    _rendered_again(movie)
    assert plate_folder(str(movie)) != before


def test_a_clip_that_is_not_there_has_a_folder_as_well(tmp_path):
    gone = [str(tmp_path / name) for name in ("gone.mov", "gone.%04d.exr", "nowhere/gone.1001.exr")]
    assert len({plate_folder(clip) for clip in gone}) == len(gone)


def test_each_video_stream_has_frames_of_its_own(tmp_path):
    movie = tmp_path / "shot.mov"
    movie.write_bytes(b"movie")
    assert len({plate_folder(str(movie), stream) for stream in (0, 1, 2)}) == 3
