"""Approved frames: taken over from an earlier version as they are. What lies next to them goes on from them, as from painted frames."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from i2vedit_core.delivery.form import Form
from i2vedit_core.delivery.verify import list_frames, read_ticket
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.fingerprint import sha256_of_frames
from i2vedit_core.settings import Alpha, DeliverySettings
from i2vedit_core.shot import Edit, Shot, in_order

Range = tuple[int, int]
"""First and last source frame, both inclusive."""


@dataclass(frozen=True)
class Pins:
    """Ranges of frames of one delivered version."""

    folder: Path
    ranges: tuple[Range, ...]
    """In order, and none touches another."""
    files: dict[int, Path]
    """Of every pinned frame."""

    @classmethod
    def open(cls, folder: Path, ranges: Sequence[Range], shot: Shot, delivery: DeliverySettings) -> "Pins":
        """Reads the version's ticket and finds the frames. Raises BridgeError PIN_UNUSABLE, RANGE_OUTSIDE_CLIP."""
        try:
            ticket, form = read_ticket(folder)
        except ValueError as error:
            raise _unusable(str(error)) from error
        joined = _joined(ranges)
        for first, last in joined:
            _check_range(first, last, shot)
        _check_form(form, Form.of(shot.clip, delivery), folder.name)
        found, _ = list_frames(folder, ticket)
        wanted = [frame for first, last in joined for frame in range(first, last + 1)]
        missing = [frame for frame in wanted if frame not in found]
        if missing:
            raise _unusable(f"Frame {missing[0]} is pinned, and '{folder.name}' has no such frame; pin frames that it has.")
        return cls(folder, joined, {frame: found[frame] for frame in wanted})

    @property
    def edges(self) -> tuple[int, ...]:
        """The frames that others go on from."""
        return tuple(sorted({frame for each in self.ranges for frame in each}))

    def edits(self, shot: Shot) -> list[Edit]:
        """The edges as painted frames. Raises BridgeError EDIT_*."""
        return [Edit.open(self.files[frame], shot, frame) for frame in self.edges]

    def check_free(self, frames: Iterable[int]) -> None:
        """Raises BridgeError PIN_UNUSABLE where one of these painted frames is pinned, too."""
        for frame in frames:
            if frame in self.files:
                raise _unusable(f"Frame {frame} is painted and pinned; leave it out of the one or the other.")


def all_edits(edits: Iterable[Edit], shot: Shot, pins: Pins | None) -> tuple[Edit, ...]:
    """Painted frames and edges of pinned ranges, by frame. Raises BridgeError as `in_order`, and PIN_UNUSABLE, EDIT_*."""
    painted = in_order(edits)
    if pins is None:
        return painted
    pins.check_free(edit.frame for edit in painted)
    return in_order([*painted, *pins.edits(shot)])


def pinned_note(pins: Pins | None) -> dict[str, object]:
    """For the ticket; empty where nothing is pinned."""
    if pins is None:
        return {}
    ranges = [list(each) for each in pins.ranges]
    return {"path": str(pins.folder), "version": pins.folder.name, "ranges": ranges, "sha256": sha256_of_frames(pins.files)}


def _joined(ranges: Sequence[Range]) -> tuple[Range, ...]:
    """In order, with those that touch or overlap made one."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return tuple(joined)


def _check_range(first: int, last: int, shot: Shot) -> None:
    if not shot.first <= first <= last <= shot.last:
        sentence = f"Frames {first} to {last} are pinned; the shot has frames {shot.first} to {shot.last}."
        raise BridgeError(Code.OUT_OF_RANGE, Reason.RANGE_OUTSIDE_CLIP, sentence)


def _check_form(theirs: Form, ours: Form, version: str) -> None:
    """Pixels are taken over as they are, and read as painted on the plate."""
    if theirs.alpha is not Alpha.PLATE or theirs.color_space != theirs.plate_space:
        raise _unusable(f"'{version}' is not in the plate's own colours with the whole picture; pin a version with --deliver match.")
    names = ("plate_space", "color_space", "depth", "alpha", "data_window", "display_window", "rate", "timecode")
    differing = [name.replace("_", " ") for name in names if getattr(theirs, name) != getattr(ours, name)]
    if differing:
        raise _unusable(f"'{version}' was delivered with another {differing[0]}; deliver as then, or pin nothing of it.")


def _unusable(sentence: str) -> BridgeError:
    return BridgeError(Code.INVALID_ARGUMENT, Reason.PIN_UNUSABLE, sentence)
