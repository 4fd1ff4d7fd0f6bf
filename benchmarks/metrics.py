"""Figures of the fidelity benchmark, on arrays: how near a clip is to the truth, how it moves, and how it holds together in time.

Common to all: a clip is `[F, H, W, 3]` float32, display-referred sRGB in 0..1; a selection (`where`, a region, `visible`) is boolean;
flow is `[F - 1, H, W, 2]` float32 in pixels (right, down), from a frame to the next, at the pixels of the earlier one. `visible`,
`[F - 1, H, W]`, says whether what is seen there is still seen in the next frame. Where nothing is selected a figure is nan.
"""

import importlib.util
import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.stats import anderson
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from i2vedit_core.media.flow import Flow as Flow
from i2vedit_core.media.flow import Plane, seen_flow
from i2vedit_core.media.flow import fetch as fetch
from i2vedit_core.media.flow import pixel_grid as pixel_grid

Clip = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

BEST_PSNR = 99.0
"""dB, for pictures that are equal."""
MEASURABLE = 0.5
"""Pixels by which the flow seen in the truth itself may be off where motion can be measured at all."""
SOME_MATTE = 1 / 64
"""Matte values below this are delivered as 0, so this is where a matte begins."""


def psnr(clip: Clip, truth: Clip, where: Mask) -> float:
    """Peak signal to noise in dB over the pixels `[F, H, W]` of `where`, pooled over frames and channels; at most BEST_PSNR."""
    _require_alike(clip, truth)
    if not where.any():
        return math.nan
    error = _mean(np.square(clip.astype(np.float64) - truth)[where])
    return min(BEST_PSNR, -10 * math.log10(error)) if error > 0 else BEST_PSNR


def ssim(clip: Clip, truth: Clip, where: Mask) -> float:
    """Mean of the SSIM map over `where` `[F, H, W]`; 1 is equal.

    Wang et al. 2004: Gaussian window of 1.5 pixels, 11 pixels wide, so a region is judged with five pixels of its surroundings.
    """
    _require_alike(clip, truth)
    return _mean(np.concatenate([_ssim_map(*pair)[chosen] for *pair, chosen in zip(clip, truth, where, strict=True)]))


def flip(clip: Clip, truth: Clip, where: Mask) -> float:
    """Mean of the LDR-FLIP map over `where` `[F, H, W]`; 0 is equal, 1 the largest.

    Andersson et al. 2020, by its authors' library, at its default of 67 pixels per degree: a 64 pixel picture is seen as one degree.
    nan also where that library is not installed, since it is not built for every processor and Python.
    """
    _require_alike(clip, truth)
    if importlib.util.find_spec("flip_evaluator") is None:
        return math.nan
    return _mean(np.concatenate([_flip_map(*pair)[chosen] for *pair, chosen in zip(clip, truth, where, strict=True)]))


def largest_error(clip: Clip, truth: Clip, where: Mask) -> float:
    """Largest absolute difference in any channel over the pixels `[F, H, W]` of `where`."""
    _require_alike(clip, truth)
    return float(np.abs(clip - truth)[where].max()) if where.any() else math.nan


def motion_error(clip: Clip, flow: Flow, visible: Mask, where: Mask | None = None) -> float:
    """Mean end-point error in pixels between the flow seen in `clip` and the true `flow`, over visible pixels (within `where`, if given).

    What is seen is DIS (`seen_flow`). It cannot see motion along a stripe or in a flat area, so even the truth has an error; give
    `measurable(truth, ...)` as `where` to judge every clip where the truth can be measured, and put the truth's own figure beside.
    """
    chosen = visible if where is None else visible & where
    return _mean(_end_point_error(clip, flow)[chosen])


def measurable(truth: Clip, flow: Flow, visible: Mask) -> Mask:
    """Visible pixels `[F - 1, H, W]` where the flow seen in the truth is the true one to within MEASURABLE pixels."""
    return np.asarray(visible & (_end_point_error(truth, flow) <= MEASURABLE), np.bool_)


def flicker(clip: Clip, flow: Flow, visible: Mask) -> float:
    """Mean absolute difference, over channels and visible pixels, between a frame and the next one fetched along the true flow.

    The truth has some too (light, grain, bilinear fetching): its own figure is the floor.
    """
    x, y = pixel_grid(clip)
    fetched = [fetch(later, x + vector[..., 0], y + vector[..., 1]) for later, vector in zip(clip[1:], flow, strict=True)]
    return _mean(np.abs(clip[:-1] - np.asarray(fetched).reshape(clip[1:].shape))[visible])


