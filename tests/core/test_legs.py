"""Every frame of a shot is painted, or lies in exactly one segment; and painting one more moves no chunk of the others."""

from dataclasses import replace

import pytest

from i2vedit_core.legs import Leg, Segment, plan_segments


@pytest.mark.parametrize("keys", [[0], [9], [4], [0, 9], [2, 6], [3, 4], [1, 4, 7], [7, 1, 4]])
def test_the_segments_cover_the_shot(keys: list[int]) -> None:
    segments = plan_segments(0, 9, keys)
    reached = [frame for segment in segments for frame in segment.legs[0].frames[1:]]
    assert sorted([*reached, *keys]) == list(range(10))
    for segment in segments:
        ends = [sorted(leg.frames[1:]) for leg in segment.legs]
        assert all(end == ends[0] for end in ends)
        assert all(leg.key in keys for leg in segment.legs)


def test_the_first_frame_alone_is_one_leg_and_a_single_frame_none() -> None:
    assert plan_segments(5, 9, [5]) == (Segment(Leg(5, 9, 9)),)
    assert plan_segments(5, 5, [5]) == ()
    assert plan_segments(5, 9, [9]) == (Segment(None, Leg(9, 5, 5)),)


def test_between_two_painted_frames_both_sides_go() -> None:
    before, between, behind = plan_segments(0, 20, [5, 12])
    assert before == Segment(None, Leg(5, 0, 0)) and behind == Segment(Leg(12, 20, 20))
    assert between.legs == (Leg(12, 6, 0), Leg(5, 11, 20))
    assert list(between.legs[0].frames) == [12, 11, 10, 9, 8, 7, 6]


@pytest.mark.parametrize("stride", [1, 3, 4])
@pytest.mark.parametrize("leg", [Leg(0, 40, 40), Leg(40, 0, 0), Leg(10, 33, 40), Leg(33, 10, 0), Leg(10, 11, 10 + 4), Leg(0, 65, 67)])
def test_the_chunks_of_a_leg_deliver_each_of_its_frames_once(leg: Leg, stride: int) -> None:
    leg = replace(leg, stride=stride)
    chunks = leg.chunks(14)
    delivered = [frame for chunk in chunks for frame in leg.delivered_by(chunk)]
    assert delivered == list(leg.frames[1:])
    for chunk in chunks:
        seen, filled = leg.seen_in(chunk), leg.filled_by(chunk)
        assert len(seen) == chunk.length and abs(seen.step) == stride
        assert filled[: len(leg.delivered_by(chunk))] == leg.delivered_by(chunk)
        assert set(filled[stride - 1 :: stride]) <= set(seen), "what is filled in lies between frames that are seen"


def test_a_leg_sees_its_painted_frame_and_one_more_however_short_it_is() -> None:
    (segment,) = plan_segments(5, 7, [5], stride=16)
    (leg,) = segment.legs
    assert [list(leg.seen_in(chunk)) for chunk in leg.chunks(14)] == [[5, 7]]
    assert list(leg.frames) == [5, 6, 7]


def test_a_painted_frame_more_moves_no_chunk_on_the_way_to_it() -> None:
    alone, cut_short = Leg(0, 99, 99), Leg(0, 49, 99)
    assert alone.chunks(14)[: len(cut_short.chunks(14))] == cut_short.chunks(14)
    assert cut_short.chunks(14)[-1].stop > 49


def test_no_leg_crosses_a_cut() -> None:
    segments = plan_segments(0, 20, [3, 15], cuts=[10])
    assert segments == (*plan_segments(0, 9, [3]), *plan_segments(10, 20, [15]))
    assert plan_segments(0, 20, [3], cuts=[10, 12]) == plan_segments(0, 9, [3])
    assert plan_segments(0, 9, [4], cuts=[4, 5]) == ()


@pytest.mark.parametrize(("leg", "joins"), [(Leg(0, 40, 40), (14, 27, 40)), (Leg(40, 0, 0), (27, 14, 1)), (Leg(0, 13, 13), ())])
def test_chunks_meet_before_the_later_frame(leg: Leg, joins: tuple[int, ...]) -> None:
    assert leg.joins(14) == joins
