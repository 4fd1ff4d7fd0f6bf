"""The ways in which programs save a picture over another one."""

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenImageIO as oiio


def paint(reference: Path, target: Path, value: float, box: tuple[int, int, int, int] = (8, 8, 16, 12), bits: int = 16) -> Path:
    """The reference with a rectangle (x, y, width, height) of one colour, written by OpenImageIO."""
    picture = oiio.ImageBuf(str(reference))
    pixels = np.array(picture.get_pixels(oiio.FLOAT))
    x, y, width, height = box
    pixels[y : y + height, x : x + width, :3] = value
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], 3, oiio.UINT16 if bits == 16 else oiio.UINT8)
    output = oiio.ImageOutput.create(str(target))
    assert (
        output is not None
        and output.open(str(target), spec)
        and output.write_image(np.ascontiguousarray(pixels[..., :3]))
        and output.close()
    )
    return target


def in_place(content: Path, target: Path) -> None:
    """Opens the file itself and writes over it."""
    target.write_bytes(content.read_bytes())


def by_rename(content: Path, target: Path) -> None:
    """Writes a temporary file beside, and renames it over the picture: Photoshop, Affinity, most editors."""
    temporary = target.with_name(f"~PST{random.randrange(10**6)}.tmp")
    shutil.copyfile(content, temporary)
    os.replace(temporary, target)


def by_backup(content: Path, target: Path) -> None:
    """Moves the old file away first, so that for a moment there is none: GIMP's and Krita's backup files."""
    backup = target.with_name(target.name + "~")
    target.replace(backup)
    time.sleep(0.05)
    shutil.copyfile(content, target)
    backup.unlink()


def in_several_writes(content: Path, target: Path) -> None:
    """Truncates, writes the beginning, then all of it, then touches it: several events for one save."""
    whole = content.read_bytes()
    with target.open("wb") as file:
        file.write(whole[: len(whole) // 3])
        file.flush()
        time.sleep(0.05)
        file.write(whole[len(whole) // 3 :])
    os.utime(target)


def over_a_slow_network(content: Path, target: Path) -> None:
    """Comes in pieces, with a pause in the middle that is longer than any rest that is waited for."""
    whole = content.read_bytes()
    with target.open("wb") as file:
        for start in range(0, len(whole), max(1, len(whole) // 4)):
            file.write(whole[start : start + max(1, len(whole) // 4)])
            file.flush()
            time.sleep(0.55)


WAYS: tuple[Callable[[Path, Path], None], ...] = (in_place, by_rename, by_backup, in_several_writes, over_a_slow_network)
