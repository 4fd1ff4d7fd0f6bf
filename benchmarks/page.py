"""The page of the fidelity benchmark: which figures stand in which table."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from goals import flow_warp_wins, goal_table, goals
from measure import Task, read_block, read_results
from methods import FLOORS, FULL, LOCK, LONG_METHODS, LONGEST_METHODS, METHODS, NO_SARP
from report import Figure, Heading, edit_table, sheet, table, write_report
from shots import CHUNK, LONG, LONGEST, BenchmarkShot

SHOWN = 7
"""Shots on the contact sheet: one of each type of edit."""

INSIDE = Figure("psnr_inside", "PSNR inside", 2, True, "dB")
OUTSIDE = Figure("psnr_outside", "PSNR outside", 2, True, "dB")
DISOCCLUDED = Figure("psnr_disoccluded", "PSNR disoccluded", 2, True, "dB")
MOTION = Figure("motion_error", "motion error", 2, False, "px")
FLICKER = Figure("flicker", "flicker", 4, False)
RECALL = Figure("matte_recall", "matte recall", 4, True)
AREA = Figure("matte_area", "matte area ÷ truth", 2, False)

FIGURES = (
    INSIDE,
    OUTSIDE,
    Figure("ssim_inside", "SSIM inside", 3, True),
    Figure("ssim_outside", "SSIM outside", 3, True),
    Figure("flip_inside", "FLIP inside", 3, False),
    Figure("flip_outside", "FLIP outside", 3, False),
    MOTION,
    FLICKER,
    DISOCCLUDED,
)
COMPOSITE_FIGURES = (
    RECALL,
    AREA,
    Figure("error_outside_matte", "largest error outside the matte", 6, False),
    Figure("composite_inside", "PSNR inside", 2, True, "dB"),
    Figure("composite_outside", "PSNR outside", 2, True, "dB"),
)
LONG_FIGURES = (
    Figure("seam_ratio", "seam ratio", 2, False),
    Figure("drift_outside", "ΔE2000 drift outside", 2, False),
    Figure("drift_inside", "ΔE2000 drift inside", 2, False),
    INSIDE,
    OUTSIDE,
    MOTION,
    FLICKER,
)
SARP_FIGURES = (Figure("anderson_darling", "Anderson–Darling", 2, False), INSIDE, OUTSIDE)


def write_page(task: Task, shots: Sequence[BenchmarkShot], long_shots: Sequence[BenchmarkShot], out: Path, heading: Heading) -> Path:
    """The page with its tables and the contact sheet."""
    results = read_results(task, shots)
    by_chunks = {
        chunks: read_results(task, [shot for shot in long_shots if shot.frames == chunks * (CHUNK - 1) + 1]) for chunks in (LONG, LONGEST)
    }
    tables = {
        "Goals": goal_table(goals(results, FIGURES, by_chunks[LONG], by_chunks[LONGEST])),
        "Before any composite": table(results, METHODS, FIGURES, unranked=FLOORS),
        "PSNR inside the edit, by type of edit": edit_table(results, METHODS, INSIDE, unranked=FLOORS),
        "PSNR inside the edit where the painted frame shows nothing, by type of edit": edit_table(
            results, METHODS, DISOCCLUDED, unranked=FLOORS
        ),
        "Motion error, by type of edit": edit_table(results, METHODS, MOTION, unranked=FLOORS),
        "After the composite over the plate": table(results, (FULL, LOCK), COMPOSITE_FIGURES),
        "Matte recall, by type of edit": edit_table(results, (FULL, LOCK), RECALL),
        "Matte area, by type of edit": edit_table(results, (FULL, LOCK), AREA),
    }
    flat = [result for result in results if result["flat"]]
    if flat:
        tables["SARP, on shots with flat areas"] = table(flat, (FULL, NO_SARP), SARP_FIGURES)
    for (chunks, chunked), methods in zip(by_chunks.items(), (LONG_METHODS, LONGEST_METHODS), strict=True):
        if chunked:
            title = f"Shots of {chunks} chunks ({chunked[0]['frames']} frames)"
            tables[title] = table(chunked, methods, LONG_FIGURES, FLOORS)
    blocks = [read_block(task, shot) for shot in shots[:SHOWN]]
    spoken = replace(heading, text=flow_warp_wins(results, FIGURES))
    return write_report(out, [*results, *read_results(task, long_shots)], sheet(blocks), spoken, tables)
