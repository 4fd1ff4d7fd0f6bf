"""The arithmetic of places and times, against models that count in another way."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimelineio import opentime

from i2vedit_client.errors import BadInput
from i2vedit_client.host.clip import HostClip
from i2vedit_client.host.timecode import can_drop, frame_of, label_of, later, parse_rate
from i2vedit_client.host.timing import Span, TimingError, check_speed, grid, seconds_of, source_range

CASES, FEWER = 1000, 200
RATES = [Fraction(rate) for rate in (12, 24, 25, 30, 48, 50, 60, 100, 120)]
NTSC = [Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120)]
LABELLED = [rate for rate in RATES + NTSC if round(rate) in (24, 25, 30, 50, 60)]
"""Those for which OpenTimelineIO has labels."""
rates = st.sampled_from(RATES + NTSC)


def shown(seconds: Fraction, rate: Fraction) -> int:
    """The last frame that has begun: found by stepping over whole numbers, not by the floor of a product, which is what is tested."""
    time, tick = seconds.numerator * rate.numerator, seconds.denominator * rate.denominator
    frame = int(float(seconds) * float(rate)) - 1
    while (frame + 1) * tick <= time:
        frame += 1
    return frame


@st.composite
def spans(draw, subframe=False):
    """A clip that lies inside its media, begun on the timeline's grid, or anywhere."""
    media_rate, timeline_rate = draw(rates), draw(st.one_of(rates, st.none()))
    timeline_rate = timeline_rate or media_rate
    count = draw(st.integers(1, 40))
    left = draw(st.integers(0, 5000))
    offset = left / timeline_rate + (Fraction(draw(st.integers(0, 999)), 24_000) if subframe else 0)
    needed = shown(offset + (count - 1) / timeline_rate, media_rate) + 1
    length = needed + draw(st.integers(0, 200))
    start = draw(st.integers(0, 10**7))
    # Pictures begin with the number in their names.
    first = draw(st.sampled_from([0, 0, 1, 1001]))
    return Span(timeline_rate, media_rate, start, count, offset, length, first), draw(st.integers(0, 24))


@settings(max_examples=CASES, deadline=None)
@given(spans())
def test_a_host_that_plays_sequences_at_their_rate_shows_the_plates_frame_everywhere(case):
    """Resolve's way: the sequence begins on one of its own frames."""
    _check(*case)


@settings(max_examples=CASES, deadline=None)
@given(spans())
def test_a_host_that_plays_frame_by_frame_shows_the_plates_frame_everywhere(case):
    """Blender's way: the media's rate counts for nothing."""
    span, handles = case
    left = span.offset * span.timeline_rate
    clip = HostClip("a.mov", "a", span.timeline_rate, span.record_start, span.record_count, left_offset=int(left), frame_by_frame=True)
    there = int(left) + span.record_count
    blender = clip.span(span.media_rate, there, span.first_frame)
    assert blender.source_frames == tuple(range(span.first_frame + int(left), span.first_frame + there))
    _check(blender, handles)


@settings(max_examples=CASES, deadline=None)
@given(spans(subframe=True))
def test_a_host_that_begins_anywhere_shows_the_plates_frame_everywhere(case):
    """After Effects' way: the sequence's first picture lies where the layer's media would begin, shifted."""
    span, handles = case
    delivered = source_range(span, handles, "clip")
    lies = grid(span, delivered, begins_anywhere=True)
    shift = (delivered.first - span.first_frame) / span.media_rate
    for index in range(span.record_count):
        time = span.offset + index / span.timeline_rate
        assert lies.frames[shown(time - shift, lies.rate)] == span.first_frame + shown(time, span.media_rate)


def _check(span, handles):
    delivered = source_range(span, handles, "clip")
    last = span.first_frame + span.media_frames - 1
    assert span.first_frame <= delivered.first <= delivered.last <= last
    lies = grid(span, delivered)
    fills = lies.take / lies.rate == span.record_count / span.timeline_rate
    assert fills or delivered.last == last, "it fills the clip, unless the media ends within its last frame"
    for index in range(span.record_count):
        picture = lies.skip + shown(index / span.timeline_rate, lies.rate)
        assert lies.frames[picture] == span.first_frame + shown(span.offset + index / span.timeline_rate, span.media_rate)


@settings(max_examples=FEWER, deadline=None)
@given(spans(), st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(5, 4), Fraction(2), Fraction(4)]))
def test_another_speed_is_refused_with_its_reason(case, speed):
    span, _ = case
    end = span.offset + span.record_count / span.timeline_rate
    honest = max(1, span.first_frame + shown(end, span.media_rate) - span.source_frames[0])
    check_speed(span, honest, "clip")
    retimed = round(span.record_count / span.timeline_rate * span.media_rate * speed)
    exact = span.record_count / span.timeline_rate * span.media_rate
    if abs(retimed - exact) >= 3 and retimed > 0:
        with pytest.raises(TimingError) as caught:
            check_speed(span, retimed, "clip")
        assert caught.value.failure.reason == "RETIMED"


