"""The pictures of docs/delivery.md: plate, edit, result, matte and twenty times their difference, of delivered versions.

    python tools/delivery_strip.py shot FOLDER          # a drawn shot with another look painted: FOLDER/shot.mp4, FOLDER/edited.png
    python tools/delivery_strip.py strip OUT.png VERSION_FOLDER...

A version folder must still find its plate and its edited frame where its ticket says. The frame in the middle of its range is shown.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from i2vedit_core.delivery.delivered import seen_frames
from i2vedit_core.delivery.painted import read_painted
from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.files import whole_file
from i2vedit_core.media.pixels import Picture
from i2vedit_core.settings import Depth
from i2vedit_core.shot import Edit, Shot
from i2vedit_core.synthetic import Split, edit_scene, random_scene
from i2vedit_core.synthetic.demo import write_shot

SCENE, EDIT, FRAMES = 7, "recolor", 9
"""Of the evaluation split, whose scenes the bundled model has never seen."""
CELL, GAP, LABEL = 240, 6, 24
EXAGGERATION = 20
BACKGROUND, TEXT = (24, 24, 24), (220, 220, 220)


def columns(folder: Path) -> list[tuple[str, Picture]]:
    """Label and picture `[H, W, 3]` of each column of a version's row."""
    ticket = Ticket.load(folder)
    shot = Shot.open(ticket.plate_path, ticket.first, ticket.last)
    painted = read_painted(Edit.open(ticket.edit_path, shot, ticket.edit_frame), shot)
    middle = (shot.first + shot.last) // 2
    (seen,) = seen_frames(folder, shot, middle, middle)
    # As exactly as the file can hold it: what is left is what was changed.
    plate = seen.plate.astype(np.float16) if ticket.delivery["depth"] == Depth.HALF else seen.plate
    difference = np.abs(seen.result - plate.astype(np.float32)) * EXAGGERATION
    return [
        (f"painted, frame {ticket.edit_frame}", painted.picture),
        (f"plate, frame {seen.frame}", seen.plate),
        ("result", seen.result),
        ("matte", np.repeat(seen.matte[:, :, None], 3, axis=2)),
        (f"difference to the plate x{EXAGGERATION}", difference),
    ]


def strip(folders: list[Path]) -> Image.Image:
    """A row for each version."""
    rows = [columns(folder) for folder in folders]
    heights = [LABEL + round(CELL * row[0][1].shape[0] / row[0][1].shape[1]) + GAP for row in rows]
    sheet = Image.new("RGB", (len(rows[0]) * (CELL + GAP) + GAP, sum(heights) + GAP), BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for row, top in zip(rows, np.cumsum([0, *heights]), strict=False):
        for column, (label, picture) in enumerate(row):
            left = GAP + column * (CELL + GAP)
            draw.text((left, int(top) + 4), label, TEXT, font)
            codes = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
            size = (CELL, round(CELL * codes.shape[0] / codes.shape[1]))
            sheet.paste(Image.fromarray(codes).resize(size, Image.Resampling.LANCZOS), (left, int(top) + LABEL))
    return sheet


def main(arguments: list[str]) -> None:
    """Entry point."""
    what, target, *folders = arguments
    if what == "shot":
        scene = random_scene(Split.EVALUATION, SCENE)
        write_shot(Path(target), scene, edit_scene(scene, EDIT, SCENE), FRAMES)
        return
    sheet, final = strip([Path(folder) for folder in folders]), Path(target)
    with whole_file(final, sheet.width * sheet.height * 3, replace=True) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
