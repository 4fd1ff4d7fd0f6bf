"""What holds the mean outside the edit, on latents whose edit and whose drift are known."""

import torch
from torch import Tensor

from i2vedit_core.method.level import Level

FRAMES, SIDE = 3, 16
PATCH = (slice(4, 10), slice(4, 10))
DRIFT = torch.tensor([0.05, -0.03, 0.02, 0.0])


def _latent(seed: int, strength: float = 1.0) -> Tensor:
    return torch.randn(1, FRAMES, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) * strength


def _edited(source: Tensor, seed: int) -> Tensor:
    """An edit on a patch, and a little noise everywhere."""
    edited = source + _latent(seed, 0.01)
    edited[..., *PATCH] += 1.0
    return edited


def _map(patch: float = 0.8, elsewhere: float = 0.1) -> Tensor:
    edit_map = torch.full((FRAMES, SIDE, SIDE), elsewhere)
    edit_map[:, *PATCH] = patch
    return edit_map


def _level(source: Tensor) -> Level:
    edited = _edited(source, 2)
    return Level.of(edited[:, 0], source, edited, _map())


def _shift() -> Tensor:
    return DRIFT[None, None, :, None, None]


def test_a_shift_of_everything_is_taken_back_inside_the_edit_too() -> None:
    later = _latent(5)
    true = _edited(later, 6)
    held = _level(_latent(1)).held(later, true + _shift(), _map())
    assert held.shape == true.shape and held.dtype == true.dtype
    torch.testing.assert_close(held, true, atol=3e-3, rtol=0)


def test_chunk_0_is_what_later_ones_are_held_to() -> None:
    """An error that it has itself, every chunk may have: there is no step at the join."""
    source, later = _latent(1), _latent(5)
    edited = _edited(source, 2) + _shift()
    level = Level.of(edited[:, 0] - _shift()[0], source, edited, _map())
    true = _edited(later, 6) + _shift()
    torch.testing.assert_close(level.held(later, true, _map()), true, atol=3e-3, rtol=0)


def test_the_edit_itself_is_no_error() -> None:
    later = _latent(5)
    true = _edited(later, 6)
    held = _level(_latent(1)).held(later, true, _map())
    torch.testing.assert_close(held, true, atol=3e-3, rtol=0)


def test_where_all_is_painted_there_is_nothing_to_hold_to() -> None:
    source, later = _latent(1), _latent(5)
    level = Level.of(source[:, 0] + 1, source, source + 1, torch.full((FRAMES, SIDE, SIDE), 0.8))
    edited = later + 1 + _shift()
    assert level.held(later, edited, torch.full((FRAMES, SIDE, SIDE), 0.8)) is edited
