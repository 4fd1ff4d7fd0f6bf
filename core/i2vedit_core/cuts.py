"""What to do about cuts inside a range: they are found once for each plate and range, and no painted frame is carried across one."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.files import whole_file
from i2vedit_core.media.cuts import find_cuts
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.fingerprint import sha256_of_plate
from i2vedit_core.media.pixels import Picture
from i2vedit_core.media.repair import repaired
from i2vedit_core.media.source import reading_of
from i2vedit_core.media.working import Working
from i2vedit_core.progress import Reporter, Stage
from i2vedit_core.settings import Cuts, Settings
from i2vedit_core.shot import Shot

CUTS_FILE = "cuts.json"
_WAY_OF_FINDING = 1
"""To be counted up when other cuts would be found in the same frames."""


OnFrame = Callable[[int], None]
"""Called with the place of each frame that was looked at, from 0."""


def reported_cuts(shot: Shot, settings: Settings, artifacts: Artifacts, report: Reporter) -> tuple[int, ...]:
    """Source frame numbers at which another shot begins inside the range, as far as the settings want that to be minded. Reads the plate
    unless `artifacts` knows them already.

    Raises BridgeError CLIP_UNREADABLE, DISK_FULL, OUTPUT_NOT_WRITABLE, CANCELLED.
    """
    if settings.cuts is Cuts.IGNORE or len(shot) == 1:
        return ()
    folder = _folder(shot, artifacts)
    report.artifact(folder.name)
    return _found_in(folder, shot, lambda place: report.step(Stage.DECODE, 0, place, len(shot)))


def _found_in(folder: Path, shot: Shot, on_frame: OnFrame) -> tuple[int, ...]:
    path = folder / CUTS_FILE
    try:
        return tuple(int(frame) for frame in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        found = find_cuts(_seen(shot, on_frame), shot.first)
    text = json.dumps(found).encode()
    with whole_file(path, len(text), replace=True) as partial:
        partial.write_bytes(text)
    return found


def require_a_key_in_each(shot: Shot, cuts: Sequence[int], keys: Sequence[int]) -> None:
    """Raises BridgeError SHOT_CUT where a cut leaves frames of the range without a painted one on their side."""
    starts = (shot.first, *cuts)
    for start, end in zip(starts, (*(cut - 1 for cut in cuts), shot.last), strict=True):
        if not any(start <= key <= end for key in keys):
            raise _unpainted(shot, cuts, keys, start, end)


def _unpainted(shot: Shot, cuts: Sequence[int], keys: Sequence[int], start: int, end: int) -> BridgeError:
    """For the part `start` to `end` that has no painted frame. The way out is the part that has the first one, or to paint here too."""
    first = max((cut for cut in cuts if cut <= keys[0]), default=shot.first)
    last = min((cut - 1 for cut in cuts if cut > keys[0]), default=shot.last)
    at, word = (start, "after") if start > keys[0] else (end + 1, "before")
    sentence = (
        f"The range holds a cut at frame {at}; give --range {first}-{last}, or paint a frame {word} the cut, too. "
        "If it is no cut, give --cuts ignore."
    )
    return BridgeError(Code.FAILED_PRECONDITION, Reason.SHOT_CUT, sentence)


def _folder(shot: Shot, artifacts: Artifacts) -> Path:
    plate = sha256_of_plate(shot.clip, shot.first, shot.last)
    key = {"plate": plate, "reading": reading_of(shot.clip), "first": shot.first, "last": shot.last, "way": _WAY_OF_FINDING}
    return artifacts.folder("cuts", key)


def _seen(shot: Shot, on_frame: OnFrame) -> Iterator[Picture]:
    encode = Working.of(shot.clip.color_space).encode
    for place, frame in enumerate(decode_frames(shot.clip, shot.first, shot.last)):
        on_frame(place)
        yield encode(repaired(frame)[0][..., :3])