@settings(max_examples=FEWER, deadline=None)
@given(spans(), st.integers(1, 50))
def test_frames_beyond_the_media_are_refused_with_their_reason(case, missing):
    span, handles = case
    needed = span.source_frames[-1] - span.first_frame + 1
    short = replace(span, media_frames=max(1, needed - missing))
    if short.media_frames < needed:
        with pytest.raises(TimingError) as caught:
            source_range(short, handles, "clip")
        assert caught.value.failure.reason == "OUTSIDE_MEDIA"


@settings(max_examples=FEWER, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(LABELLED), st.booleans())
def test_labels_are_those_of_opentimelineio(frame, rate, drop):
    label = label_of(frame, rate, drop)
    whole_day = 24 * 3600 * round(rate)
    if frame < whole_day * 999 // 1000:
        assert label == opentime.to_timecode(opentime.RationalTime(frame, float(rate)), float(rate), drop and can_drop(rate))
        assert frame_of(label, rate) == frame


@settings(max_examples=FEWER, deadline=None)
@given(st.integers(0, 2_000_000), st.integers(0, 20_000), rates, st.booleans())
def test_a_later_label_is_so_many_frames_later(frame, more, rate, drop):
    label = label_of(frame, rate, drop)
    assert later(label, more, rate) == label_of(frame + more, rate, drop)


def test_drop_frame_labels_that_do_not_exist_are_refused():
    rate = Fraction(30000, 1001)
    assert label_of(1800, rate, drop=True) == "00:01:00;02" and frame_of("00:10:00;00", rate) == 17982
    for text in ("00:01:00;00", "00:01:00;30", "1:2:3", "24:00:00:00", "00:60:00:00"):
        with pytest.raises(BadInput):
            frame_of(text, rate)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("23.976", Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (23.976023976, Fraction(24000, 1001)),
        ("29.97 DF", Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        ("24", Fraction(24)),
        (25.0, Fraction(25)),
        ([30000, 1001], Fraction(30000, 1001)),
        ("24000/1001", Fraction(24000, 1001)),
        (12.5, Fraction(25, 2)),
        ("300000/10201", Fraction(300000, 10201)),
    ],
)
def test_rates_as_hosts_write_them(given, meant):
    assert parse_rate(given) == meant


@pytest.mark.parametrize("given", ["", "fast", 0, -24, "1/0", [24], [24, 0], None, float("nan"), float("inf"), 1e9, True])
def test_what_is_no_rate_is_refused_with_a_sentence(given):
    with pytest.raises(BadInput, match="frames a second"):
        parse_rate(given)


@settings(max_examples=FEWER, deadline=None)
@given(st.integers(0, 10**6), rates, rates)
def test_seconds_in_floating_point_find_their_frame_again(frame, rate, other):
    """Hosts count in doubles, and subtract two of them."""
    start = 3601.0
    said = float(start + frame / rate) - start
    assert seconds_of(said, rate, other) * rate == frame


@pytest.mark.parametrize(
    ("told", "first", "last"),
    [
        ({"left_offset": 2, "record_count": 4}, 1003, 1006),
        ({"media_start": 1003, "record_count": 4}, 1003, 1006),
        ({"media_start": 1003, "media_frames": 5, "media_in": 1}, 1004, 1007),
        ({"media_start": 1010}, 1010, 1042),
        ({}, 1001, 1042),
    ],
)
def test_pictures_are_counted_by_their_numbers(told, first, last):
    span = HostClip("a.%04d.exr", "a", **told).span(Fraction(24), 42, 1001)
    delivered = source_range(span, 0, "a")
    assert (delivered.first, delivered.last) == (first, last)
    assert HostClip("a.%04d.exr", "a", **told).looked_at(span) == first


@pytest.mark.parametrize("told", [{"media_start": 0, "record_count": 4}, {"media_start": 1040, "record_count": 4}])
def test_numbers_that_no_picture_has_are_refused(told):
    with pytest.raises(TimingError, match="frames 1001 to 1042"):
        source_range(HostClip("a.%04d.exr", "a", **told).span(Fraction(24), 42, 1001), 0, "a")


def test_handles_reach_to_the_first_picture_and_no_further():
    span = HostClip("a.%04d.exr", "a", media_start=1003, record_count=4).span(Fraction(24), 42, 1001)
    delivered = source_range(span, 8, "a")
    assert (delivered.first, delivered.last, delivered.handle_before) == (1001, 1014, 2)
