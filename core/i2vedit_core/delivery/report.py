"""`report.json`: how a delivery holds together, frame by frame and join by join, and which frame to paint next for a better one."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from i2vedit_core.delivery.headers import Heard, hear
from i2vedit_core.delivery.seams import Parts, find_seams
from i2vedit_core.delivery.sequence import frame_path
from i2vedit_core.files import whole_file
from i2vedit_core.quality import FrameQuality, JoinQuality, Note, Report, Suggestion
from i2vedit_core.shot import Shot

REPORT_FILE = "report.json"
UNSURE = 0.5
"""Confidence below which a frame is worth painting, where it stays below for STAYS frames."""
STAYS = 6
SUGGESTIONS = 3
APART = 12
"""Frames between suggestions, and between them and what is painted already."""
VISIBLE_SEAM = 1.5
"""Beside still neighbours a small change is many times theirs, so it must also be JUST_SEEN."""
JUST_SEEN, VISIBLE_DRIFT = 1.0, 3.0
"""CIEDE2000."""


def write_report(folder: Path, shot: Shot, parts: Parts) -> Report:
    """Writes the report into a finished version folder, from the frames as they lie there. Raises BridgeError."""
    report = make_report(shot, parts, _heard(folder, shot), tuple(find_seams(folder, shot, parts)))
    text = report.to_json().encode()
    with whole_file(folder / REPORT_FILE, len(text), replace=True) as partial:
        partial.write_bytes(text)
    return report


def _heard(folder: Path, shot: Shot) -> dict[int, Heard]:
    found = ((frame, hear(frame_path(folder, frame))) for frame in range(shot.first, shot.last + 1))
    return {frame: heard for frame, heard in found if heard is not None}


def make_report(shot: Shot, parts: Parts, heard: dict[int, Heard], seams: tuple[JoinQuality, ...]) -> Report:
    """The report of what is known of each frame and join."""
    frames = tuple(_quality(frame, frame in parts.keys, heard.get(frame)) for frame in range(shot.first, shot.last + 1))
    drift = drift_of(shot, parts, heard)
    return Report(frames, seams, drift, suggest(frames), tuple(_notes(parts, seams, drift)))


def _quality(frame: int, key: bool, heard: Heard | None) -> FrameQuality:
    if key:
        return FrameQuality(frame, True, heard.matte_area if heard else None, None, None, 1.0)
    if heard is None:
        return FrameQuality(frame, False, None, None, None, None)
    return FrameQuality(frame, False, heard.matte_area, heard.flicker, heard.flow_error, heard.confidence)


def drift_of(shot: Shot, parts: Parts, heard: dict[int, Heard]) -> float | None:
    """How far a chunk's colour error outside the edit lies from that of the nearest chunk with a painted frame, at most."""
    borders = sorted({shot.first, *parts.joins, *parts.cuts, shot.last + 1})
    chunks = [range(*each) for each in pairwise(borders)]
    errors = [_colour_error(chunk, heard) for chunk in chunks]
    anchors = [index for index, chunk in enumerate(chunks) if errors[index] is not None and any(key in chunk for key in parts.keys)]
    found = []
    for index, error in enumerate(errors):
        anchor = errors[min(anchors, key=lambda each: abs(each - index))] if anchors else None
        if error is not None and anchor is not None and index not in anchors:
            true, edited = error
            found.append(float(deltaE_ciede2000(edited, true + anchor[1] - anchor[0])))
    return max(found, default=None)


def _colour_error(chunk: Iterable[int], heard: dict[int, Heard]) -> tuple[Any, Any] | None:
    """Mean Lab colour outside the edit: of the source, and of what the model made of it."""
    known = [heard[frame] for frame in chunk if frame in heard]
    pairs = [(each.source_outside, each.model_outside) for each in known if each.source_outside and each.model_outside]
    if not pairs:
        return None
    source, model = (np.mean(rgb2lab(np.clip(colours, 0, 1)), axis=0) for colours in zip(*pairs, strict=True))
    return source, model


def suggest(frames: Sequence[FrameQuality]) -> tuple[Suggestion, ...]:
    """Where confidence falls below UNSURE and stays there: the frames where it is lowest, in their order."""
    taken = [frame.frame for frame in frames if frame.key]
    chosen: list[FrameQuality] = []
    for frame in sorted(_staying_unsure(frames), key=lambda each: (each.confidence, each.frame)):
        if len(chosen) < SUGGESTIONS and all(abs(frame.frame - other) >= APART for other in taken):
            chosen.append(frame)
            taken.append(frame.frame)
    return tuple(Suggestion(frame.frame, _why(frame)) for frame in sorted(chosen, key=lambda each: each.frame))


def _staying_unsure(frames: Sequence[FrameQuality]) -> list[FrameQuality]:
    found: list[FrameQuality] = []
    run: list[FrameQuality] = []
    for frame in [*frames, None]:
        if frame is not None and frame.confidence is not None and frame.confidence < UNSURE:
            run.append(frame)
            continue
        found += run if len(run) >= STAYS else []
        run = []
    return found


def _why(frame: FrameQuality) -> str:
    share = round(100 * (frame.confidence or 0))
    return f"Only {share} % of the edit can be followed back to a painted frame here."


def _notes(parts: Parts, seams: Sequence[JoinQuality], drift: float | None) -> Iterable[Note]:
    for cut in parts.cuts:
        yield Note(cut, "note", f"A shot begins at frame {cut}; each side of the cut is carried from its own painted frame.")
    for seam in seams:
        if seam.seam_ratio is not None and seam.seam_ratio > VISIBLE_SEAM and (seam.delta_e or 0.0) >= JUST_SEEN:
            yield Note(seam.frame, "warning", f"The edit changes {seam.seam_ratio:.1f} times as much at frame {seam.frame} as beside it.")
    if drift is not None and drift > VISIBLE_DRIFT:
        yield Note(
            None, "note", f"The model's colours drift by {drift:.1f} ΔE2000 over the shot. Outside the matte nothing of that is delivered."
        )
