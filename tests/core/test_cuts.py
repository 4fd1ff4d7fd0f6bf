"""Cuts of a range: found once, and refused where a painted frame would have to cross one."""

from pathlib import Path

import numpy as np
import pytest
from tests.media import LOSSLESS, encode

from i2vedit_core import cuts
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.cuts import CUTS_FILE, cuts_in, require_a_key_in_each
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.shot import Shot
from i2vedit_core.synthetic import Split, random_scene, render


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes: the second begins at frame 9."""
    frames = np.concatenate([render(random_scene(Split.TRAINING, number), 64, 96, range(9)) for number in (0, 1)])
    return encode(tmp_path_factory.mktemp("clip") / "joined.mkv", np.rint(frames * 255).astype(np.uint8), LOSSLESS)


def test_cuts_are_counted_in_source_frames_and_only_inside_the_range(clip: Path, tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    assert cuts_in(Shot.open(clip), artifacts) == (9,)
    assert cuts_in(Shot.open(clip, 4, 14), artifacts) == (9,)
    assert cuts_in(Shot.open(clip, 0, 8), artifacts) == cuts_in(Shot.open(clip, 9, 17), artifacts) == ()


def test_what_was_found_once_is_not_looked_for_again(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shot, artifacts = Shot.open(clip), Artifacts(tmp_path)
    cuts_in(shot, artifacts)
    looked: list[int] = []

    def look(_frames: object, first: int) -> tuple[int, ...]:
        looked.append(first)
        return ()

    monkeypatch.setattr(cuts, "find_cuts", look)
    assert cuts_in(shot, artifacts) == (9,) and not looked
    (note,) = tmp_path.rglob(CUTS_FILE)
    note.write_text("{", encoding="utf-8")
    assert cuts_in(shot, artifacts) == () and looked == [0]


@pytest.mark.parametrize(
    ("found", "keys", "words"),
    [
        ((9,), (0,), "a cut at frame 9; give --range 0-8, or paint a frame after the cut, too."),
        ((9,), (12,), "a cut at frame 9; give --range 9-17, or paint a frame before the cut, too."),
        ((5, 9), (0, 12), "a cut at frame 5; give --range 0-4, or paint a frame after the cut, too."),
        ((5, 9), (6,), "a cut at frame 5; give --range 5-8, or paint a frame before the cut, too."),
    ],
)
def test_a_side_without_a_painted_frame_is_refused_with_a_way_out(
    found: tuple[int, ...], keys: tuple[int, ...], words: str, clip: Path
) -> None:
    with pytest.raises(BridgeError) as refused:
        require_a_key_in_each(Shot.open(clip), found, keys)
    assert refused.value.reason is Reason.SHOT_CUT
    assert words in refused.value.sentence and "--cuts ignore" in refused.value.sentence


@pytest.mark.parametrize(("found", "keys"), [((), (0,)), ((9,), (3, 9)), ((9,), (8, 17)), ((5, 9), (0, 5, 9))])
def test_a_painted_frame_on_each_side_is_enough(found: tuple[int, ...], keys: tuple[int, ...], clip: Path) -> None:
    require_a_key_in_each(Shot.open(clip), found, keys)
