"""METHOD section 1."""

from itertools import pairwise

import pytest

from i2vedit_core.method.chunks import plan_chunks


@pytest.mark.parametrize(("frames", "count"), [(1, 1), (2, 1), (13, 1), (14, 1), (15, 2), (27, 2), (28, 3), (53, 4), (105, 8)])
def test_every_frame_is_delivered_exactly_once(frames: int, count: int) -> None:
    chunks = plan_chunks(frames, 14)
    assert len(chunks) == count
    assert [position for chunk in chunks for position in chunk.delivers] == list(range(frames))


@pytest.mark.parametrize("frames", range(1, 120))
def test_every_chunk_is_whole_and_starts_from_a_frame_that_the_one_before_has_made(frames: int) -> None:
    chunks = plan_chunks(frames, 14)
    for before, chunk in pairwise(chunks):
        assert chunk.length == 14
        assert before.start < chunk.start < before.stop
        assert chunk.delivers.start > chunk.start
    assert chunks[-1].stop == frames


def test_neighbours_share_one_frame_and_a_short_tail_slides_back() -> None:
    first, second, tail = plan_chunks(28, 14)
    assert (first.start, first.stop) == (0, 14)
    assert (second.start, second.stop, second.delivers) == (13, 27, range(14, 27))
    assert (tail.start, tail.stop, tail.delivers) == (14, 28, range(27, 28))
