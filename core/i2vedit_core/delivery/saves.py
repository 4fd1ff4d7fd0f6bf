"""Looks at the pictures that an artist saves: for the round trip, which runs this in a process of its own.

`python -m i2vedit_core.delivery.saves REFERENCE [LAST]` answers each line `{"path": FILE}` with a line of JSON: whether the
picture differs from the last one, how much of the reference is painted over, and where.
"""

import json
import sys
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from i2vedit_core.delivery.painted import EIGHT_BIT, SIXTEEN_BIT
from i2vedit_core.errors import BridgeError
from i2vedit_core.matte import painted_difference, was_painted
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.still import open_still


class Saves:
    """Knows the frame as it was exported and the last save that counted."""

    def __init__(self, reference: Path, last: Path | None = None) -> None:
        """Raises BridgeError EDIT_NOT_FOUND or EDIT_UNREADABLE."""
        self._reference = open_still(reference).pixels
        self._last = open_still(last).pixels if last else self._reference

    def look(self, path: Path) -> dict[str, Any]:
        """What a save holds. One that has changed becomes the last. Raises BridgeError EDIT_*, NOT_FINITE."""
        pixels = open_still(path).pixels
        height, width = pixels.shape[:2]
        if pixels.shape != self._reference.shape:
            # Whether the size can be used is told when the job is made.
            return {"changed": True, "size": [width, height]}
        changed = was_painted(painted_mask(self._last, pixels).astype(np.float32), exact=precision(pixels) == SIXTEEN_BIT)
        if changed:
            self._last = pixels
        return {"changed": changed, "size": [width, height], **_painted(self._reference, pixels)}


def precision(pixels: Picture) -> float:
    """The difference that the picture's own rounding may make: were all its codes those of eight bits, it was saved with eight."""
    codes = pixels * 255
    return EIGHT_BIT if bool((np.abs(codes - np.rint(codes)) < 1e-3).all()) else SIXTEEN_BIT


def painted_mask(before: Picture, after: Picture) -> NDArray[np.bool_]:
    """[H, W]: where two pictures of one size differ by more than their rounding."""
    return painted_difference(before, after) > max(precision(before), precision(after))


def _painted(reference: Picture, pixels: Picture) -> dict[str, Any]:
    """`share` of the picture in 0..1, `box` as x, y, width, height in pixels (null where nothing is painted), `eight_bit`."""
    mask = painted_mask(reference, pixels)
    facts = {"share": round(float(mask.mean()), 6), "eight_bit": precision(pixels) == EIGHT_BIT and bool(mask.any())}
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return {**facts, "box": None}
    x, y = int(columns[0]), int(rows[0])
    return {**facts, "box": [x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1]}


def answer(saves: Saves, lines: TextIO, out: TextIO) -> None:
    """One line for each line, until there are no more."""
    for line in lines:
        try:
            told = saves.look(Path(json.loads(line)["path"]))
        except BridgeError as error:
            told = {"code": error.code, "reason": error.reason, "message": error.sentence}
        out.write(json.dumps(told) + "\n")
        out.flush()


def main() -> None:
    """Raises BridgeError where the reference itself cannot be read."""
    reference, *last = map(Path, sys.argv[1:])
    answer(Saves(reference, last[0] if last else None), sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
