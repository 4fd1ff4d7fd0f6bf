"""ICC profiles of the matrix and curve kind (ICC.1:2022): what a paint program shows, and what it means.

Little CMS by way of Pillow works in 8 bits alone, and OCIO clips what lies beyond 0..1; the formulas are short, and here they are in float.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from i2vedit_core.media.pixels import Picture

Numbers = NDArray[np.float64]

SAME_LIGHT = 5e-4
"""Profiles of one meaning differ by their makers' rounding; more than that, in linear light, is another meaning."""
_PARAMETERS = {0: "g", 1: "gab", 2: "gabe", 3: "gabcd", 4: "gabcdef"}
"""Parameters of the function types of a parametric curve, in their order in the file. In type 2 the constant counts on both sides."""


class UnknownProfileError(ValueError):
    """A profile that is damaged, or of another kind."""


@dataclass(frozen=True)
class Parametric:
    """Light = (a v + b)^g + e from v = d on, c v + f below."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = -np.inf
    e: float = 0.0
    f: float = 0.0

    def to_light(self, values: Numbers) -> Numbers:
        base = self.a * values + self.b
        # Odd about its own zero, so that what lies below black keeps its place.
        power = np.sign(base) * np.abs(base) ** self.g + self.e
        return np.where(values >= self.d, power, self.c * values + self.f)

    def to_values(self, light: Numbers) -> Numbers:
        base = light - self.e
        power = (np.sign(base) * np.abs(base) ** (1 / self.g) - self.b) / self.a
        if self.c == 0:
            return power
        return np.where(power >= self.d, power, (light - self.f) / self.c)


@dataclass(frozen=True, eq=False)
class Table:
    """Light at evenly spaced values from 0 to 1; beyond 1 it goes on as straight as it ends."""

    light: Numbers

    def to_light(self, values: Numbers) -> Numbers:
        return _interpolated(values, np.linspace(0, 1, len(self.light)), self.light)

    def to_values(self, light: Numbers) -> Numbers:
        return _interpolated(light, self.light, np.linspace(0, 1, len(self.light)))


def _interpolated(x: Numbers, xs: Numbers, ys: Numbers) -> Numbers:
    slope = (ys[-1] - ys[-2]) / max(xs[-1] - xs[-2], 1e-9)
    return np.asarray(np.interp(x, xs, ys) + np.maximum(x - xs[-1], 0) * slope)


Curve = Parametric | Table


@dataclass(frozen=True, eq=False)
class Profile:
    """RGB values to and from the profile connection space: XYZ under D50, 1 is the display's white."""

    name: str
    matrix: Numbers
    """[3, 3]: XYZ = matrix @ light."""
    curves: tuple[Curve, Curve, Curve]

    def to_xyz(self, picture: Picture) -> Numbers:
        """[..., 3] values -> [..., 3] XYZ."""
        light = [curve.to_light(picture[..., c].astype(np.float64)) for c, curve in enumerate(self.curves)]
        return np.stack(light, axis=-1) @ self.matrix.T

    def from_xyz(self, xyz: Numbers) -> Picture:
        """[..., 3] XYZ -> [..., 3] float32 values, relative colorimetric, nothing clipped."""
        light = xyz @ np.linalg.inv(self.matrix).T
        return np.stack([curve.to_values(light[..., c]) for c, curve in enumerate(self.curves)], axis=-1).astype(np.float32)

    def means(self, other: "Profile") -> bool:
        """Whether both show every colour alike."""
        steps = np.linspace(0, 1, 9, dtype=np.float32)
        colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1)
        return bool(np.abs(self.to_xyz(colours) - other.to_xyz(colours)).max() <= SAME_LIGHT)


def read_profile(data: bytes) -> Profile:
    """Raises UnknownProfileError unless the profile is of RGB by matrix and curves."""
    try:
        if data[16:20] != b"RGB " or data[20:24] != b"XYZ ":
            raise UnknownProfileError("it is not a profile of RGB by matrix and curves")
        (count,) = struct.unpack_from(">I", data, 128)
        entries = (struct.unpack_from(">4sII", data, 132 + 12 * index) for index in range(min(count, 200)))
        found = {name: data[offset : offset + size] for name, offset, size in entries}
        columns = [_read_xyz(found[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        red, green, blue = (_read_curve(found[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
        matrix = np.array(columns, np.float64).T
        np.linalg.inv(matrix)
    except (KeyError, struct.error, ValueError, np.linalg.LinAlgError) as error:
        raise UnknownProfileError(str(error)) from error
    return Profile(_read_name(found.get(b"desc", b"")), matrix, (red, green, blue))


def _read_xyz(tag: bytes) -> tuple[float, float, float]:
    x, y, z = struct.unpack_from(">iii", tag, 8)
    return x / 65536, y / 65536, z / 65536


def _read_curve(tag: bytes) -> Curve:
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        names = _PARAMETERS.get(kind)
        if names is None:
            raise UnknownProfileError(f"it has a curve of type {kind}")
        return _parametric(kind, [number / 65536 for number in struct.unpack_from(f">{len(names)}i", tag, 12)])
    if tag[:4] != b"curv":
        raise UnknownProfileError("it has no curves")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return Parametric(1.0)
    if count == 1:
        return Parametric(struct.unpack_from(">H", tag, 12)[0] / 256)
    return Table(np.maximum.accumulate(np.frombuffer(tag, ">u2", count, 12).astype(np.float64) / 65535))


def _parametric(kind: int, numbers: list[float]) -> Parametric:
    given = dict(zip(_PARAMETERS[kind], numbers, strict=True))
    if kind in (1, 2):
        given["d"] = -given["b"] / given["a"]
        given["f"] = given.get("e", 0.0)
    if given["g"] <= 0 or given.get("a", 1.0) == 0:
        raise UnknownProfileError("it has a curve that cannot be inverted")
    return Parametric(**given)


def _read_name(tag: bytes) -> str:
    try:
        if tag[:4] == b"desc":
            (count,) = struct.unpack_from(">I", tag, 8)
            return tag[12 : 12 + count].split(b"\0")[0].decode("ascii", "replace").strip()
        if tag[:4] == b"mluc":
            size, offset = struct.unpack_from(">II", tag, 20)
            return tag[offset : offset + size].decode("utf-16-be", "replace").strip("\0 ")
    except struct.error:
        return ""
    return ""
