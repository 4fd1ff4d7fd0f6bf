"""`contact_sheet.png`: plate, result and matte of some frames side by side, to judge a delivery at a glance."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from i2vedit_core.delivery.delivered import SeenFrame, seen_frames
from i2vedit_core.files import whole_file
from i2vedit_core.media.probe import ClipInfo
from i2vedit_core.media.viewing import on_display
from i2vedit_core.shot import Shot

CONTACT_SHEET = "contact_sheet.png"
COLUMNS = 6
CELL_WIDTH = 320
GAP = 8
LABEL_HEIGHT = 24
MARGIN_LEFT = 72
BACKGROUND = (24, 24, 24)
TEXT = (220, 220, 220)
PAINTED = (240, 170, 40)
ROWS = ("plate", "result", "matte")


def choose_frames(first: int, last: int, keys: Sequence[int], count: int = COLUMNS) -> list[int]:
    """At most `count` frames, evenly over the range, first, last and as many of the painted ones as there is room for among them."""
    count = min(count, last - first + 1)
    chosen = {round(x) for x in np.linspace(first, last, count)}
    for key in keys:
        free = chosen - set(keys) - {first, last}
        if key not in chosen and first <= key <= last and free:
            chosen = (chosen - {min(free, key=lambda frame: abs(frame - key))}) | {key}
    return sorted(chosen)


def make_contact_sheet(folder: Path, shot: Shot, keys: Sequence[int]) -> Path:
    """Writes the sheet into a version folder, replacing an earlier one; `keys`: the painted frames. Raises BridgeError."""
    chosen = choose_frames(shot.first, shot.last, keys)
    frames = [seen for number in chosen for seen in seen_frames(folder, shot, number, number)]
    clip = shot.clip
    height = max(1, round(CELL_WIDTH * clip.height / (clip.width * float(clip.pixel_aspect))))
    sheet = _draw([_on_display(seen, clip) for seen in frames], keys, height)
    final = folder / CONTACT_SHEET
    with whole_file(final, sheet.width * sheet.height * 3, replace=True) as temporary:
        sheet.save(temporary, format="PNG")
    return final


def _on_display(seen: SeenFrame, clip: ClipInfo) -> SeenFrame:
    space = clip.color_space
    return replace(seen, plate=on_display(seen.plate, space), result=on_display(seen.result, space))


def _draw(frames: Sequence[SeenFrame], keys: Sequence[int], cell_height: int) -> Image.Image:
    width = MARGIN_LEFT + len(frames) * (CELL_WIDTH + GAP)
    height = LABEL_HEIGHT + len(ROWS) * (cell_height + GAP)
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for row, name in enumerate(ROWS):
        draw.text((GAP, LABEL_HEIGHT + row * (cell_height + GAP) + cell_height // 2), name, TEXT, font)
    for column, seen in enumerate(frames):
        left = MARGIN_LEFT + column * (CELL_WIDTH + GAP)
        is_painted = seen.frame in keys
        label = f"{seen.frame} · painted" if is_painted else str(seen.frame)
        draw.text((left, 4), label, PAINTED if is_painted else TEXT, font)
        for row, picture in enumerate((seen.plate, seen.result, np.repeat(seen.matte[:, :, None], 3, axis=2))):
            top = LABEL_HEIGHT + row * (cell_height + GAP)
            sheet.paste(_cell(picture, cell_height), (left, top))
            if is_painted:
                draw.rectangle((left - 2, top - 2, left + CELL_WIDTH + 1, top + cell_height + 1), outline=PAINTED, width=2)
    return sheet


def _cell(picture: NDArray[np.float32], height: int) -> Image.Image:
    codes = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(codes).resize((CELL_WIDTH, height), Image.Resampling.LANCZOS)
