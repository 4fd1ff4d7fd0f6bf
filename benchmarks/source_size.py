"""What is delivered at four times the model's size: drawn shots of 256 pixels, the bundled model at 64, truth known at both.

    python benchmarks/source_size.py --shots 8        docs/delivery/source_size.md

Recolours and looks take turns, on evaluation seeds. Inside the edit the frames are compared with what one has without the work of
`delivery.inside`: the model's frames enlarged, and the model's change enlarged and added to the plate. The first frame does not count.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

import metrics
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone, load_backbone
from i2vedit_core.delivery.composite import composite
from i2vedit_core.delivery.inside import Filling
from i2vedit_core.delivery.matting import ChunkPictures
from i2vedit_core.media.fit import Fit, plan_fit
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.method.propagation import Propagation
from i2vedit_core.pictures import to_pictures, to_pixels
from i2vedit_core.settings import Inside, Preset, Settings
from i2vedit_core.synthetic import Split, Truth, draw_truth
from methods import composited
from report import write_page_text
from shots import SIDE, BenchmarkShot, choose_shots_of

TIMES = 4
"""The plate's size over the model's."""
EDITS = ("recolor", "look")
GAIN = 3.0
"""dB over plain enlargement that is aimed for."""
ENLARGED, ADDED, DELIVERED, TRUTH = "model enlarged", "change enlarged", "delivered", "truth enlarged"
WAYS = (ENLARGED, ADDED, DELIVERED, TRUTH)


@dataclass(frozen=True)
class Figures:
    """Of one shot."""

    shot: str
    edit: str
    psnr: dict[str, float]
    """dB inside the edit, by way."""
    recall: float
    area: float
    flicker: float
    """Mean absolute change of the matte between frames along the true flow."""
    kept: float
    """In the last frame: mean difference to the plate inside, over the true one."""


def measure(shot: BenchmarkShot, backbone: Backbone) -> Figures:
    """Draws the shot, runs the model at its size, and composes at the plate's."""
    truth = draw_truth(*shot.scenes(), TIMES * SIDE, TIMES * SIDE, range(shot.frames))
    fit = plan_fit(TIMES * SIDE, TIMES * SIDE, Fraction(1), SIDE * SIDE, backbone.architecture.size_multiple)
    return figures(shot, truth, fit, answer(truth, fit, shot, backbone))


def answer(truth: Truth, fit: Fit, shot: BenchmarkShot, backbone: Backbone) -> ChunkPictures:
    """The model's own, at its size: without training, every second level."""
    small = np.stack([fit.to_model(frame) for frame in truth.source])
    settings = Settings(preset=Preset.PREVIEW, edit=shot.kind, seed=shot.number)
    with tempfile.TemporaryDirectory() as folder:
        workplace = Workplace(Artifacts(Path(folder)))
        propagation = Propagation(
            backbone,
            settings,
            plan_chunks(len(small), backbone.chunk_frames),
            lambda chunk: to_pixels(small[chunk.start : chunk.stop]),
            workplace,
        )
        (chunk,) = propagation.run(to_pixels(fit.to_model(truth.edited[0])[None]))
    return ChunkPictures(to_pictures(chunk.pixels), to_pictures(chunk.source), chunk.edit_map.numpy())


def figures(shot: BenchmarkShot, truth: Truth, fit: Fit, model: ChunkPictures) -> Figures:
    """Every figure of one shot."""
    matte, new = composited(truth, fit, Filling(shot.kind, Inside.AUTO), model)
    delivered = np.stack([composite(*layers) for layers in zip(truth.source, new, matte, strict=True)])
    clips = {
        ENLARGED: np.stack([fit.to_plate(frame) for frame in model.edited]),
        ADDED: truth.source + np.stack([fit.to_plate(frame) for frame in model.edited - model.source]),
        DELIVERED: delivered,
        TRUTH: np.stack([fit.to_plate(fit.to_model(frame)) for frame in truth.edited]),
    }
    later, last = truth.region[1:], truth.region[-1]
    true_change, change = (np.abs(clip[-1] - truth.source[-1])[last].mean() for clip in (truth.edited, delivered))
    return Figures(
        shot=shot.name,
        edit=shot.edit,
        psnr={way: metrics.psnr(clip[1:], truth.edited[1:], later) for way, clip in clips.items()},
        recall=metrics.matte_recall(matte[1:], later),
        area=metrics.matte_area_ratio(matte[1:], later),
        flicker=metrics.flicker(np.repeat(matte[..., None], 3, axis=-1), truth.flow, truth.visible),
        kept=float(change / true_change),
    )


def page(found: Sequence[Figures], command: str) -> str:
    """Markdown: a row for each shot, and the means by type of edit with the goal."""
    ways = [f"{way} (dB)" for way in WAYS]
    head = ["shot", "edit", *ways, "matte recall", "matte area ÷ truth", "matte flicker", "left in the last frame"]
    lines = ["# Inside the matte, at four times the model's size", ""]
    lines += [f"Made by `{command}`. PSNR inside the edit, without the first frame.", ""]
    lines += _table(head, [_row(each) for each in found])
    lines += ["", "## Goal", ""]
    goals = []
    for edit in dict.fromkeys(each.edit for each in found):
        gain = np.mean([each.psnr[DELIVERED] - each.psnr[ENLARGED] for each in found if each.edit == edit])
        goals.append([edit, f"≥ {GAIN:.0f}", f"{gain:.1f}", "yes" if gain >= GAIN else "**no**"])
    return "\n".join([*lines, *_table(["edit", "delivered over the model enlarged (dB)", "measured", "reached"], goals), ""])


def _row(found: Figures) -> list[str]:
    decibels = [f"{found.psnr[way]:.1f}" for way in WAYS]
    return [found.shot, found.edit, *decibels, f"{found.recall:.3f}", f"{found.area:.2f}", f"{found.flicker:.4f}", f"{found.kept:.2f}"]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---"] * 2 + ["---:"] * (len(head) - 2)
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shots", type=int, default=8)
    parser.add_argument("--model", default="mini", help="mini, or a diffusers folder of its size")
    parser.add_argument("--out", type=Path, default=Path("docs/delivery/source_size.md"), help="where the page goes")
    options = parser.parse_args(arguments)
    backbone = load_backbone(options.model)
    found: list[Figures] = []
    for shot in choose_shots_of(Split.EVALUATION, [EDITS[index % len(EDITS)] for index in range(options.shots)]):
        found.append(measure(shot, backbone))
        print(json.dumps(asdict(found[-1])), flush=True)
        write_page_text(options.out, page(found, f"python benchmarks/source_size.py --shots {len(found)}"))


if __name__ == "__main__":
    main()
