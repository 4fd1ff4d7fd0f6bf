"""Which shots are measured: drawn from seeds that training never sees, each with an edit whose truth is known."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from i2vedit_core.settings import EditKind
from i2vedit_core.synthetic import EDITS, KINDS, Scene, Split, Truth, disoccluded, draw_truth, edit_scene, lingering, random_scene
from i2vedit_core.synthetic.truth import Mask

SIDE = 64
"""Pixels: the size the bundled model was made for."""
CHUNK = 14
LEAST_PAINTED = 0.015
"""Share of the first frame that an edit must change: nobody paints what cannot be seen."""
LONG, LONGEST = 4, 9
"""Chunks of long shots."""
LONG_EDITS = ("recolor", "add", "retexture")


@dataclass(frozen=True)
class BenchmarkShot:
    """A shot to be measured. Its name, its edit and its scene's number say how to draw it again."""

    name: str
    edit: str
    number: int
    split: Split
    frames: int
    moves_on: bool = False
    """A long shot as it was drawn: what drifts, drifts on. Otherwise all of it swings about where it began."""

    @property
    def kind(self) -> EditKind:
        """What an artist would choose for such an edit."""
        return KINDS[self.edit]

    @property
    def is_long(self) -> bool:
        return self.frames > CHUNK

    @property
    def is_longest(self) -> bool:
        return self.frames > LONG * (CHUNK - 1) + 1

    def scenes(self) -> tuple[Scene, Scene]:
        """The shot and its edited version."""
        scene = random_scene(self.split, self.number)
        scene = lingering(scene) if self.is_long and not self.moves_on else scene
        return scene, edit_scene(scene, self.edit, self.number)

    def truth(self) -> Truth:
        return draw_truth(*self.scenes(), SIDE, SIDE, range(self.frames))

    def disoccluded(self) -> Mask:
        """`[F, H, W]`: what the painted frame does not show."""
        return disoccluded(self.scenes()[1], SIDE, SIDE, range(self.frames))


def choose_shots(split: Split, count: int) -> list[BenchmarkShot]:
    """So many shots of one chunk, the types of edit taking turns."""
    return choose_shots_of(split, [list(EDITS)[index % len(EDITS)] for index in range(count)])


def choose_shots_of(split: Split, edits: list[str]) -> list[BenchmarkShot]:
    """A shot of one chunk for each of these edits."""
    return _choose(split, edits, CHUNK, 0)


def choose_long_shots(split: Split, chunks: int, count: int) -> list[BenchmarkShot]:
    """So many shots of so many chunks, on scenes of their own."""
    edits = [LONG_EDITS[index % len(LONG_EDITS)] for index in range(count)]
    return _choose(split, edits, chunks * (CHUNK - 1) + 1, 10_000 * chunks)


def choose_shots_that_move_on(split: Split, chunks: int, count: int) -> list[BenchmarkShot]:
    """So many shots of so many chunks in which the edit can be seen, and painted, at the beginning, in the middle and at the end."""
    frames, found = chunks * (CHUNK - 1) + 1, list[BenchmarkShot]()
    for number in itertools.count(100_000 * chunks):
        shot = BenchmarkShot(f"{split.name.lower()}-{number:04}", LONG_EDITS[len(found) % len(LONG_EDITS)], number, split, frames, True)
        if all(is_seen(shot, frame) for frame in (0, frames // 2, frames - 1)):
            found.append(shot)
        if len(found) == count:
            break
    return found


def _choose(split: Split, edits: list[str], frames: int, first: int) -> list[BenchmarkShot]:
    """For each edit the next scene in which it can be seen in the first frame."""
    shots: list[BenchmarkShot] = []
    numbers = iter(range(first, first + 100 * max(1, len(edits))))
    for edit in edits:
        shots.append(next(shot for shot in _candidates(split, edit, frames, numbers) if is_seen(shot)))
    return shots


def _candidates(split: Split, edit: str, frames: int, numbers: Iterator[int]) -> Iterator[BenchmarkShot]:
    for number in numbers:
        yield BenchmarkShot(f"{split.name.lower()}-{number:04}", edit, number, split, frames)


def is_seen(shot: BenchmarkShot, frame: int = 0) -> bool:
    """Whether its edit changes enough of a frame to be painted there."""
    seen = draw_truth(*shot.scenes(), SIDE, SIDE, range(frame, frame + 1))
    return float(seen.region.mean()) >= LEAST_PAINTED
