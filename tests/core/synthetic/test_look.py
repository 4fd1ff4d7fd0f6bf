"""A look does what its words say, and nothing without them."""

import numpy as np
import pytest

from i2vedit_core.synthetic.look import LUMA, Look, Picture


def _flat(*color: float) -> Picture:
    return np.broadcast_to(np.asarray(color, np.float32), (6, 8, 3)).copy()


def _edge(height: int) -> Picture:
    """Dark on the left, bright on the right, soft between over a tenth of the height."""
    x = (np.arange(height * 3 // 2, dtype=np.float32) + 0.5) / height - 0.75
    ramp = 0.5 + 0.35 * np.tanh(x / 0.05)
    return np.asarray(np.broadcast_to(ramp[None, :, None], (height, len(x), 3)), np.float32)


def test_no_look_changes_nothing() -> None:
    picture = np.random.default_rng(0).random((12, 16, 3), dtype=np.float32)
    assert np.array_equal(Look().apply(picture), picture)


@pytest.mark.parametrize(
    ("look", "before", "after"),
    [
        (Look(gain=(2.0, 1.0, 0.5)), (0.3, 0.3, 0.3), (0.6, 0.3, 0.15)),
        (Look(gain=(2.0, 2.0, 2.0)), (0.8, 0.5, 0.1), (1.0, 1.0, 0.2)),
        (Look(gamma=2.0), (0.5, 0.1, 1.0), (0.25, 0.01, 1.0)),
        (Look(gain=(2.0, 2.0, 2.0), gamma=2.0), (0.25, 0.25, 0.25), (0.25, 0.25, 0.25)),
        (Look(grey=1.0), (1.0, 0.0, 0.0), (0.2126, 0.2126, 0.2126)),
        (Look(grey=0.5), (0.0, 1.0, 0.0), (0.3576, 0.8576, 0.3576)),
        (Look(palette=((0.2, 0.0, 0.4), (1.0, 0.8, 0.0))), (0.0, 0.0, 0.0), (0.15, 0.0, 0.3)),
        (Look(palette=((0.2, 0.0, 0.4), (1.0, 0.8, 0.0))), (1.0, 1.0, 1.0), (1.0, 0.85, 0.25)),
        (Look(palette=((0.2, 0.0, 0.4), (1.0, 0.8, 0.0))), (0.5, 0.5, 0.5), (0.575, 0.425, 0.275)),
        (Look(ink=0.9), (0.4, 0.2, 0.7), (0.4, 0.2, 0.7)),
    ],
)
def test_what_becomes_of_a_colour(look: Look, before: tuple[float, float, float], after: tuple[float, float, float]) -> None:
    assert np.abs(look.apply(_flat(*before)) - np.asarray(after, np.float32)).max() < 1e-5


def test_a_palette_leaves_no_hue_but_its_own() -> None:
    """Three quarters of each colour lie on the line between shadows and highlights."""
    picture = np.random.default_rng(1).random((12, 16, 3), dtype=np.float32)
    shadows, highlights = np.asarray((0.2, 0.0, 0.4), np.float32), np.asarray((1.0, 0.8, 0.0), np.float32)
    duotone = (Look(palette=((0.2, 0.0, 0.4), (1.0, 0.8, 0.0))).apply(picture) - 0.25 * picture) / 0.75
    assert np.abs(duotone - shadows - (highlights - shadows) * (picture @ LUMA)[..., None]).max() < 1e-5


def test_ink_blackens_edges_alone_and_more_ink_more() -> None:
    picture = _edge(48)
    faint, strong = (Look(ink=ink).apply(picture) / picture for ink in (0.5, 0.95))
    assert strong[:, :12].min() > 0.99 and strong[:, -12:].min() > 0.99
    assert strong[24, 34:38].max() < 0.6 < faint[24, 34:38].min()
    assert (strong <= faint + 1e-6).all()


def test_lines_along_soft_edges_are_as_wide_at_any_size() -> None:
    small, large = (Look(ink=0.9).apply(_edge(height)) / _edge(height) for height in (32, 96))
    widths = [(share[len(share) // 2, :, 0] < 0.7).mean() for share in (small, large)]
    assert widths[0] > 0.02 and abs(widths[0] - widths[1]) < 0.25 * widths[0] + 1 / 48
