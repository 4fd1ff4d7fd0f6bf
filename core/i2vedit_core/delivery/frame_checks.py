"""One delivered frame, held against what its ticket, its plate and the painted picture say it must be."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from i2vedit_core.delivery.colour import convert
from i2vedit_core.delivery.finding import Check, Finding, Kind
from i2vedit_core.delivery.form import CHANNELS, Form
from i2vedit_core.delivery.painted import Painted
from i2vedit_core.delivery.ticket import ATTRIBUTE_PREFIX, Ticket
from i2vedit_core.media.pixels import Picture
from i2vedit_core.settings import Alpha

LOSSY_TOLERANCE = 0.02
"""DWAA moves values up to 1 by 0.001 to 0.003 on average, and by a few times that on hard edges."""
LONGEST_VALUE = 60
MOST_NAMES = 3
BIT_PATTERNS = {2: np.uint16, 4: np.uint32}
ALPHA, MATTE = CHANNELS.index("A"), CHANNELS.index("matte.A")


@dataclass(frozen=True)
class StoredFrame:
    """A frame as it lies in its file: the header, and pixels `[H, W, 5]` float16 or float32."""

    number: int
    spec: Any
    pixels: NDArray[Any]

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Where nothing was edited, `[H, W]`."""
        return np.asarray(self.pixels[:, :, MATTE] == 0)

    def fault(self, check: Check, what: str) -> Finding:
        return Finding(Kind.FAULT, check, f"Frame {self.number}: {what}", self.number)


def expected_header(form: Form, ticket: Ticket, frame: int) -> Any:
    """What a frame's header must say, as an ImageSpec."""
    spec = form.header(frame)
    for name, value in ticket.attributes().items():
        spec.attribute(name, value)
    return spec


def open_frame(path: Path, number: int, expected: Any) -> tuple[StoredFrame | None, list[Finding]]:
    """The frame, unless it cannot be read to its end, and what is wrong with its header."""
    source = oiio.ImageInput.open(str(path))
    if source is None:
        oiio.geterror()
        return None, [_unreadable(number)]
    spec = source.spec()
    findings = _header_faults(spec, expected, number)
    # Pixels of another shape could be compared with nothing, and may be more than there is memory for.
    fits = (spec.width, spec.height, spec.nchannels) == (expected.width, expected.height, len(CHANNELS))
    pixels = source.read_image(0, 0, 0, len(CHANNELS), oiio.UNKNOWN) if fits else None
    source.geterror()
    source.close()
    if fits and pixels is None:
        findings.append(_unreadable(number))
    return (None if pixels is None else StoredFrame(number, spec, pixels)), findings


def _unreadable(number: int) -> Finding:
    sentence = f"Frame {number}: its file is cut off or damaged and cannot be read to its end."
    return Finding(Kind.FAULT, Check.READABLE, sentence, number)


def _header_faults(found: Any, expected: Any, number: int) -> list[Finding]:
    differing = list(_differences(found, expected))
    named = dict(differing)
    frame_name = ATTRIBUTE_PREFIX + "frame"
    if frame_name in named:
        sentence = f"Frame {number}: its header is that of frame {found.getattribute(frame_name)}; was the file renamed?"
    elif differing:
        names = ", ".join(f"{name} {words}".strip() for name, words in differing[:MOST_NAMES])
        more = f" and {len(differing) - MOST_NAMES} more" if len(differing) > MOST_NAMES else ""
        sentence = f"Frame {number}: its header is not what the ticket says: {names}{more}."
    else:
        return []
    return [Finding(Kind.FAULT, Check.HEADER, sentence, number)]


def _differences(found: Any, expected: Any) -> Iterator[tuple[str, str]]:
    """Each thing that a header says otherwise, with both sayings where they are short."""
    for name, is_there, wanted in _shape(found, expected):
        if is_there != wanted:
            yield name, _both(is_there, wanted)
    for attribute in expected.extra_attribs:
        is_there = found.getattribute(attribute.name)
        if not _same(is_there, attribute.value):
            yield attribute.name, _both(is_there, attribute.value)


def _shape(found: Any, expected: Any) -> Iterator[tuple[str, Any, Any]]:
    yield "channels", tuple(found.channelnames), tuple(expected.channelnames)
    yield "depth", str(found.format), str(expected.format)
    yield "data window", (found.x, found.y, found.width, found.height), (expected.x, expected.y, expected.width, expected.height)
    full = tuple(getattr(found, f"full_{part}") for part in ("x", "y", "width", "height"))
    yield "display window", full, tuple(getattr(expected, f"full_{part}") for part in ("x", "y", "width", "height"))


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and isinstance(found, float):
        return bool(np.float32(found) == np.float32(wanted))
    # OpenImageIO adds the quality to a lossy compression's name.
    return bool(found == wanted) or (isinstance(found, str) and isinstance(wanted, str) and found.partition(":")[0] == wanted != "")


