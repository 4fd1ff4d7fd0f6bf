"""METHOD section 1, the option `lock`, on latents whose edit is known."""

import pytest
import torch
from torch import Tensor

from i2vedit_core.method.attention.edit_map import EditMap
from i2vedit_core.method.attention.layers import Kind, Layer
from i2vedit_core.method.lock import FROM, Lock

STEPS, LATE = 10, 7
FRAMES, SIDE = 3, 16
PATCH = (slice(4, 10), slice(4, 10))
INSIDE = (slice(5, 9), slice(5, 9))
FAR = (slice(12, 16), slice(12, 16))


def _latent(seed: int, strength: float = 1.0) -> Tensor:
    return torch.randn(1, FRAMES, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) * strength


def _patched(source: Tensor, patch: float, leak: float, seed: int) -> Tensor:
    """The source with an edit on a patch of every frame, and a little of it everywhere."""
    edited = source + _latent(seed, leak)
    edited[..., *PATCH] += patch
    return edited


def _map_of(patch: float, elsewhere: float = 0.1) -> EditMap:
    """An edit map with one value on the patch and one elsewhere."""
    difference = torch.full((FRAMES, SIDE, SIDE), elsewhere)
    difference[:, *PATCH] = patch
    edit_map = EditMap(FRAMES, SIDE, SIDE)
    edit_map.add(Layer("layer", Kind.SPATIAL, 1, False), difference.flatten(1))
    return edit_map


def _lock(source: Tensor, leak: float = 0.01) -> Lock:
    """A lock that knows the patch as painted, and an autoencoder's trace of it everywhere else."""
    return Lock(_patched(source, 1.0, leak, seed=9)[:, 0], STEPS)


def test_outside_the_edit_is_the_source_and_inside_the_edit() -> None:
    source = _latent(1)
    clean = _patched(source, 1.0, 0.02, seed=2)
    held = _lock(source).hold(0, source, clean, _map_of(0.8), LATE)
    assert held.shape == source.shape and held.dtype == source.dtype
    assert torch.equal(held[..., *FAR], source[..., *FAR])
    torch.testing.assert_close(held[..., *INSIDE], clean[..., *INSIDE], atol=1e-6, rtol=0)


def test_a_trace_of_the_edit_that_the_autoencoder_left_elsewhere_is_not_paint() -> None:
    """What was painted decides how much change is an edit; a distance far below `PAINTED` must not make all of the frame painted."""
    source = _latent(1)
    drifted = _patched(source, 1.0, 0.05, seed=2)
    held = _lock(source, leak=0.02).hold(0, source, drifted, _map_of(0.1), LATE)
    kept = (held - source).abs()[..., *FAR].mean() / (drifted - source).abs()[..., *FAR].mean()
    assert kept < 0.25
    torch.testing.assert_close(held[..., *INSIDE], drifted[..., *INSIDE], atol=1e-6, rtol=0)


def test_before_its_time_it_holds_nothing() -> None:
    source, clean = _latent(1), _latent(2)
    lock = _lock(source)
    for level in range(STEPS):
        held = lock.hold(0, source, clean, _map_of(0.8), level)
        assert (held is clean) == (level < FROM * STEPS)


def test_a_prediction_that_is_the_source_stays_the_source() -> None:
    source = _latent(1)
    assert torch.equal(_lock(source).hold(0, source, source.clone(), _map_of(0.8), LATE), source)


def test_with_nothing_painted_all_is_held() -> None:
    source = _latent(1)
    lock = Lock(source[:, 0], STEPS)
    for chunk in (0, 1):
        assert torch.equal(lock.hold(chunk, source, _latent(2), _map_of(0.8), LATE), source)


def test_what_chunk_0_taught_holds_for_later_chunks() -> None:
    """The edit has moved to where nothing was painted; the first frame of the later chunk teaches nothing."""
    source, later = _latent(1), _latent(5)
    lock = _lock(source)
    lock.hold(0, source, _patched(source, 1.0, 0.02, seed=2), _map_of(0.8), LATE)
    moved = _latent(6, 0.02) + later
    moved[..., *FAR] += 1.0
    elsewhere = _map_of(0.1, elsewhere=0.8)
    held = lock.hold(1, later, moved, elsewhere, LATE)
    torch.testing.assert_close(held[..., 13:, 13:], moved[..., 13:, 13:], atol=1e-6, rtol=0)
    assert torch.equal(held[..., *INSIDE], later[..., *INSIDE])


def test_each_level_has_a_calibration_of_its_own() -> None:
    """Early predictions differ more everywhere; what is an edit there says nothing about a later level."""
    source = _latent(1)
    lock, alone = _lock(source), _lock(source)
    blurred, sharp = _patched(source, 3.0, 0.4, seed=2), _patched(source, 1.0, 0.02, seed=3)
    lock.hold(0, source, blurred, _map_of(0.3), 5)
    lock.hold(0, source, sharp, _map_of(0.8), LATE)
    alone.hold(0, source, sharp, _map_of(0.8), LATE)
    later = _latent(5)
    edited = _patched(later, 0.5, 0.05, seed=6)
    early, late, expected = (each.hold(1, later, edited, _map_of(0.6), at) for each, at in ((lock, 5), (lock, LATE), (alone, LATE)))
    assert torch.equal(late, expected) and not torch.equal(early, late)


def test_a_later_chunk_at_a_level_that_chunk_0_never_visited_is_an_error() -> None:
    source = _latent(1)
    lock = _lock(source)
    lock.hold(0, source, _latent(2), _map_of(0.8), 6)
    with pytest.raises(KeyError):
        lock.hold(1, source, _latent(2), _map_of(0.8), LATE)
