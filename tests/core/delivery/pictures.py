"""Pictures and answers of a model, made up so that what is right is known."""

from fractions import Fraction

import numpy as np

from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.matting import ChunkPictures, PaintedPictures
from i2vedit_core.delivery.patch import Patch, Patcher
from i2vedit_core.media.fit import Fit, plan_fit
from i2vedit_core.media.pixels import largest_difference
from i2vedit_core.synthetic import Split, Truth, draw_truth, edit_scene, lingering, random_scene

SIDE, MODEL_SIDE = 128, 32


def drawn(edit: str, number: int, frames: int) -> tuple[Truth, Fit]:
    """A drawn shot at four times the size of the model's picture."""
    scene = lingering(random_scene(Split.TRAINING, number))
    truth = draw_truth(scene, edit_scene(scene, edit, number), SIDE, SIDE, range(frames))
    return truth, plan_fit(SIDE, SIDE, Fraction(1), MODEL_SIDE**2, 8)


def weak_answer(truth: Truth, fit: Fit, left: float = 0.4) -> ChunkPictures:
    """A model whose edit fades to what is `left` in the last frame, and which is a little noisy."""
    source, edited = (np.stack([fit.to_model(frame) for frame in clip]) for clip in (truth.source, truth.edited))
    fading = np.linspace(1, left, len(source), dtype=np.float32)[:, None, None, None]
    noise = np.random.default_rng(0).normal(0, 0.01, source.shape).astype(np.float32)
    return ChunkPictures(source + fading * (edited - source) + noise, source, np.full(source.shape[:3], 0.1, np.float32))


def painted_of(truth: Truth) -> PaintedPictures:
    return PaintedPictures(truth.source[0], truth.edited[0], largest_difference(truth.source[0], truth.edited[0]))


def patches(truth: Truth, fit: Fit, filling: Filling, model: ChunkPictures) -> list[Patch]:
    """Of every frame after the painted one."""
    patcher = Patcher(painted_of(truth), fit, filling, model.frame(0))
    return [patcher.follow(frame, truth.source[frame], model.frame(frame)) for frame in range(1, len(truth.source))]
