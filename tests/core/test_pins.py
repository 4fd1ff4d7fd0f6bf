"""Approved frames of an earlier version are taken over to the bit, and what lies next to them goes on from them."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.core.test_keys import QUICK, _edit, _pixels, _verdict, shot

from i2vedit_core import DeliverySettings, Shot, propagate
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivering import Delivered
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.pins import Pins
from i2vedit_core.progress import Event, Progress, Stage
from i2vedit_core.repeat import check_material, delivery_of, pinned_ranges, settings_of
from i2vedit_core.settings import Alpha
from i2vedit_core.shot import Edit

__all__ = ["shot"]


@pytest.fixture(scope="module")
def version(backbone: Backbone, shot: Shot, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """Carried from its first frame."""
    folder = tmp_path_factory.mktemp("version")
    return propagate(shot, _edit(shot, 1, folder), QUICK, backbone, DeliverySettings(folder / "out"))


def test_pinned_frames_are_taken_over_and_the_others_go_on_from_them(
    backbone: Backbone, shot: Shot, version: Delivered, tmp_path: Path
) -> None:
    delivery, told = DeliverySettings(tmp_path / "out"), list[Event]()
    pins = Pins.open(version.folder, [(2, 3), (1, 2)], shot, delivery)
    correction = _edit(shot, 8, tmp_path, (0.9, 0.1, 0.1))
    found = propagate(shot, correction, QUICK, backbone, delivery, pins=pins, on_event=told.append)
    for frame in (1, 2, 3):
        assert np.array_equal(_pixels(found.frames[frame - 1]), _pixels(version.frames[frame - 1]))
    flickers = [oiio.ImageBuf(str(each.frames[1])).spec().getattribute("i2vedit/matte_flicker") for each in (found, version)]
    assert flickers[0] == flickers[1] is not None
    # From frame 3 both to 8 and back, and from 8 on: nothing between the pinned ones.
    assert {event.chunks for event in told if isinstance(event, Progress) and event.stage is Stage.EDIT} == {2 + 2 + 1}
    ticket = Ticket.load(found.folder)
    assert [note.frame for note in ticket.edits] == [1, 3, 8] and pinned_ranges(ticket) == ((1, 3),)
    edits = [Edit(Path(note.path), note.frame) for note in ticket.edits]
    assert (_verdict(found.folder, shot, edits).faults, _verdict(found.folder, shot, edits).unchecked) == (0, 0)

    check_material(ticket, shot.clip.path, [edit.image for edit in edits], backbone.folder)
    again = delivery_of(ticket, tmp_path / "again")
    pins = Pins.open(version.folder, pinned_ranges(ticket), shot, again)
    second = propagate(shot, correction, settings_of(ticket), backbone, again, pins=pins)
    assert Ticket.load(second.folder).identity() == ticket.identity()
    assert all(np.array_equal(_pixels(one), _pixels(other)) for one, other in zip(found.frames, second.frames, strict=True))


def test_what_cannot_be_pinned_is_said(backbone: Backbone, shot: Shot, version: Delivered, tmp_path: Path) -> None:
    delivery = DeliverySettings(tmp_path / "out")
    for folder, ranges, asked, reason, words in (
        (tmp_path, [(1, 2)], delivery, Reason.PIN_UNUSABLE, "There is no ticket.json"),
        (version.folder, [(5, 40)], delivery, Reason.RANGE_OUTSIDE_CLIP, "the shot has frames 1 to 10"),
        (version.folder, [(1, 2)], DeliverySettings(tmp_path / "out", alpha=Alpha.MATTE), Reason.PIN_UNUSABLE, "another alpha"),
    ):
        with pytest.raises(BridgeError, match=words) as caught:
            Pins.open(folder, ranges, shot, asked)
        assert caught.value.reason is reason
    pins = Pins.open(version.folder, [(1, 4)], shot, delivery)
    with pytest.raises(BridgeError, match="Frame 4 is painted and pinned"):
        propagate(shot, _edit(shot, 4, tmp_path), QUICK, backbone, delivery, pins=pins)
    assert not (tmp_path / "out").exists()
