"""Results as a page: Markdown tables of means over shots, and a contact sheet to see what the figures speak of.

A shot's result is a JSON file: `{"shot": "evaluation-0007", "edit": "recolor", "frames": 14, "seed": 7, "methods": {"full":
{"psnr_inside": 17.0, ...}, ...}, ...}`. A figure that a shot does not have (a seam without a join) is missing, null or NaN.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from i2vedit_client.counting import counted
from i2vedit_core.delivery.contact_sheet import BACKGROUND, GAP, LABEL_HEIGHT, PAINTED, TEXT, choose_frames
from i2vedit_core.files import whole_file

Result = Mapping[str, Any]
Pictures = npt.NDArray[np.float32]

PAGES = {"evaluation": "README.md", "verification": "verification.md"}
"""The page of each split."""
NOTES = {"evaluation": "notes.md", "verification": "verification_notes.md"}
"""Kept by hand."""
COLUMNS = 4
CELL_WIDTH = 112
TEXT_SIZE = 14


@dataclass(frozen=True)
class Figure:
    """A column of the table."""

    key: str
    """In a method's dictionary."""
    title: str
    digits: int
    higher_is_better: bool
    unit: str = ""

    @property
    def heading(self) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.title}{unit} {'↑' if self.higher_is_better else '↓'}"


@dataclass(frozen=True)
class Block:
    """One shot on the contact sheet."""

    title: str
    rows: Mapping[str, Pictures]
    """Name of the row (`source`, `truth`, a method, `edit map`) to its clip `[F, H, W, 3]` or map `[F, H, W]`, all in 0..1 and of one F."""


@dataclass(frozen=True)
class Heading:
    """What stands above the tables: all it takes to make them again."""

    title: str
    split: str
    """`evaluation` or `verification`."""
    command: str
    model_sha256: str
    sources_sha256: str
    text: str = ""
    """What the tables say, in words."""


def table(results: Sequence[Result], methods: Sequence[str], figures: Sequence[Figure], unranked: Collection[str] = ()) -> str:
    """Means over shots in Markdown, a row a method, a column a figure; the best of each column is bold.

    Missing figures and nan do not count; a mean over fewer shots than the table has says over how many. Methods in `unranked` are no
    rivals (the truth, the autoencoder's round trip): they are shown and never bold.
    """
    columns = [_column(results, methods, figure, unranked) for figure in figures]
    rows = [[_name(method), *(column[row] for column in columns)] for row, method in enumerate(methods)]
    return markdown([counted(len(results), "shot"), *(figure.heading for figure in figures)], rows)


def edit_table(results: Sequence[Result], methods: Sequence[str], figure: Figure, unranked: Collection[str] = ()) -> str:
    """One figure in Markdown, a row a method, a column a type of edit; the best of each column is bold. As `table` else."""
    edits = sorted({result["edit"] for result in results})
    groups = [[result for result in results if result["edit"] == edit] for edit in edits]
    columns = [_column(group, methods, figure, unranked) for group in groups]
    rows = [[_name(method), *(column[row] for column in columns)] for row, method in enumerate(methods)]
    headings = [f"{_name(edit)} ({counted(len(group), 'shot')})" for edit, group in zip(edits, groups, strict=True)]
    return markdown([figure.heading, *headings], rows)


def mean(results: Sequence[Result], method: str, key: str) -> tuple[float, int]:
    """Mean of a figure over the shots that have it, and how many have it; nan and 0 where none has."""
    found = [result["methods"].get(method, {}).get(key) for result in results]
    values = [value for value in found if value is not None and not math.isnan(value)]
    return (math.fsum(values) / len(values), len(values)) if values else (math.nan, 0)


def sheet(blocks: Sequence[Block], across: int = 2) -> Image.Image:
    """The contact sheet: a block a shot, `across` blocks side by side; in a block a row per clip, and COLUMNS frames of each."""
    margin = GAP + max(round(_font().getlength(_name(name))) + GAP for block in blocks for name in block.rows)
    drawn = [_block(block, margin) for block in blocks]
    lines = [drawn[start : start + across] for start in range(0, len(drawn), across)]
    heights = [max(each.height for each in line) for line in lines]
    picture = Image.new("RGB", (max(sum(each.width for each in line) for line in lines), sum(heights)), BACKGROUND)
    for number, line in enumerate(lines):
        left = 0
        for each in line:
            picture.paste(each, (left, sum(heights[:number])))
            left += each.width
    return picture


