"""CIE Lab, and how different two colours look (CIEDE2000: Sharma, Wu and Dalal 2005)."""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
_WHITE = _TO_XYZ.sum(axis=1)


def lab(srgb: npt.ArrayLike) -> Values:
    """Colours [..., 3], sRGB in 0..1, to Lab [..., 3] (D65)."""
    encoded = np.clip(np.asarray(srgb, np.float64), 0, 1)
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _TO_XYZ.T / _WHITE
    x, y, z = np.moveaxis(np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def delta_e_2000(first: npt.ArrayLike, second: npt.ArrayLike) -> Values:
    """CIEDE2000 of Lab colours [..., 3]: [...], about 1 for what can just be told apart."""
    l1, l2, c1, c2, h1, h2 = _lightness_chroma_hue(np.asarray(first, np.float64), np.asarray(second, np.float64))
    gray = c1 * c2 == 0
    turn = np.where(gray, 0.0, (h2 - h1 + 180) % 360 - 180)
    apart = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = np.where(gray, h1 + h2, h1 + turn / 2)
    wave = sum(
        weight * np.cos(np.radians(times * hue + shift))
        for weight, times, shift in ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))
    )
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * (1 + wave)
    around_blue = 30 * np.exp(-np.square((hue % 360 - 275) / 25))
    rotation = -2 * _toward_blue(chroma) * np.sin(np.radians(2 * around_blue))
    parts = (l2 - l1) / s_l, (c2 - c1) / s_c, apart / s_h
    return np.asarray(np.sqrt(np.maximum(sum(part**2 for part in parts) + rotation * parts[1] * parts[2], 0)), np.float64)


def _lightness_chroma_hue(first: Values, second: Values) -> tuple[Values, ...]:
    """L, C' and h' in degrees of both, a stretched where colours are dull."""
    chroma = (np.hypot(first[..., 1], first[..., 2]) + np.hypot(second[..., 1], second[..., 2])) / 2
    stretch = 1.5 - 0.5 * _toward_blue(chroma)
    axes = [(each[..., 1] * stretch, each[..., 2]) for each in (first, second)]
    chromas = [np.hypot(a, b) for a, b in axes]
    hues = [np.degrees(np.arctan2(b, a)) % 360 for a, b in axes]
    return first[..., 0], second[..., 0], *chromas, *hues


def _toward_blue(chroma: Values) -> Values:
    return np.asarray(np.sqrt(chroma**7 / (chroma**7 + 25.0**7)), np.float64)
