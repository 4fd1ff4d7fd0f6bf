"""A model that sees every K-th frame only: real files, a tiny model, every frame read back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.media import LOSSLESS, encode, numbered_frame

from i2vedit_core import DeliverySettings, Edit, Settings, Shot, prepare, propagate
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.finding import Verdict
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.delivery.verify import verify
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.still import export_frame
from i2vedit_core.planned import request_for
from i2vedit_core.progress import CancelToken, Event, Progress, Stage
from i2vedit_core.repeat import delivery_of, settings_of
from i2vedit_core.settings import LoraSettings

QUICK = Settings(steps=3, lora=LoraSettings(steps=1, rank=2))


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    path = encode(tmp_path_factory.mktemp("clip") / "shot.mkv", [numbered_frame(number) for number in range(13)], LOSSLESS)
    return Shot.open(path, 1, 11)


def _edit(shot: Shot, frame: int, folder: Path) -> Edit:
    path = export_frame(shot.clip, frame, folder / f"edited-{frame}.tif")
    picture = oiio.ImageBuf(str(path))
    oiio.ImageBufAlgo.fill(picture, (0.1, 0.9, 0.2), oiio.ROI(30, 60, 30, 50))
    assert picture.write(str(path))
    return Edit.open(path, shot, frame)


def _pixels(frames: tuple[Path, ...]) -> list[np.ndarray]:
    return [np.asarray(oiio.ImageBuf(str(path)).get_pixels(oiio.FLOAT)) for path in frames]


@pytest.mark.parametrize(("stride", "keys", "chunks"), [(3, [1], 1), (3, [8], 2), (2, [3, 9], 4), (16, [1], 1)])
def test_every_frame_of_the_plate_is_delivered_and_true(
    stride: int, keys: list[int], chunks: int, backbone: Backbone, shot: Shot, tmp_path: Path
) -> None:
    edits, told = [_edit(shot, key, tmp_path) for key in keys], list[Event]()
    settings, delivery = replace(QUICK, stride=stride), DeliverySettings(tmp_path / "out")
    found = propagate(shot, edits, settings, backbone, delivery, on_event=told.append)
    *_, verdict = verify(found.folder, shot.clip.path, [edit.image for edit in edits])
    assert isinstance(verdict, Verdict) and (verdict.faults, verdict.unchecked, len(found.frames)) == (0, 0, 11)
    assert {event.chunks for event in told if isinstance(event, Progress) and event.stage is Stage.EDIT} == {chunks}
    assert Ticket.load(found.folder).settings["stride"] == stride


def test_an_interrupted_job_gives_the_same_pixels(backbone: Backbone, shot: Shot, tmp_path: Path) -> None:
    """It is stopped among frames that are filled in before its second chunk's first."""
    edit, settings = _edit(shot, 1, tmp_path), replace(QUICK, stride=2)
    whole = propagate(shot, edit, settings, backbone, DeliverySettings(tmp_path / "whole"))
    token, delivery = CancelToken(), DeliverySettings(tmp_path / "parts")

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and (event.stage, event.chunk, event.step) == (Stage.DELIVER, 1, 0):
            token.cancel()

    with pytest.raises(BridgeError) as stopped:
        propagate(shot, edit, settings, backbone, delivery, tmp_path / "work", on_event=stop, token=token)
    assert stopped.value.reason is Reason.CANCELLED
    parts = propagate(shot, edit, settings, backbone, delivery, tmp_path / "work")
    for first, second in zip(_pixels(whole.frames), _pixels(parts.frames), strict=True):
        assert np.array_equal(first, second)


def test_a_preparation_with_the_same_stride_is_found(backbone: Backbone, shot: Shot, tmp_path: Path) -> None:
    settings, told = replace(QUICK, stride=3), list[Event]()
    prepare(shot, settings, backbone, tmp_path / "shared")
    delivery = DeliverySettings(tmp_path / "out")
    propagate(shot, _edit(shot, 1, tmp_path), settings, backbone, delivery, artifacts=tmp_path / "shared", on_event=told.append)
    assert {event.stage for event in told if isinstance(event, Progress)} == {Stage.DECODE, Stage.EDIT, Stage.DELIVER}


def test_the_ticket_of_a_stride_that_was_chosen_has_the_number_and_gives_the_same_again(
    backbone: Backbone, shot: Shot, tmp_path: Path
) -> None:
    edit = _edit(shot, 1, tmp_path)
    first = propagate(shot, edit, replace(QUICK, stride=None), backbone, DeliverySettings(tmp_path / "out"))
    ticket = Ticket.load(first.folder)
    assert ticket.settings["stride"] in (1, 2, 3)
    again = propagate(shot, edit, settings_of(ticket), backbone, delivery_of(ticket, tmp_path / "again"))
    for one, other in zip(_pixels(first.frames), _pixels(again.frames), strict=True):
        assert np.array_equal(one, other)


def test_memory_is_planned_for_the_frames_that_are_seen(backbone: Backbone, shot: Shot) -> None:
    assert [request_for(shot, replace(QUICK, stride=stride), backbone).frames for stride in (1, 3, 5)] == [4, 4, 3]