def write_report(folder: Path, results: Sequence[Result], picture: Image.Image, heading: Heading, tables: Mapping[str, str]) -> Path:
    """Writes the page of a split and its contact sheet, replacing earlier ones, and returns the page's path.

    `tables`: heading of each section to its Markdown, in the order to be shown. What people have found out about the figures stands in
    NOTES beside the page, and becomes a section of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    notes = folder / NOTES[heading.split]
    if notes.exists():
        tables = {"What was found out": notes.read_text(encoding="utf-8"), **tables}
    name = f"{heading.split}.png"
    picture.save(folder / name, format="PNG", optimize=True)
    page = folder / PAGES[heading.split]
    page.write_text(_page(results, name, heading, tables), encoding="utf-8")
    return page


def write_page_text(target: Path, text: str) -> None:
    """A page as far as it is, replacing an earlier one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target, len(text.encode()), replace=True) as partial:
        partial.write_text(text, encoding="utf-8")


def _column(results: Sequence[Result], methods: Sequence[str], figure: Figure, unranked: Collection[str]) -> list[str]:
    means = [mean(results, method, figure.key) for method in methods]
    shown = [f"{value:.{figure.digits}f}" for value, _ in means]
    ranked = [float(text) for text, method in zip(shown, methods, strict=True) if method not in unranked and text != "nan"]
    best = (max if figure.higher_is_better else min)(ranked) if len(ranked) > 1 else math.nan
    cells = []
    for text, (_, count), method in zip(shown, means, methods, strict=True):
        bold = method not in unranked and float(text) == best
        fewer = f" ({count})" if 0 < count < len(results) else ""
        cells.append("–" if count == 0 else (f"**{text}**" if bold else text) + fewer)
    return cells


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table: its first column to the left, the others, figures, to the right."""
    rule = ["---", *("---:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows)) + "\n"


def _name(key: str) -> str:
    return key.replace("_", " ")


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(TEXT_SIZE)


def _block(block: Block, margin: int) -> Image.Image:
    """A shot: its title, the frames' numbers, and its rows, whose names stand in a `margin` of so many pixels."""
    frames, height, width = next(iter(block.rows.values())).shape[:3]
    chosen = choose_frames(0, frames - 1, (0,), COLUMNS)
    cell_height = max(1, round(CELL_WIDTH * height / width))
    top = 2 * LABEL_HEIGHT
    size = margin + COLUMNS * (CELL_WIDTH + GAP) + GAP, top + len(block.rows) * (cell_height + GAP) + GAP
    drawn = Image.new("RGB", size, BACKGROUND)
    draw, font = ImageDraw.Draw(drawn), _font()
    draw.text((GAP, 4), block.title, TEXT, font)
    for column, frame in enumerate(chosen):
        label, color = ("0 · painted", PAINTED) if frame == 0 else (str(frame), TEXT)
        draw.text((margin + column * (CELL_WIDTH + GAP), LABEL_HEIGHT + 4), label, color, font)
    for name, pictures in block.rows.items():
        draw.text((GAP, top + (cell_height - TEXT_SIZE) // 2), _name(name), TEXT, font)
        for column, frame in enumerate(chosen):
            drawn.paste(_cell(pictures[frame], cell_height), (margin + column * (CELL_WIDTH + GAP), top))
        top += cell_height + GAP
    return drawn


def _cell(picture: Pictures, height: int) -> Image.Image:
    """A frame `[H, W, 3]` or a map `[H, W]` at the size of a cell."""
    codes = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(codes).convert("RGB").resize((CELL_WIDTH, height), Image.Resampling.LANCZOS)


def _page(results: Sequence[Result], sheet_name: str, heading: Heading, tables: Mapping[str, str]) -> str:
    sections = [f"# {heading.title}", *([heading.text.strip()] if heading.text else [])]
    made_of = f"the model of SHA-256 `{heading.model_sha256}` and sources of SHA-256 `{heading.sources_sha256[:12]}…`"
    sections.append(f"Made by `{heading.command}` with {made_of}.")
    sections.append("A mean over fewer shots than its table has says over how many in brackets; bold is the best of a column.")
    for title, content in tables.items():
        sections += [f"## {title}", content.strip()]
    sections += ["## Contact sheet", f"![Contact sheet of the {heading.split} shots]({sheet_name})"]
    rows = [[str(result[key]) for key in ("shot", "edit", "frames", "seed")] for result in results]
    sections += ["## Shots", markdown(["shot", "edit", "frames", "seed"], rows).strip()]
    return "\n\n".join(sections) + "\n"
