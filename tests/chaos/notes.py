"""What the noting runner wrote down, read again: where a job stands, and what was done twice."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from i2vedit_core.settings import Settings

LEVELS = Settings().steps
"""Of the sampler."""
STEPS = ("invert", "train", "edit")
"""Stages whose steps are counted."""


@dataclass(frozen=True)
class Note:
    """One line."""

    process: int
    seconds: float
    word: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Redone:
    """Steps of one attempt that an earlier one had done, by stage."""

    invert: int = 0
    train: int = 0
    edit: int = 0


def read_notes(path: Path) -> list[Note]:
    """All whole lines; none where there is no file yet."""
    try:
        lines = path.read_text().split("\n")[:-1]
    except FileNotFoundError:
        return []
    words = [line.split() for line in lines]
    return [Note(int(process), float(seconds), word, tuple(map(int, numbers))) for process, seconds, word, *numbers in words]


def _looks_back(note: Note) -> bool:
    """Steps beyond an inversion's levels are later chunks asking what chunk 0 has left; nothing is inverted again."""
    return note.word == "invert" and note.numbers[1] >= LEVELS


def attempts(notes: list[Note]) -> list[list[Note]]:
    """The notes of each process in order of the first; a process that was killed late may still write after the next one has begun."""
    found: dict[int, list[Note]] = {}
    for note in notes:
        found.setdefault(note.process, []).append(note)
    return list(found.values())


def redone(notes: list[Note]) -> list[Redone]:
    """For every attempt but the first."""
    reached: dict[tuple[str, int], set[int]] = defaultdict(set)
    found = []
    for attempt in attempts(notes):
        counts = dict.fromkeys(STEPS, 0)
        done: dict[tuple[str, int], set[int]] = defaultdict(set)
        for note in attempt:
            if note.word in STEPS and not _looks_back(note):
                chunk, step = note.numbers
                done[note.word, chunk].add(step)
        for (stage, chunk), steps in done.items():
            counts[stage] += len(steps & reached[stage, chunk])
            reached[stage, chunk] |= steps
        found.append(Redone(**counts))
    return found[1:]
