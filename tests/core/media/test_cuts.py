"""Cuts are found, and what only looks like one is not."""

import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.media import shared_media

from i2vedit_core.media.cuts import find_cuts
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.ffmpeg import find_ffmpeg
from i2vedit_core.shot import Shot
from i2vedit_core.synthetic import Scene, Split, random_scene, render

SIDE = 96


def _scene(number: int) -> Scene:
    return random_scene(Split.TRAINING, number)


def _clip(number: int, frames: int, start: int = 0) -> np.ndarray:
    return np.asarray(render(_scene(number), SIDE, SIDE, range(start, start + frames)), np.float32)


def _cuts(*parts: np.ndarray) -> tuple[int, ...]:
    return find_cuts(iter(np.concatenate(parts)), 100)


@pytest.mark.parametrize("number", range(0, 24, 2))
def test_two_scenes_joined_have_a_cut_where_the_second_begins(number: int) -> None:
    assert _cuts(_clip(number, 9), _clip(number + 1, 9)) == (109,)


@pytest.mark.parametrize("number", range(12))
def test_a_scene_has_none(number: int) -> None:
    assert _cuts(_clip(number, 42)) == ()


def test_several_cuts_are_all_found_and_a_short_shot_between_them_too() -> None:
    assert _cuts(_clip(0, 10), _clip(1, 4), _clip(2, 10)) == (110, 114)


@pytest.mark.parametrize(("before", "after"), [(1, 12), (12, 1), (2, 2)])
def test_a_frame_of_the_next_shot_is_found_at_either_end(before: int, after: int) -> None:
    assert _cuts(_clip(0, before), _clip(1, after)) == (100 + before,)


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(length: int) -> None:
    clip = _clip(3, 20)
    clip[10 : 10 + length] = np.clip(0.7 + 0.5 * clip[10 : 10 + length], 0, 1)
    assert _cuts(clip) == ()


def test_a_frame_that_is_lost_to_white_is_no_cut() -> None:
    clip = _clip(3, 20)
    clip[10] = 1
    assert _cuts(clip) == ()


def test_light_that_is_switched_is_no_cut() -> None:
    clip = _clip(4, 20)
    clip[10:] = np.clip(clip[10:] * np.float32(0.35) + np.float32(0.03), 0, 1)
    assert _cuts(clip) == ()


def test_a_coloured_light_is_no_cut() -> None:
    clip = _clip(5, 20)
    clip[10:] *= np.asarray([1.0, 0.6, 0.45], np.float32)
    assert _cuts(clip) == ()


@pytest.mark.parametrize("frames", [3, 5])
def test_a_whip_pan_is_no_cut(frames: int) -> None:
    """The camera turns by several pictures' widths in a few frames, each smeared along the way."""
    wide = np.concatenate([_clip(number, 1)[0] for number in range(8)], axis=1)
    way = np.concatenate([np.zeros(10), np.linspace(0, 6 * SIDE, frames + 2)[1:-1], np.full(10, 6 * SIDE)])
    smear = np.concatenate([np.zeros(10), np.full(frames, 6 * SIDE / (frames + 1)), np.zeros(10)])
    clip = [_smeared(wide, round(x), max(1, round(length))) for x, length in zip(way, smear, strict=True)]
    assert _cuts(np.stack(clip)) == ()


def _smeared(wide: np.ndarray, x: int, length: int) -> np.ndarray:
    return np.asarray(cv2.blur(wide, (length, 1))[:, x : x + SIDE], np.float32)


@pytest.mark.parametrize("step", [6, 12])
def test_a_fast_pan_is_no_cut(step: int) -> None:
    wide = np.concatenate([_clip(number, 1)[0] for number in range(8)], axis=1)
    assert _cuts(np.stack([wide[:, step * frame : step * frame + SIDE] for frame in range(30)])) == ()


def test_grain_over_a_flat_ground_is_no_cut() -> None:
    noise = np.random.default_rng(0).normal(0, 0.06, (24, SIDE, SIDE, 3)).astype(np.float32)
    assert _cuts(0.3 + noise) == ()


def test_flat_grounds_of_different_colour_are_different_shots() -> None:
    first, second = np.full((8, SIDE, SIDE, 3), 0.5, np.float32), np.full((8, SIDE, SIDE, 3), 0.5, np.float32)
    second[..., 0] = 0.1
    assert _cuts(first, second) == (108,)


def test_a_cut_under_heavy_grain_is_found() -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, (18, SIDE, SIDE, 3)).astype(np.float32)
    assert _cuts(np.concatenate([_clip(6, 9), _clip(7, 9)]) + noise) == (109,)


def test_something_that_crosses_the_picture_is_no_cut() -> None:
    """A body of half the picture, textured unlike its ground, in six frames."""
    clip, body = _clip(8, 24), _clip(9, 1)[0]
    for frame in range(6):
        left = round((frame - 1) * SIDE / 4)
        columns = slice(max(0, left), min(SIDE, left + SIDE // 2))
        clip[9 + frame][:, columns] = body[:, columns]
    assert _cuts(clip) == ()


@pytest.mark.parametrize("size", [(48, 96), (96, 54), (33, 47)])
def test_pictures_of_any_shape_are_taken(size: tuple[int, int]) -> None:
    parts = [np.asarray(render(_scene(number), size[0], size[1], range(8)), np.float32) for number in (0, 1)]
    assert _cuts(*parts) == (108,)


def test_few_frames_are_held() -> None:
    held: list[int] = []

    def frames() -> Iterable[np.ndarray]:
        clip = _clip(0, 12)
        for frame in range(200):
            held.append(frame)
            yield clip[frame % 12]

    source = iter(frames())
    assert find_cuts(source, 0) == find_cuts(frames(), 0)
    assert len(held) == 400


REAL = ("clips/01_dog.mp4", "clips/05_juggle_5s.mp4", "clips/boxing_cats_81f.mp4", "clips/gopro_karma_aerial.mp4", "clips/wolf.mp4")


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_shots_have_none(name: str) -> None:
    shot = Shot.open(shared_media(name))
    shot = replace(shot, last=min(shot.last, shot.first + 119))
    assert find_cuts(decode_frames(shot.clip, shot.first, shot.last), shot.first) == ()


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), [(REAL[0], REAL[1]), (REAL[1], REAL[2]), (REAL[4], REAL[3])])
def test_real_shots_joined_have_one(first: str, second: str, tmp_path: Path) -> None:
    joined = tmp_path / "joined.mp4"
    scale = "scale=320:180,setsar=1,fps=24,trim=end_frame=20,settb=1/24,setpts=N"
    graph = f"[0:v]{scale}[a];[1:v]{scale}[b];[a][b]concat=n=2:v=1"
    inputs = ["-i", str(shared_media(first)), "-i", str(shared_media(second))]
    command = [find_ffmpeg(), "-y", "-v", "error", *inputs, "-filter_complex", graph, "-c:v", "libx264", "-crf", "26", str(joined)]
    subprocess.run(command, check=True)
    shot = Shot.open(joined)
    assert len(shot) == 40
    assert find_cuts(decode_frames(shot.clip, 0, 39), 0) == (20,)
