"""Frames more at either end of a range."""

import pytest

from i2vedit.v1 import clip_pb2
from i2vedit_client.client import Client
from i2vedit_client.handles import add_handles
from i2vedit_client.painted import Painted
from i2vedit_client.spec import PropagateOptions, Reading, job_spec


class Probe(Client):
    """Says of every clip that it has frames 1001 to 1100 at 24 frames a second."""

    def __init__(self):
        pass

    def probe_clip(self, clip):
        return clip_pb2.ClipInfo(first_frame=1001, frame_count=100, rate=clip_pb2.Rational(numerator=24, denominator=1))


def widened(frames, handles, reading=None, painted=None):
    options = PropagateOptions("a.mov", (Painted("a.png", painted),), "out", frames, reading=reading or Reading())
    spec = job_spec(options)
    add_handles(Probe(), spec, handles)
    return spec


@pytest.mark.parametrize(
    ("frames", "handles", "expected"),
    [
        ((1010, 1020), 4, (1006, 1024)),
        ((1003, 1020), 8, (1001, 1028)),
        ((1010, 1098), 8, (1002, 1100)),
        ((1001, 1100), 8, (1001, 1100)),
        ((1010, 1020), 0, (1010, 1020)),
        ((10, 20), 8, (10, 28)),
        ((1090, 1200), 8, (1082, 1200)),
    ],
)
def test_a_range_grows_as_far_as_the_clip_goes(frames, handles, expected):
    clip = widened(frames, handles).clip
    assert (clip.source_in, clip.source_in + clip.frame_count - 1) == expected


def test_what_was_painted_stays_with_its_frame():
    assert widened((1010, 1020), 4).edits[0].frame == 1010
    assert widened((1010, 1020), 4, painted=1015).edits[0].frame == 1015
    assert not widened((1010, 1020), 0).edits[0].HasField("frame")


def test_a_timecode_that_was_given_begins_earlier():
    assert widened((1010, 1020), 4, Reading(timecode="01:00:00:00")).clip.start_timecode == "00:59:59:20"
    assert widened((1010, 1020), 4, Reading(timecode="01:00:00:00", rate=(25, 1))).clip.start_timecode == "00:59:59:21"
    assert widened((1001, 1020), 4, Reading(timecode="01:00:00:00")).clip.start_timecode == "01:00:00:00"


def test_the_whole_clip_has_no_more_to_give():
    clip = widened(None, 8).clip
    assert (clip.source_in, clip.frame_count) == (0, 0)
