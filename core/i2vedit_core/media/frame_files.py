"""Pictures that are a clip together: one numbered file for each frame, found by a pattern, by one of them, or by their folder."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ENDINGS = frozenset({".exr", ".dpx", ".tif", ".tiff", ".png", ".jpg", ".jpeg"})
MAX_DIGITS = 9
MAX_LISTED = 6
"""How many gaps a sentence names."""

# The last run of digits is the frame; `_v002` alone is a version.
_NUMBERED = re.compile(r"(?P<prefix>.*?)(?P<digits>\d{1,9})(?P<ending>\.\w+)", re.DOTALL | re.ASCII)
_VERSION = re.compile(r"(?:^|[._ -])[vV]$")
_PATTERN = re.compile(r"(?P<prefix>.*?)(?:%(?:0(?P<width>\d))?d|(?P<hashes>#+))(?P<ending>\.\w+)", re.DOTALL | re.ASCII)


class NoSequenceError(ValueError):
    """The path names no sequence, or more than one; the message says which."""


@dataclass(frozen=True)
class FrameFiles:
    """The files of a sequence. `numbers` ascend; between them some may be missing."""

    folder: Path
    prefix: str
    padding: int
    """Digits of a number at least; 0: the one file has no number."""
    ending: str
    numbers: tuple[int, ...]

    @property
    def pattern(self) -> Path:
        """As people and hosts write it: `folder/shot.%04d.exr`."""
        number = "" if self.padding == 0 else "%d" if self.padding == 1 else f"%0{self.padding}d"
        return self.folder / f"{self.prefix}{number}{self.ending}"

    @property
    def stem(self) -> str:
        """The name without number and ending: `shot`."""
        return self.prefix.rstrip("._- ") or self.folder.name

    def path(self, number: int) -> Path:
        """Where a frame lies, or would."""
        digits = "" if self.padding == 0 else str(number).zfill(self.padding)
        return self.folder / f"{self.prefix}{digits}{self.ending}"

    @cached_property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """The gaps between the first number and the last, as first and last number of each."""
        pairs = zip(self.numbers, self.numbers[1:], strict=False)
        return tuple((before + 1, after - 1) for before, after in pairs if after > before + 1)

    def missing_words(self, first: int | None = None, last: int | None = None) -> str:
        """`frame 1004`, `frames 1004, 1010-1012`: the gaps between two numbers; empty where there is none."""
        low, high = self.numbers[0] if first is None else first, self.numbers[-1] if last is None else last
        gaps = [(max(a, low), min(b, high)) for a, b in self.missing if b >= low and a <= high]
        words = [str(a) if a == b else f"{a}-{b}" for a, b in gaps]
        more = f" and {len(words) - MAX_LISTED} more gaps" if len(words) > MAX_LISTED else ""
        plural = "s" if len(words) > 1 or any("-" in word for word in words) else ""
        return f"frame{plural} {', '.join(words[:MAX_LISTED])}{more}" if words else ""


def is_sequence(path: Path) -> bool:
    """Whether a path means pictures: a folder, the name of a picture, or a pattern of names."""
    return path.suffix.lower() in ENDINGS or path.is_dir()


def find_files(path: Path) -> FrameFiles:
    """The sequence that a folder, a pattern or one of its files names. Raises NoSequenceError, or OSError for a file that is not there."""
    if path.is_dir():
        return _in_folder(path)
    pattern = None if path.exists() else _PATTERN.fullmatch(path.name)
    if pattern is not None:
        padding = len(pattern["hashes"]) if pattern["hashes"] else int(pattern["width"] or 1)
        found = _gathered(path.parent, pattern["prefix"], pattern["ending"])
        numbers = _of_padding(found, padding)
        if not numbers:
            raise NoSequenceError("there is no file of this pattern; check folder and name")
        return FrameFiles(path.parent, pattern["prefix"], padding, pattern["ending"], numbers)
    path.stat()
    parts = _NUMBERED.fullmatch(path.name)
    if parts is None or _VERSION.search(parts["prefix"]):
        return FrameFiles(path.parent, path.stem, 0, path.suffix, (0,))
    return _around(path.parent, parts["prefix"], parts["digits"], parts["ending"])


def _around(folder: Path, prefix: str, digits: str, ending: str) -> FrameFiles:
    """The sequence that one file belongs to, known by how many digits its number has."""
    found = _gathered(folder, prefix, ending)
    padded = any(len(other) == len(digits) > 1 and other.startswith("0") for other in found)
    padding = len(digits) if padded else 1
    numbers = _of_padding(found, padding)
    same_width = {len(other) for other in found} == {len(digits)}
    return FrameFiles(folder, prefix, len(digits) if same_width else padding, ending, numbers)


def _gathered(folder: Path, prefix: str, ending: str) -> set[str]:
    """The digits of every file `prefix digits ending` of a folder."""
    form = re.compile(re.escape(prefix) + rf"(\d{{1,{MAX_DIGITS}}})" + re.escape(ending), re.ASCII)
    return {match[1] for entry in folder.iterdir() if (match := form.fullmatch(entry.name))}


def _of_padding(found: set[str], padding: int) -> tuple[int, ...]:
    return tuple(sorted(int(digits) for digits in found if str(int(digits)).zfill(padding) == digits))


def _in_folder(folder: Path) -> FrameFiles:
    """The one sequence of a folder."""
    groups: dict[tuple[str, str], str] = {}
    for entry in sorted(folder.iterdir()):
        parts = _NUMBERED.fullmatch(entry.name)
        if parts is None or entry.name.startswith(".") or entry.suffix.lower() not in ENDINGS or _VERSION.search(parts["prefix"]):
            continue
        key = parts["prefix"], parts["ending"]
        groups.setdefault(key, parts["digits"])
    if not groups:
        raise NoSequenceError("is a folder without numbered pictures; give a movie file, or a folder that holds one sequence")
    if len(groups) > 1:
        names = ", ".join(f"'{prefix}*{ending}'" for prefix, ending in sorted(groups)[:3])
        raise NoSequenceError(f"is a folder of {len(groups)} sequences ({names}); name one picture of the one that is meant")
    ((prefix, ending), digits) = next(iter(groups.items()))
    return _around(folder, prefix, digits, ending)
