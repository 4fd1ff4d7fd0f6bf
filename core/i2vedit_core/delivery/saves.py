"""Looks at the pictures that an artist saves: for the round trip, which runs this in a process of its own.

`python -m i2vedit_core.delivery.saves REFERENCE [LAST]` answers each line `{"path": FILE}` with a line of JSON: whether the
picture differs from the last one that counted, how much of the reference is painted over, and where. After a line `{"counts": true}`,
answered with `{}`, the picture that was looked at is that last one.
"""

import json
import sys
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from i2vedit_core.errors import BridgeError
from i2vedit_core.matte import was_painted
from i2vedit_core.media.edited import EIGHT_BIT, SIXTEEN_BIT
from i2vedit_core.media.pixels import largest_difference
from i2vedit_core.media.still import EIGHT_BITS, Still, expect_stills, open_still


class Saves:
    """Knows the frame as it was exported and the last save that counted."""

    def __init__(self, reference: Path, last: Path | None = None) -> None:
        """Raises BridgeError EDIT_NOT_FOUND or EDIT_UNREADABLE."""
        self._reference = open_still(reference)
        self._last = open_still(last) if last else self._reference
        self._seen = self._last

    def look(self, path: Path) -> dict[str, Any]:
        """What a save holds, beside the last one that counted. Raises BridgeError EDIT_*, NOT_FINITE."""
        save = open_still(path)
        if save.size != self._reference.size:
            # Whether the size can be used is told when the job is made. Nothing can be compared with it.
            self._seen = self._last
            return {"changed": True, "size": list(save.size)}
        changed = was_painted(painted_mask(self._last, save).astype(np.float32), exact=precision(save) == SIXTEEN_BIT)
        self._seen = save
        return {"changed": changed, "size": list(save.size), **_painted(self._reference, save)}

    def count(self) -> None:
        """What was looked at is the last one now: it was whole, and a version came of it."""
        self._last = self._seen


def precision(still: Still) -> float:
    """The difference that the picture's own rounding may make."""
    return EIGHT_BIT if still.depth == EIGHT_BITS else SIXTEEN_BIT


def painted_mask(before: Still, after: Still) -> NDArray[np.bool_]:
    """[H, W]: where two pictures of one size differ by more than their rounding."""
    return largest_difference(before.pixels, after.pixels) > max(precision(before), precision(after))


def _painted(reference: Still, save: Still) -> dict[str, Any]:
    """`share` of the picture in 0..1, `box` as x, y, width, height in pixels (null where nothing is painted), `eight_bit`."""
    mask = painted_mask(reference, save)
    facts = {"share": round(float(mask.mean()), 6), "eight_bit": precision(save) == EIGHT_BIT and bool(mask.any())}
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return {**facts, "box": None}
    x, y = int(columns[0]), int(rows[0])
    return {**facts, "box": [x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1]}


def answer(saves: Saves, lines: TextIO, out: TextIO) -> None:
    """One line for each line, until there are no more."""
    for line in lines:
        out.write(json.dumps(_told(saves, json.loads(line))) + "\n")
        out.flush()


def _told(saves: Saves, asked: dict[str, Any]) -> dict[str, Any]:
    if "counts" in asked:
        saves.count()
        return {}
    try:
        return saves.look(Path(asked["path"]))
    except BridgeError as error:
        return {"code": error.code, "reason": error.reason, "message": error.sentence}


def main() -> None:
    """Raises BridgeError where the reference itself cannot be read."""
    reference, *last = map(Path, sys.argv[1:])
    expect_stills()
    answer(Saves(reference, last[0] if last else None), sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
