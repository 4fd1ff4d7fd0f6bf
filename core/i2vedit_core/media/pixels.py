"""Planar frames as decoders give them -> RGB, in float32 and by the textbook formulas (ITU-T H.273, 8.3).

ffmpeg's own conversion stops at 8 bits of precision for limited-range material (measured: up to 1/257 off, whatever the
output depth), so ffmpeg only unpacks and the arithmetic is here. It gives the same bits with every ffmpeg.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from i2vedit_core.media import tags
from i2vedit_core.media.clip import ClipInfo, Orientation

Plane = NDArray[Any]
"""`[h, w]` uint8 or uint16."""
Picture = NDArray[np.float32]

_FACTORS = {"444": (1, 1), "422": (2, 1), "420": (2, 2), "440": (1, 2), "411": (4, 1), "410": (4, 4)}
_PLANAR = re.compile(r"(?:(?P<gray>gray)|(?P<rgb>gbr)(?P<rgb_alpha>a?)p|yuvj?(?P<alpha>a?)(?P<sub>\d{3})p)(?P<depth>\d*)(?:le)?")


def largest_difference(first: Picture, second: Picture) -> Picture:
    """Over R, G and B, between two pictures or stacks of them `[..., h, w, 3 or more]`: `[..., h, w] float32`.

    Three maxima of whole planes: a maximum along an axis of three is several times slower.
    """
    apart = first[..., :3] - second[..., :3]
    np.abs(apart, out=apart)
    return np.asarray(np.maximum(np.maximum(apart[..., 0], apart[..., 1]), apart[..., 2]), np.float32)


@dataclass(frozen=True)
class Layout:
    """How the planes of one frame lie behind each other in ffmpeg's raw output."""

    width: int
    height: int
    depth: int
    is_rgb: bool
    is_gray: bool
    has_alpha: bool
    chroma_factors: tuple[int, int]
    """Luma samples per chroma sample, across and down."""

    @classmethod
    def of(cls, clip: ClipInfo) -> "Layout":
        match = _PLANAR.fullmatch(clip.planar_format)
        if match is None:
            raise ValueError(f"{clip.planar_format} is not one of the planar formats that a scan gives.")
        return cls(
            width=clip.stored_size[0],
            height=clip.stored_size[1],
            depth=int(match["depth"] or 8),
            is_rgb=bool(match["rgb"]),
            is_gray=bool(match["gray"]),
            has_alpha=bool(match["rgb_alpha"] or match["alpha"]),
            chroma_factors=_FACTORS[match["sub"]] if match["sub"] else (1, 1),
        )

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(height, width) of each plane, in file order."""
        luma = (self.height, self.width)
        if self.is_gray:
            return [luma]
        across, down = self.chroma_factors
        chroma = (-(-self.height // down), -(-self.width // across))
        return [luma, chroma, chroma] + ([luma] if self.has_alpha else [])

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype("u1") if self.depth == 8 else np.dtype("<u2")

    @property
    def frame_bytes(self) -> int:
        return sum(h * w for h, w in self.shapes) * self.dtype.itemsize

    def planes(self, raw: bytes) -> list[Plane]:
        """The planes of one raw frame, each `[h, w]` uint8 or uint16, without a copy."""
        planes: list[Plane] = []
        start = 0
        for height, width in self.shapes:
            plane: Plane = np.frombuffer(raw, self.dtype, height * width, start).reshape(height, width)
            planes.append(plane)
            start += plane.nbytes
        return planes


def _upsample(plane: Picture, axis: int, factor: int, size: int, co_sited: bool) -> Picture:
    """Linear interpolation along one axis to `size` samples. Co-sited: sample 0 lies on luma sample 0, else between them."""
    if factor == 1:
        return plane
    source = np.moveaxis(plane, axis, 0)
    padded = np.concatenate((source[:1], source, source[-1:]))
    out = np.empty((source.shape[0] * factor, *source.shape[1:]), np.float32)
    offset = Fraction(0) if co_sited else Fraction(factor - 1, 2)
    for phase in range(factor):
        position = (phase - offset) / factor
        base = position.__floor__()
        weight = np.float32(float(position - base))
        here, there = padded[1 + base : 1 + base + len(source)], padded[2 + base : 2 + base + len(source)]
        out[phase::factor] = here + weight * (there - here) if weight else here
    return np.moveaxis(out[:size], 0, axis)


def _chroma_sites(clip: ClipInfo) -> tuple[bool, bool]:
    """Whether chroma is co-sited with luma (across, down), as each family of codecs has it by default."""
    if clip.codec in ("mjpeg", "mpeg1video", "vp8"):
        return False, False
    if clip.codec == "dvvideo" or clip.transfer in ("smpte2084", "arib-std-b67"):
        return True, True
    return True, False


def _chroma(plane: Plane, layout: Layout, clip: ClipInfo) -> Picture:
    """One chroma plane centred on 0 and scaled to -0.5..0.5 nominal, at luma size: `[H, W] float32`."""
    step = 1 << (layout.depth - 8)
    scale = (1 << layout.depth) - 1 if clip.full_range else 224 * step
    centred = (plane.astype(np.float32) - np.float32(128 * step)) / np.float32(scale)
    across, down = _chroma_sites(clip)
    tall = _upsample(centred, 0, layout.chroma_factors[1], layout.height, down)
    return _upsample(tall, 1, layout.chroma_factors[0], layout.width, across)


def _luma(plane: Plane, layout: Layout, full_range: bool) -> Picture:
    """Luma (or an RGB or alpha plane) with black at 0 and white at 1: `[H, W] float32`."""
    if full_range:
        return plane.astype(np.float32) / np.float32((1 << layout.depth) - 1)
    step = 1 << (layout.depth - 8)
    return (plane.astype(np.float32) - np.float32(16 * step)) / np.float32(219 * step)


def _fill_from_yuv(out: Picture, planes: list[Plane], layout: Layout, clip: ClipInfo) -> None:
    weight_r, weight_b = tags.LUMA_WEIGHTS[clip.matrix]
    weight_g = 1 - weight_r - weight_b
    y = _luma(planes[0], layout, clip.full_range)
    u, v = (_chroma(plane, layout, clip) for plane in planes[1:3])
    np.add(y, v * np.float32(2 * (1 - weight_r)), out=out[:, :, 0])
    np.add(y, u * np.float32(2 * (1 - weight_b)), out=out[:, :, 2])
    y -= u * np.float32(2 * (1 - weight_b) * weight_b / weight_g)
    np.subtract(y, v * np.float32(2 * (1 - weight_r) * weight_r / weight_g), out=out[:, :, 1])


def to_rgb(raw: bytes, layout: Layout, clip: ClipInfo) -> Picture:
    """One raw frame -> `[H, W, 3] float32` (4 with alpha, not multiplied in), as shown on the screen.

    0 is black and 1 is white of the plate's own encoding. What limited-range footage holds below black, above white or
    outside the RGB cube is kept, so values may lie a little outside 0..1.
    """
    planes = layout.planes(raw)
    out = np.empty((layout.height, layout.width, 4 if layout.has_alpha else 3), np.float32)
    if layout.is_gray:
        out[:, :, :3] = _luma(planes[0], layout, clip.full_range)[:, :, None]
    elif layout.is_rgb:
        for channel, plane in zip((1, 2, 0), planes, strict=False):
            out[:, :, channel] = _luma(plane, layout, full_range=True)
    else:
        _fill_from_yuv(out, planes, layout, clip)
    if layout.has_alpha:
        out[:, :, 3] = _luma(planes[3], layout, full_range=True)
    return turned(out, clip.orientation)


def turned(picture: Picture, turn: Orientation) -> Picture:
    """A stored picture `[h, w, C]` as it is shown `[H, W, C]`."""
    if turn.swaps_axes:
        picture = picture.transpose(1, 0, 2)
    if turn.flips_x:
        picture = picture[:, ::-1]
    if turn.flips_y:
        picture = picture[::-1]
    return np.ascontiguousarray(picture)
