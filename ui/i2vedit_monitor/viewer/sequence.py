"""A delivered sequence on disk: which frames there are, and what their header says."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import OpenImageIO as oiio

NUMBERED = re.compile(r"(.+)\.(\d+)\.exr")
DEFAULT_RATE = Fraction(24)
DEFAULT_SPACE = "Gamma 2.4 Encoded Rec.709"
MATTE = "matte.A"


@dataclass(frozen=True)
class Sequence:
    """Frames of one folder, numbered by source frame."""

    folder: Path
    stem: str
    frames: tuple[int, ...]
    """Ascending; those that are there."""
    width: int
    height: int
    rate: Fraction
    space: str
    """OCIO name of the encoding."""
    pixel_aspect: float = 1.0
    has_matte: bool = False
    is_patch: bool = False
    """The premultiplied patch alone: it needs the plate below it."""
    timecode: str = ""
    """Of the first frame; empty where the header has none."""

    def path(self, frame: int) -> Path:
        return self.folder / f"{self.stem}.{frame:04}.exr"

    def having(self, frames: Iterable[int]) -> "Sequence":
        """The same with more frames."""
        return replace(self, frames=tuple(sorted({*self.frames, *frames})))


def open_sequence(folder: str | Path) -> Sequence | None:
    """What lies in the folder; None while there is no frame that can be read. Does not raise for a folder that is gone."""
    place = Path(folder)
    try:
        found = sorted((int(match[2]), match[1]) for entry in place.iterdir() if (match := NUMBERED.fullmatch(entry.name)))
    except OSError:
        return None
    for frame, stem in found[:1]:
        source = oiio.ImageInput.open(str(place / f"{stem}.{frame:04}.exr"))
        if source is None:
            oiio.geterror()  # said and forgotten: a frame that is only being written is no error
            return None
        return _described(place, stem, tuple(number for number, name in found if name == stem), source.spec())
    return None


def _described(folder: Path, stem: str, frames: tuple[int, ...], spec: oiio.ImageSpec) -> Sequence:
    rate = spec.getattribute("FramesPerSecond") or spec.getattribute("framesPerSecond")
    names = list(spec.channelnames)
    return Sequence(
        folder=folder,
        stem=stem,
        frames=frames,
        width=spec.width,
        height=spec.height,
        rate=_fraction(rate),
        space=str(spec.getattribute("i2vedit/colorspace") or DEFAULT_SPACE),
        pixel_aspect=float(spec.getattribute("PixelAspectRatio") or 1.0),
        has_matte=MATTE in names,
        is_patch='"alpha": "matte"' in str(spec.getattribute("i2vedit/delivery") or ""),
        timecode=str(spec.getattribute("i2vedit/timecode") or ""),
    )


def _fraction(rate: object) -> Fraction:
    if isinstance(rate, tuple | list) and len(rate) == 2 and rate[0] and rate[1]:
        return Fraction(int(rate[0]), int(rate[1]))
    return Fraction(rate).limit_denominator(1001) if isinstance(rate, float | int) and rate > 0 else DEFAULT_RATE