def seam_ratio(clip: Clip, joins: Sequence[int], where: Mask | None = None) -> float:
    """How much more changes across a join of chunks than inside them; 1 is no seam. `joins`: first frame of each later chunk.
    `where` `[F, H, W]`: the pixels that count, in either frame of a pair; all of them if not given.

    Mean absolute difference between the frames j - 1 and j over the median of the same between frames of one chunk, mean over joins.
    """
    between = np.abs(np.diff(clip.astype(np.float64), axis=0)).mean(axis=3)
    weight = np.ones(between.shape) if where is None else (where[1:] | where[:-1]).astype(np.float64)
    change = (between * weight).sum(axis=(1, 2)) / np.maximum(weight.sum(axis=(1, 2)), 1)
    across = np.asarray(joins, np.int64) - 1
    inside = np.delete(change, across)
    if not len(across) or not len(inside):
        return math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(change[across] / np.median(inside)))


def drift(clip: Clip, truth: Clip, chunks: Sequence[range], where: Mask) -> float:
    """Colour drift from the first to the last of the `chunks` (ranges of frames), over `where` `[F, H, W]`, in ΔE2000.

    The mean CIE Lab colour (D65, 2°) of `clip` minus that of `truth` is a chunk's colour error, with its sign. The figure is the
    ΔE2000 between the last chunk's true mean colour with the last chunk's error and the same colour with the first chunk's error:
    an error that stays the same over the shot is no drift, and neither is a change that the truth shows as well.
    """
    _require_alike(clip, truth)
    first, last = (where[chunk.start : chunk.stop] for chunk in (chunks[0], chunks[-1]))
    if not first.any() or not last.any():
        return math.nan
    true_first, true_last = _mean_lab(truth, chunks[0], first), _mean_lab(truth, chunks[-1], last)
    first_error = _mean_lab(clip, chunks[0], first) - true_first
    last_error = _mean_lab(clip, chunks[-1], last) - true_last
    return float(deltaE_ciede2000(true_last + last_error, true_last + first_error))


def anderson_darling(values: npt.ArrayLike, samples: int = 8192, seed: int = 0) -> float:
    """Anderson–Darling statistic of `values` (any shape: inverted latents) against the normal distribution; lower is more Gaussian.

    METHOD section 2. Mean and variance are taken from the sample, so only the shape counts. `samples` values are drawn without
    repetition by `seed`: values of one shape are always judged at the same places. Fewer values are all taken.
    """
    flat = np.asarray(values, np.float64).reshape(-1)
    if flat.size > samples:
        flat = np.random.default_rng(seed).choice(flat, samples, replace=False)
    return float(anderson((flat - flat.mean()) / flat.std(), method="interpolate").statistic)


def matte_recall(matte: Plane, region: Mask) -> float:
    """Share of the edit region's pixels that the matte (both `[F, H, W]`, matte in 0..1) holds for at least half changed."""
    return _mean(matte[region] >= 0.5)


def matte_area_ratio(matte: Plane, region: Mask) -> float:
    """Pixels where the matte is not 0 (SOME_MATTE or more) over those of the edit region, both `[F, H, W]`."""
    return float((matte >= SOME_MATTE).sum() / region.sum()) if region.any() else math.nan


def _ssim_map(picture: Clip, truth: Clip) -> Plane:
    _, similarity = structural_similarity(
        picture, truth, data_range=1.0, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    return np.asarray(similarity.mean(axis=-1), np.float32)


def _flip_map(picture: Clip, truth: Clip) -> Plane:
    import flip_evaluator

    reference, test = (np.ascontiguousarray(np.clip(each, 0, 1), np.float32) for each in (truth, picture))
    error, _, _ = flip_evaluator.evaluate(reference, test, "LDR", inputsRGB=True, applyMagma=False, computeMeanError=False, parameters={})
    return np.asarray(error[..., 0], np.float32)


def _end_point_error(clip: Clip, flow: Flow) -> Plane:
    """`[F - 1, H, W]` in pixels."""
    seen = [seen_flow(*pair) for pair in pairwise(clip)]
    return np.asarray(np.linalg.norm(np.asarray(seen, np.float32).reshape(flow.shape) - flow, axis=-1), np.float32)


def _mean_lab(clip: Clip, frames: range, where: Mask) -> npt.NDArray[np.float64]:
    """Mean Lab `[3]` over the frames and the pixels of `where` `[frames, H, W]`."""
    colors = np.clip(clip[frames.start : frames.stop][where], 0, 1).astype(np.float64)
    return np.asarray(rgb2lab(colors).mean(axis=0), np.float64)


def _mean(values: npt.NDArray[np.floating] | Mask) -> float:
    return float(values.mean(dtype=np.float64)) if values.size else math.nan


def _require_alike(clip: Clip, truth: Clip) -> None:
    if clip.shape != truth.shape:
        raise ValueError(f"Clip and truth are of different shape: {clip.shape} and {truth.shape}.")
