"""The page: means that are right, marks that are deserved, a sheet with every clip on it."""

import math

import numpy as np
import pytest
from PIL import Image

from report import Block, Figure, Heading, edit_table, mean, sheet, table, write_report

PSNR = Figure("psnr_inside", "PSNR inside", 1, higher_is_better=True, unit="dB")
MOTION = Figure("motion_error", "motion error", 2, higher_is_better=False, unit="px")
SEAM = Figure("seam_ratio", "seam", 2, higher_is_better=False)


def result(shot: str, edit: str, **methods) -> dict:
    return {"shot": shot, "edit": edit, "frames": 14, "seed": 7, "methods": methods}


@pytest.fixture
def results() -> list[dict]:
    return [
        result("evaluation-0", "recolor", full=row(20, 0.5, 1.25), hold=row(14, 2, None), truth=row(99, 0.2, 1)),
        result("evaluation-1", "add", full=row(22, 0.7, math.nan), hold=row(15, 2, None), truth=row(99, 0.2, 1)),
        result("evaluation-2", "add", full=row(24, 0.6, 1.75), hold=row(25, 2, None), truth=row(99, 0.2, 1)),
    ]


def row(inside: float, motion: float, seam: float | None) -> dict:
    return {"psnr_inside": inside, "motion_error": motion, "seam_ratio": seam}


def cells(markdown: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]


def test_a_mean_leaves_out_what_is_missing(results):
    assert mean(results, "full", "seam_ratio") == (1.5, 2)
    assert mean(results, "full", "psnr_inside") == (22, 3)
    for method, key in (("hold", "seam_ratio"), ("full", "unknown"), ("unknown", "psnr_inside")):
        value, count = mean(results, method, key)
        assert math.isnan(value) and count == 0


def test_the_table_shows_means_directions_and_the_best(results):
    head, rule, full, hold, truth = cells(table(results, ["full", "hold", "truth"], [PSNR, MOTION, SEAM], unranked=["truth"]))
    assert head == ["3 shots", "PSNR inside (dB) ↑", "motion error (px) ↓", "seam ↓"]
    assert rule == ["---", "---:", "---:", "---:"]
    assert full == ["full", "**22.0**", "**0.60**", "1.50 (2)"], "a seam that nobody else has is not the best"
    assert hold == ["hold", "18.0", "2.00", "–"]
    assert truth == ["truth", "99.0", "0.20", "1.00"]


def test_what_looks_equal_is_equally_good(results):
    results[0]["methods"]["hold"]["motion_error"] = 0.501
    table_rows = cells(table(results[:1], ["full", "hold"], [MOTION]))
    assert [each[1] for each in table_rows[2:]] == ["**0.50**", "**0.50**"]


def test_edits_have_columns_of_their_own(results):
    head, _, full, hold = cells(edit_table(results, ["full", "hold"], PSNR))
    assert head == ["PSNR inside (dB) ↑", "add (2 shots)", "recolor (1 shot)"]
    assert full == ["full", "**23.0**", "**20.0**"]
    assert hold == ["hold", "20.0", "14.0"]


def block(frames: int = 14, height: int = 64, width: int = 64) -> Block:
    """Red source, green truth, and an edit map that grows with the frame."""
    clip = np.zeros((frames, height, width, 3), np.float32)
    red, green = clip.copy(), clip.copy()
    red[..., 0], green[..., 1] = 1, 1
    grey = np.broadcast_to(np.linspace(0, 1, frames, dtype=np.float32)[:, None, None], (frames, height, width))
    return Block("evaluation-0 · recolor", {"source": red, "truth": green, "edit_map": grey})


def count(picture: Image.Image, color: tuple[int, int, int]) -> int:
    return int((np.asarray(picture) == color).all(axis=-1).sum())


def test_the_sheet_has_every_row_at_four_frames_of_the_shot():
    picture = sheet([block()])
    cell = 112 * 112
    assert count(picture, (255, 0, 0)) == 4 * cell and count(picture, (0, 255, 0)) == 4 * cell
    for frame in (0, 4, 9, 13):
        assert count(picture, (round(frame / 13 * 255),) * 3) >= cell
    assert picture.getpixel((0, picture.height - 1)) == (24, 24, 24)


def test_blocks_stand_side_by_side_and_keep_their_shape():
    one, two, three = (sheet([block()] * blocks).size for blocks in (1, 2, 3))
    assert two == (2 * one[0], one[1]) and three == (2 * one[0], 2 * one[1])
    wide = sheet([block(height=32), block(frames=2)])
    assert wide.size == two
    assert count(wide, (255, 0, 0)) == 4 * 112 * 56 + 2 * 112 * 112


def test_a_long_name_has_room():
    """The names' light text ends before the pictures begin, for the longest name as well."""
    name = "without spatial and temporal matching"
    picture = np.asarray(sheet([Block("a shot", {name: block().rows["source"]})]))
    row = picture[2 * 24 : 2 * 24 + 112]
    first = int(np.argmax((row == (255, 0, 0)).all(axis=(0, 2))))
    written = np.flatnonzero((row[:, :first] > 100).all(axis=-1).any(axis=0))
    assert 200 < written.max() < first - 4


@pytest.mark.parametrize(("split", "name"), [("evaluation", "README.md"), ("verification", "verification.md")])
def test_the_page_says_how_to_make_it_again(tmp_path, results, split, name):
    heading = Heading("Fidelity", split, "python benchmarks/fidelity.py --shots 3", "ab" * 32, "cd" * 32, "What wins, and what does not.")
    tables = {"All shots": table(results, ["full"], [PSNR]), "By edit": edit_table(results, ["full"], PSNR)}
    page = write_report(tmp_path / "docs/fidelity", results, sheet([block()]), heading, tables)
    assert page == tmp_path / "docs/fidelity" / name
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Fidelity\n\nWhat wins, and what does not.\n")
    assert "`python benchmarks/fidelity.py --shots 3`" in text and "ab" * 32 in text and "cdcdcdcdcdcd" in text
    assert text.index("## All shots") < text.index("## By edit") < text.index("## Contact sheet") < text.index("## Shots")
    assert "| full | 22.0 |" in text and "| evaluation-1 | add | 14 | 7 |" in text
    with Image.open(page.parent / f"{split}.png") as picture:
        assert f"({split}.png)" in text and picture.size == sheet([block()]).size
    assert write_report(page.parent, results, sheet([block()]), heading, tables).read_text(encoding="utf-8") == text


def test_what_was_found_out_stands_on_the_page(tmp_path, results):
    heading = Heading("Fidelity", "evaluation", "python benchmarks/fidelity.py", "ab" * 32, "cd" * 32)
    (tmp_path / "notes.md").write_text("Why it fades.\n", encoding="utf-8")
    text = write_report(tmp_path, results, sheet([block()]), heading, {"Goals": "none"}).read_text(encoding="utf-8")
    assert "## What was found out\n\nWhy it fades.\n\n## Goals" in text
