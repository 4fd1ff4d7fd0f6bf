"""Cuts of a range: found once, and refused where a painted frame would have to cross one."""

import json
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.media import LOSSLESS, encode

from i2vedit_core import DeliverySettings, Edit, Settings, cuts, prepare, propagate
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.cuts import CUTS_FILE, reported_cuts, require_a_key_in_each
from i2vedit_core.delivery.report import REPORT_FILE
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.still import export_frame
from i2vedit_core.progress import CancelToken, Event, Progress, Reporter, Stage, ignore
from i2vedit_core.settings import Cuts, LoraSettings
from i2vedit_core.shot import Shot
from i2vedit_core.synthetic import Split, random_scene, render


def _cuts(shot: Shot, artifacts: Artifacts) -> tuple[int, ...]:
    return reported_cuts(shot, Settings(), artifacts, Reporter(ignore, CancelToken()))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes: the second begins at frame 9."""
    frames = np.concatenate([render(random_scene(Split.TRAINING, number), 64, 96, range(9)) for number in (0, 1)])
    return encode(tmp_path_factory.mktemp("clip") / "joined.mkv", np.rint(frames * 255).astype(np.uint8), LOSSLESS)


def test_cuts_are_counted_in_source_frames_and_only_inside_the_range(clip: Path, tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    assert _cuts(Shot.open(clip), artifacts) == (9,)
    assert _cuts(Shot.open(clip, 4, 14), artifacts) == (9,)
    assert _cuts(Shot.open(clip, 0, 8), artifacts) == _cuts(Shot.open(clip, 9, 17), artifacts) == ()


def test_what_was_found_once_is_not_looked_for_again(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shot, artifacts = Shot.open(clip), Artifacts(tmp_path)
    _cuts(shot, artifacts)
    looked: list[int] = []

    def look(_frames: object, first: int) -> tuple[int, ...]:
        looked.append(first)
        return ()

    monkeypatch.setattr(cuts, "find_cuts", look)
    assert _cuts(shot, artifacts) == (9,) and not looked
    (note,) = tmp_path.rglob(CUTS_FILE)
    note.write_text("{", encoding="utf-8")
    assert _cuts(shot, artifacts) == () and looked == [0]


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


QUICK = Settings(steps=3, lora=LoraSettings(steps=1, rank=2))


def _edit(shot: Shot, frame: int, folder: Path) -> Edit:
    path = export_frame(shot.clip, frame, folder / f"edited-{frame}.tif")
    picture = oiio.ImageBuf(str(path))
    oiio.ImageBufAlgo.fill(picture, (0.1, 0.9, 0.2), oiio.ROI(30, 60, 30, 50))
    assert picture.write(str(path))
    return Edit.open(path, shot, frame)


def test_a_painted_frame_is_not_carried_across_a_cut_unless_that_is_wanted(backbone: Backbone, clip: Path, tmp_path: Path) -> None:
    shot = Shot.open(clip, 6, 11)
    edit, delivery = _edit(shot, 6, tmp_path), DeliverySettings(tmp_path / "out")
    with pytest.raises(BridgeError, match="a cut at frame 9; give --range 6-8") as refused:
        propagate(shot, edit, QUICK, backbone, delivery)
    assert refused.value.reason is Reason.SHOT_CUT and not delivery.directory.exists()
    whole = propagate(shot, edit, Settings(steps=3, lora=QUICK.lora, cuts=Cuts.IGNORE), backbone, delivery)
    assert len(list(whole.folder.glob("*.exr"))) == 6


def test_each_side_of_a_cut_is_a_shot_of_its_own(backbone: Backbone, clip: Path, tmp_path: Path) -> None:
    """What lies behind the cut is as it would be if there were nothing before it."""
    shot, second = Shot.open(clip, 6, 11), Shot.open(clip, 9, 11)
    edits = [_edit(shot, frame, tmp_path) for frame in (6, 10)]
    both = propagate(shot, edits, QUICK, backbone, DeliverySettings(tmp_path / "both"))
    alone = propagate(second, Edit.open(edits[1].image, second, 10), QUICK, backbone, DeliverySettings(tmp_path / "alone"))
    for one, other in zip(both.frames[3:], alone.frames, strict=True):
        mine, its = (np.asarray(oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT)) for path in (one, other))
        assert np.array_equal(mine, its)
    report = json.loads((both.folder / REPORT_FILE).read_text(encoding="utf-8"))
    assert [note["frame"] for note in report["notes"] if note["severity"] == "note" and note["frame"] is not None] == [9]
    assert [join["frame"] for join in report["joins"]] == [6, 10]


def test_only_the_painted_side_of_a_cut_is_prepared(backbone: Backbone, clip: Path, tmp_path: Path) -> None:
    told: list[Event] = []
    prepare(Shot.open(clip, 6, 16), QUICK, backbone, tmp_path, told.append)
    assert {event.chunks for event in told if isinstance(event, Progress) and event.stage is Stage.TRAIN} == {1}
