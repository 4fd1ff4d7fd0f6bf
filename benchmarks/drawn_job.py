"""A drawn shot as a job of the product: real files in, painted frames anywhere, the delivered frames read back."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import OpenImageIO as oiio

import metrics
from i2vedit_core.backbone import Backbone
from i2vedit_core.delivery.delivered import seen_frames
from i2vedit_core.media.picture_file import write_picture
from i2vedit_core.media.pixels import Picture
from i2vedit_core.propagate import propagate
from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot
from i2vedit_core.synthetic import Truth
from report import write_page_text
from shots import BenchmarkShot

Name = TypeVar("Name")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Result:
    """What was delivered, over the plate."""

    clip: Picture
    """[F, H, W, 3] in 0..1."""
    matte: Picture
    """[F, H, W] in 0..1."""


class DrawnJob:
    """One drawn shot in a folder of its own; what its jobs share (inversions, LoRAs, finished chunks) is made once."""

    def __init__(self, truth: Truth, backbone: Backbone, folder: Path) -> None:
        self._truth, self._backbone, self._folder = truth, backbone, folder
        plates = [_write(folder / "plate" / f"shot.{frame:04}.png", picture) for frame, picture in enumerate(truth.source)]
        self._shot = Shot.open(plates[0])

    def run(self, keys: Sequence[int], settings: Settings) -> Result:
        """Carries the truth of these frames through all of them."""
        edits = [self._painted(key) for key in keys]
        name = "-".join(map(str, keys))
        delivery, shared = DeliverySettings(self._folder / f"out-{name}"), self._folder / "artifacts"
        folder = propagate(self._shot, edits, settings, self._backbone, delivery, artifacts=shared).folder
        frames = list(seen_frames(folder, self._shot))
        return Result(np.stack([frame.result for frame in frames]), np.stack([frame.matte for frame in frames]))

    def _painted(self, frame: int) -> Edit:
        """As a painter leaves it: where nothing was painted, the plate's own codes."""
        touched = self._truth.region[frame][..., None]
        picture = np.where(touched, self._truth.edited[frame], self._truth.source[frame])
        return Edit.open(_write(self._folder / "painted" / f"{frame:04}.png", picture), self._shot, frame)


def psnr_inside(truth: Truth, result: Result, frames: npt.NDArray[np.bool_]) -> float:
    """In dB, inside the true edit, over the frames chosen by `frames` [F]."""
    return metrics.psnr(result.clip[frames], truth.edited[frames], truth.region[frames])


def measured(
    shots: Iterable[BenchmarkShot],
    measure: Callable[[BenchmarkShot], Mapping[Name, Found]],
    page: Callable[[Sequence[tuple[BenchmarkShot, Mapping[Name, Found]]]], str],
    target: Path,
) -> Path:
    """Measures shot after shot, prints what was found, and writes the page as far as it is after each. `Found` is a dataclass."""
    found: list[tuple[BenchmarkShot, Mapping[Name, Found]]] = []
    for shot in shots:
        found.append((shot, measure(shot)))
        told = {str(name): vars(each) for name, each in found[-1][1].items()}
        print(json.dumps({"shot": shot.name, "edit": shot.edit, **told}), flush=True)
        write_page_text(target, page(found))
    return target


def _write(path: Path, picture: Picture) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = picture.shape[:2]
    codes = np.rint(np.clip(picture, 0, 1) * np.float32(65535)).astype(np.uint16)
    write_picture(path, "png", oiio.ImageSpec(width, height, 3, oiio.UINT16), codes, replace=True)
    return path
