"""What is delivered of plates whose values lie far outside 0..1, and in which depth."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest

from i2vedit_core.delivery.colour import convert, keeps_primaries
from i2vedit_core.delivery.sequence import SequenceWriter, describe_delivery, reserve_version
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.media.spaces import linear_space
from i2vedit_core.media.working import Working
from i2vedit_core.settings import DeliverySettings
from i2vedit_core.shot import Shot

TEN_BIT = 1 / 1023
SPACES = ["Gamma 2.4 Encoded Rec.709", "Rec.2100-PQ - Display", "Rec.2100-HLG - Display", "sRGB Encoded P3-D65", "ACEScg"]


def in_named(shot: Shot, space: str, bits: int = 10) -> Shot:
    return replace(shot, clip=replace(shot.clip, named_space=space, bit_depth=bits))


def written(folder: Path, shot: Shot, ticket: Ticket, plate: np.ndarray, new: np.ndarray, matte: np.ndarray, **settings: Any) -> np.ndarray:
    """One frame delivered and read back by the OpenEXR library: R, G, B as they lie in the file."""
    with SequenceWriter(reserve_version(folder, shot.clip), shot.clip, DeliverySettings(folder, **settings), ticket) as writer:
        path = writer.write(shot.first, plate, new, matte)
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return np.stack([file.channels()[name].pixels for name in "RGB"], axis=-1)


def wild_plate() -> np.ndarray:
    """From far below 0 to far above 1."""
    return np.random.default_rng(0).normal(0.5, 5, (64, 96, 3)).astype(np.float32)


def test_what_lies_beyond_is_untouched_outside_the_matte(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray) -> None:
    plate = wild_plate()
    assert plate.min() < -5 and plate.max() > 5
    pixels = written(tmp_path, in_named(shot, "ACEScg", bits=32), ticket, plate, np.zeros_like(plate), matte)
    np.testing.assert_array_equal(pixels[matte == 0].view(np.uint32), plate[matte == 0].view(np.uint32))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("target", ["linear", "ACEScg"])
def test_what_is_delivered_comes_back_within_a_code_value(
    tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray, space: str, target: str
) -> None:
    """By way of the file, at the depth that is chosen for 10 bits."""
    colours = np.random.default_rng(1).uniform(0.05, 0.95, (64, 96, 3)).astype(np.float32)
    grey = colours.mean(axis=-1, keepdims=True)
    new = grey + 0.5 * (colours - grey)
    named = in_named(shot, space)
    pixels = written(tmp_path, named, ticket, np.full_like(new, 0.2), new, matte, color_space=target)
    delivered = linear_space(space) if target == "linear" else "ACEScg"
    back = convert(pixels.astype(np.float32), delivered, space)
    inside = matte == 1
    tolerance = TEN_BIT if not Working.of(space).is_log else 2**-10
    assert np.abs(back - new)[inside].max() <= tolerance


def test_highlights_stay_above_one(tmp_path: Path, shot: Shot, ticket: Ticket, matte: np.ndarray) -> None:
    bright = np.full((64, 96, 3), 0.75, np.float32)
    for space, light in [("Rec.2100-PQ - Display", 9.8), ("Rec.2100-HLG - Display", 2.0)]:
        pixels = written(tmp_path, in_named(shot, space), ticket, bright, bright, matte, color_space="linear")
        np.testing.assert_allclose(pixels.astype(np.float32), light, rtol=0.05)


def test_the_ticket_says_what_the_plate_was_taken_for(shot: Shot) -> None:
    delivery = DeliverySettings(Path("out"), color_space="ACEScg")
    told = [describe_delivery(in_named(shot, space).clip, delivery) for space in SPACES]
    assert [each["plate_space"] for each in told] == SPACES
    assert told[0]["color_space"] == "ACEScg"


def test_half_is_for_the_plates_own_primaries(shot: Shot) -> None:
    clip = in_named(shot, "Rec.2100-PQ - Display").clip
    wanted = ("match", "linear", "ACEScg")
    depths = {space: describe_delivery(clip, DeliverySettings(Path("out"), color_space=space))["depth"] for space in wanted}
    assert depths == {"match": "half", "linear": "half", "ACEScg": "float"}
    assert keeps_primaries(clip, "Linear Rec.2020") and not keeps_primaries(clip, "Linear P3-D65")
    assert keeps_primaries(in_named(shot, "Raw").clip, "Raw")


def test_a_change_is_added_where_equal_steps_look_equal(shot: Shot, ticket: Ticket, tmp_path: Path) -> None:
    """In the working encoding: nothing where nothing changed, whatever the plate holds, and no clipped highlight."""
    plate = np.abs(wild_plate())
    working = Working.of("ACEScg")
    same = working.decode(working.encode(plate))
    np.testing.assert_allclose(same, plate, rtol=3e-6, atol=1e-9)
    brighter = working.decode(working.encode(plate) + np.float32(0.1))
    assert (brighter > plate).all() and brighter.max() > plate.max() * 1.5 and np.isfinite(brighter).all()