def _both(found: Any, wanted: Any) -> str:
    if found is None:
        return "(missing)"
    words = f"({found} instead of {wanted})"
    return words if len(words) <= LONGEST_VALUE else ""


def matte_and_alpha(frame: StoredFrame, form: Form) -> Iterator[Finding]:
    """Whether the matte lies within 0..1, and the alpha is the matte where that was asked for."""
    matte = frame.pixels[:, :, MATTE]
    if not (np.isfinite(matte).all() and matte.min() >= 0 and matte.max() <= 1):
        yield frame.fault(Check.MATTE, "its matte has values outside 0 to 1.")
    if form.alpha is Alpha.MATTE and not np.array_equal(frame.pixels[:, :, ALPHA], matte):
        yield frame.fault(Check.ALPHA, "its alpha is not the matte, as it must be in a patch.")


def outside_matte(frame: StoredFrame, plate: Picture, form: Form) -> tuple[list[Finding], float]:
    """Whether every pixel outside the matte is the plate's `[H, W, 3 or 4]`, and by how much it is not at most."""
    expected = _as_delivered(plate, form, frame.pixels.dtype)
    outside, stored = frame.outside, frame.pixels[:, :, :MATTE]
    # A file may hold NaN, and a difference of infinities is one.
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(stored.astype(np.float32) - expected.astype(np.float32)).max(axis=2)
    differs = outside & (~(distance <= LOSSY_TOLERANCE) if form.lossy else _bits_differ(stored, expected))
    finite = distance[outside & np.isfinite(distance)]
    largest = float(finite.max()) if finite.size else 0.0
    if not differs.any():
        return [], largest
    top, left = np.argwhere(differs)[0]
    count = int(differs.sum())
    pixels = f"{count} pixels outside the matte are" if count > 1 else "1 pixel outside the matte is"
    what = f"{pixels} not the plate's (first at x {left}, y {top}; off by up to {_number(distance[differs])})."
    return [frame.fault(Check.PLATE, what)], largest


def _number(distances: Picture) -> str:
    largest = float(distances.max())
    return f"{largest:.2g}" if np.isfinite(largest) else "a value that is no number"


def _as_delivered(plate: Picture, form: Form, dtype: np.dtype[Any]) -> NDArray[Any]:
    """R, G, B and A of a frame in which nothing was edited, in the file's own depth."""
    height, width, channels = plate.shape
    if form.alpha is Alpha.MATTE:
        return np.zeros((height, width, 4), dtype)
    colour = convert(plate[:, :, :3], form.plate_space, form.color_space)
    alpha = plate[:, :, 3:] if channels == 4 else np.ones((height, width, 1), np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.concatenate((colour * alpha if channels == 4 and not form.premultiplied else colour, alpha), axis=2).astype(dtype)


def _bits_differ(stored: NDArray[Any], expected: NDArray[Any]) -> NDArray[np.bool_]:
    """Where pixels are not the same bit for bit, `[H, W]`. Half floats cannot carry all of a NaN, so there any is as good as another."""
    bits = BIT_PATTERNS[stored.dtype.itemsize]
    differ = np.ascontiguousarray(stored).view(bits) != np.ascontiguousarray(expected).view(bits)
    if stored.dtype.itemsize == 2:
        differ &= ~(np.isnan(stored) & np.isnan(expected))
    return np.asarray(differ.any(axis=2))


def as_painted(frame: StoredFrame, painted: Painted, form: Form) -> Iterator[Finding]:
    """Whether the painted frame holds what was painted: wholly where its matte is 1, and somehow wherever paint is."""
    if not painted.changed:
        return
    matte = frame.pixels[:, :, MATTE]
    lost = int(((painted.difference > painted.precision) & (matte == 0)).sum())
    if lost:
        yield frame.fault(Check.PAINTED, f"{lost} painted pixels are missing: the matte leaves them out.")
    expected = convert(painted.picture, form.plate_space, form.color_space).astype(frame.pixels.dtype)
    distance = np.abs(frame.pixels[:, :, :3].astype(np.float32) - expected.astype(np.float32)).max(axis=2)
    differs = (matte == 1) & (distance > (LOSSY_TOLERANCE if form.lossy else 0))
    if differs.any():
        what = f"{int(differs.sum())} pixels are not as they were painted (off by up to {_number(distance[differs])})."
        yield frame.fault(Check.PAINTED, what)
