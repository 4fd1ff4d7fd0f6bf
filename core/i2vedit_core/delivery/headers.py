"""What frames' headers say beside the ticket, by name: written here, and read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio

from i2vedit_core.delivery.ticket import ATTRIBUTE_PREFIX

Value = str | float | tuple[float, ...]
Colour = tuple[float, ...]
COLOURS = ("model_outside", "source_outside")
SAID = ("inside", "delta_share", "matte_flicker", "matte_area", "confidence", "flow_error", *COLOURS, "repaired")
"""What a frame's header says beside form and ticket."""


def tell(spec: Any, values: Mapping[str, Value]) -> None:
    """Writes values into a header."""
    for name, value in values.items():
        if isinstance(value, tuple):
            spec.attribute(ATTRIBUTE_PREFIX + name, oiio.TypeDesc(f"float[{len(value)}]"), value)
        else:
            spec.attribute(ATTRIBUTE_PREFIX + name, value)


def said_in(spec: Any) -> dict[str, Value]:
    """What a frame's header says, to be said again."""
    found = {name: spec.getattribute(ATTRIBUTE_PREFIX + name) for name in SAID}
    return {name: value for name, value in found.items() if isinstance(value, (str, int, float, tuple))}


@dataclass(frozen=True)
class Heard:
    """What was told of a frame. None: nothing was."""

    matte_area: float | None
    flicker: float | None
    flow_error: float | None
    confidence: float | None
    model_outside: Colour | None
    source_outside: Colour | None


def hear(path: Path) -> Heard | None:
    """What the header of a delivered frame tells; None where it cannot be read."""
    source = oiio.ImageInput.open(str(path))
    if source is None:
        oiio.geterror()
        return None
    spec = source.spec()
    source.close()
    area, flicker, flow_error, confidence = (
        _number(spec.getattribute(ATTRIBUTE_PREFIX + name)) for name in ("matte_area", "matte_flicker", "flow_error", "confidence")
    )
    edited, true = (_colour(spec.getattribute(ATTRIBUTE_PREFIX + name)) for name in COLOURS)
    return Heard(area, flicker, flow_error, confidence, edited, true)


def _number(found: Any) -> float | None:
    return float(found) if isinstance(found, (int, float)) and np.isfinite(found) else None


def _colour(found: Any) -> Colour | None:
    values = tuple(_number(value) for value in found) if isinstance(found, tuple) else ()
    numbers = tuple(value for value in values if value is not None)
    return numbers if len(numbers) == len(values) == 3 else None
