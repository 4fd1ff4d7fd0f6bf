"""Finding the files of a sequence: by pattern, by folder, by one of them."""

from pathlib import Path

import pytest

from i2vedit_core.media.frame_files import NoSequenceError, find_files, is_sequence


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


SHOT = [f"shot.{number}.exr" for number in range(1001, 1005)]


@pytest.mark.parametrize("name", ["shot.%04d.exr", "shot.####.exr", "shot.1003.exr", "shot.%d.exr", ""])
def test_every_way_to_name_a_sequence(tmp_path: Path, name: str) -> None:
    files = find_files(touch(tmp_path, *SHOT, "notes.txt", "shot.mov") / name)
    assert files.numbers == (1001, 1002, 1003, 1004) and not files.missing
    assert files.path(1003) == tmp_path / "shot.1003.exr"
    assert files.stem == "shot"


@pytest.mark.parametrize(
    ("names", "named", "numbers", "pattern"),
    [
        (["a.0009.png", "a.0010.png"], "a.0009.png", (9, 10), "a.%04d.png"),
        (["a.9.png", "a.10.png"], "a.10.png", (9, 10), "a.%d.png"),
        (["a.9.png", "a.0010.png"], "a.9.png", (9,), "a.%d.png"),
        (["a0999.png", "a1000.png"], "a1000.png", (999, 1000), "a%04d.png"),
        (["a_0.dpx", "a_1.dpx"], "a_0.dpx", (0, 1), "a_%d.dpx"),
        (["00000.jpg", "00001.jpg"], "00001.jpg", (0, 1), "%05d.jpg"),
        (["9999.tif", "10000.tif"], "9999.tif", (9999, 10000), "%d.tif"),
        (["a.1001.exr", "a.1001.png", "b.1002.exr"], "a.1001.exr", (1001,), "a.%04d.exr"),
        (["50% of a.01.exr", "50% of a.02.exr"], "50% of a.01.exr", (1, 2), "50% of a.%02d.exr"),
        (["shot_v001.exr", "shot_v002.exr"], "shot_v002.exr", (0,), "shot_v002.exr"),
        (["still.exr"], "still.exr", (0,), "still.exr"),
        (["a.1001.EXR", "a.1002.EXR"], "a.1001.EXR", (1001, 1002), "a.%04d.EXR"),
    ],
)
def test_numbers_and_padding(tmp_path: Path, names: list[str], named: str, numbers: tuple[int, ...], pattern: str) -> None:
    files = find_files(touch(tmp_path, *names) / named)
    assert files.numbers == numbers and files.pattern.name == pattern
    assert (tmp_path / named) in [files.path(number) for number in numbers]
    assert find_files(files.pattern).numbers == numbers


def test_gaps_are_named(tmp_path: Path) -> None:
    files = find_files(touch(tmp_path, *(f"a.{n:04}.exr" for n in (1, 2, 4, 5, 9, 10))))
    assert files.missing == ((3, 3), (6, 8))
    assert files.missing_words() == "frames 3, 6-8"
    assert files.missing_words(1, 5) == "frame 3" and files.missing_words(9, 10) == "" and files.missing_words(7, 9) == "frames 7-8"


def test_many_gaps_are_counted(tmp_path: Path) -> None:
    files = find_files(touch(tmp_path, *(f"a.{n}.exr" for n in range(0, 40, 2))))
    assert files.missing_words() == "frames 1, 3, 5, 7, 9, 11 and 13 more gaps"


@pytest.mark.parametrize(
    ("names", "named", "word"),
    [
        ([], "", "without numbered pictures"),
        (["a.mov", "thumb.png", "shot_v001.exr"], "", "without numbered pictures"),
        (["a.1.exr", "b.1.exr"], "", "2 sequences ('a.*.exr', 'b.*.exr')"),
        (["a.1.exr"], "b.%04d.exr", "no file of this pattern"),
    ],
)
def test_what_is_no_sequence(tmp_path: Path, names: list[str], named: str, word: str) -> None:
    with pytest.raises(NoSequenceError) as caught:
        find_files(touch(tmp_path, *names) / named)
    assert word in str(caught.value)


def test_what_a_finder_leaves_behind_is_no_frame(tmp_path: Path) -> None:
    assert find_files(touch(tmp_path, "._a.1.exr", "a.1.exr", ".b.1.exr")).numbers == (1,)


def test_movies_are_no_sequences(tmp_path: Path) -> None:
    assert is_sequence(tmp_path) and is_sequence(tmp_path / "a.%04d.EXR") and is_sequence(tmp_path / "a.tif")
    assert not is_sequence(tmp_path / "take 1.mov") and not is_sequence(tmp_path / "100% done %04d.mp4")
