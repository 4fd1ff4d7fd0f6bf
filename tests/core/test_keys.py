"""Painted frames anywhere in the shot, and several of them: real files, a tiny model, real frames read back."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.media import LOSSLESS, encode, numbered_frame

from i2vedit_core import DeliverySettings, Edit, Settings, Shot, propagate
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.finding import Verdict
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.delivery.verify import verify
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.still import export_frame
from i2vedit_core.prepare import prepare
from i2vedit_core.progress import ArtifactUsed, CancelToken, Event, FrameDelivered, Progress, Stage
from i2vedit_core.repeat import delivery_of, settings_of
from i2vedit_core.settings import LoraSettings

QUICK = Settings(steps=3, lora=LoraSettings(steps=1, rank=2))


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    path = encode(tmp_path_factory.mktemp("clip") / "shot.mkv", [numbered_frame(number) for number in range(12)], LOSSLESS)
    return Shot.open(path, 1, 10)


def _edit(shot: Shot, frame: int, folder: Path, colour: tuple[float, float, float] | None = (0.1, 0.9, 0.2)) -> Edit:
    path = export_frame(shot.clip, frame, folder / f"edited-{frame}.tif")
    if colour is not None:
        picture = oiio.ImageBuf(str(path))
        oiio.ImageBufAlgo.fill(picture, colour, oiio.ROI(30, 60, 30, 50))
        assert picture.write(str(path))
    return Edit.open(path, shot, frame)


def _pixels(path: Path) -> np.ndarray:
    return np.asarray(oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT))


def _verdict(folder: Path, shot: Shot, edits: list[Edit]) -> Verdict:
    *_, verdict = verify(folder, shot.clip.path, [edit.image for edit in edits])
    assert isinstance(verdict, Verdict)
    return verdict


@pytest.mark.parametrize("keys", [[10], [5], [1, 10], [3, 8], [4, 5]])
def test_every_frame_is_delivered_and_true(backbone: Backbone, shot: Shot, keys: list[int], tmp_path: Path) -> None:
    edits, told = [_edit(shot, key, tmp_path) for key in keys], list[Event]()
    found = propagate(shot, edits, QUICK, backbone, DeliverySettings(tmp_path / "out"), on_event=told.append)
    verdict = _verdict(found.folder, shot, edits)
    assert (verdict.faults, verdict.unchecked, len(found.frames)) == (0, 0, 10)
    assert sorted(event.frame for event in told if isinstance(event, FrameDelivered)) == list(range(1, 11))
    steps = [event for event in told if isinstance(event, Progress)]
    assert all(0 <= event.chunk < event.chunks and 0 <= event.step < event.of for event in steps)
    assert {event.chunks for event in steps if event.stage is not Stage.DECODE} == {steps[-1].chunks}
    assert steps[-1].seconds_left == pytest.approx(0, abs=1e-6)
    ticket = Ticket.load(found.folder)
    assert [note.frame for note in ticket.edits] == keys
    assert not list(tmp_path.rglob("waiting/*"))


def test_a_shot_reversed_is_carried_as_its_mirror(backbone: Backbone, shot: Shot, tmp_path: Path) -> None:
    """From its last frame back, a clip gives what its reversed copy gives from its first frame on."""
    plates = [np.rint(plate * 255).astype(np.uint8) for plate in decode_frames(shot.clip, 1, 10)]
    mirrored = Shot.open(encode(tmp_path / "mirrored.mkv", plates[::-1], LOSSLESS))
    back = propagate(shot, _edit(shot, 10, tmp_path), QUICK, backbone, DeliverySettings(tmp_path / "back"))
    (tmp_path / "forth").mkdir()
    forth = propagate(mirrored, _edit(mirrored, 0, tmp_path / "forth"), QUICK, backbone, DeliverySettings(tmp_path / "forth", grain=0))
    for mine, its in zip(back.frames, reversed(forth.frames), strict=True):
        assert np.abs(_pixels(mine)[..., 4] - _pixels(its)[..., 4]).max() < 0.02


def test_a_ticket_of_several_is_made_again(backbone: Backbone, shot: Shot, tmp_path: Path) -> None:
    edits = [_edit(shot, key, tmp_path) for key in (3, 8)]
    first = propagate(shot, edits, QUICK, backbone, DeliverySettings(tmp_path / "out"))
    ticket = Ticket.load(first.folder)
    again = propagate(shot, edits[::-1], settings_of(ticket), backbone, delivery_of(ticket, tmp_path / "again"))
    assert Ticket.load(again.folder).identity() == ticket.identity()
    for one, other in zip(first.frames, again.frames, strict=True):
        assert np.array_equal(_pixels(one), _pixels(other))


def test_where_nothing_was_painted_the_edit_fades_out(backbone: Backbone, shot: Shot, tmp_path: Path) -> None:
    edits = [_edit(shot, 1, tmp_path), _edit(shot, 6, tmp_path, colour=None)]
    found = propagate(shot, edits, QUICK, backbone, DeliverySettings(tmp_path / "out"))
    assert (_verdict(found.folder, shot, edits).faults) == 0
    mattes = [_pixels(path)[..., 4].max() for path in found.frames]
    assert mattes[0] == 1 and not any(mattes[5:])


def test_a_correction_makes_only_what_lies_next_to_it(backbone: Backbone, shot: Shot, tmp_path: Path) -> None:
    """And what lies elsewhere is the same to the bit."""
    edits, kept = [_edit(shot, 1, tmp_path), _edit(shot, 5, tmp_path)], tmp_path / "artifacts"
    first = propagate(shot, edits, QUICK, backbone, DeliverySettings(tmp_path / "out"), artifacts=kept)
    correction, told = _edit(shot, 9, tmp_path, (0.9, 0.1, 0.1)), list[Event]()
    second = propagate(
        shot, [*edits, correction], QUICK, backbone, DeliverySettings(tmp_path / "out"), artifacts=kept, on_event=told.append
    )
    denoised = {event.chunk for event in told if isinstance(event, Progress) and event.stage is Stage.EDIT}
    assert denoised == {2, 4}  # back from 9 to 6 and forth to 10; both legs between 1 and 5, and forth from 5, were found
    for frame in range(1, 6):
        assert np.array_equal(_pixels(first.frames[frame - 1]), _pixels(second.frames[frame - 1])), frame


def test_an_interrupted_job_with_several_gives_the_same(backbone: Backbone, shot: Shot, tmp_path: Path) -> None:
    edits = [_edit(shot, key, tmp_path) for key in (2, 9)]
    whole = propagate(shot, edits, QUICK, backbone, DeliverySettings(tmp_path / "whole"))
    token, work = CancelToken(), tmp_path / "work"

    def stop_on_the_way_forth(event: Event) -> None:
        if isinstance(event, FrameDelivered) and event.frame == 4:
            token.cancel()

    with pytest.raises(BridgeError) as stopped:
        propagate(shot, edits, QUICK, backbone, DeliverySettings(tmp_path / "parts"), work, on_event=stop_on_the_way_forth, token=token)
    assert stopped.value.reason is Reason.CANCELLED
    parts = propagate(shot, edits, QUICK, backbone, DeliverySettings(tmp_path / "parts"), work)
    assert parts.folder.name == "shot_v001"
    for one, other in zip(whole.frames, parts.frames, strict=True):
        assert np.array_equal(_pixels(one), _pixels(other))


def test_two_pictures_of_one_frame_are_refused(backbone: Backbone, shot: Shot, tmp_path: Path) -> None:
    edit = _edit(shot, 4, tmp_path)
    with pytest.raises(BridgeError, match="were both painted on frame 4") as caught:
        propagate(shot, [edit, edit], QUICK, backbone, DeliverySettings(tmp_path / "out"))
    assert caught.value.reason is Reason.EDIT_FRAME_TAKEN
    with pytest.raises(BridgeError, match="outside the shot's frames 1 to 10") as caught:
        Edit.open(edit.image, shot, 11)
    assert caught.value.reason is Reason.RANGE_OUTSIDE_CLIP


def test_what_was_prepared_for_a_painted_frame_is_found(backbone: Backbone, shot: Shot, tmp_path: Path) -> None:
    used, told = list[Event](), list[Event]()
    prepare(shot, QUICK, backbone, tmp_path / "shared", used.append, keys=[5])
    assert len({event.name for event in used if isinstance(event, ArtifactUsed)}) == 2 * (2 + 2) + 1
    delivery = DeliverySettings(tmp_path / "out")
    propagate(shot, _edit(shot, 5, tmp_path), QUICK, backbone, delivery, artifacts=tmp_path / "shared", on_event=told.append)
    assert not [event for event in told if isinstance(event, Progress) and event.stage in (Stage.INVERT, Stage.TRAIN)]
