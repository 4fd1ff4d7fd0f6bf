"""What later chunks lose by looking back at three frames of chunk 0 in eight bits, instead of at all of them in float32 (decision 0015).

    python benchmarks/looking_back.py --shots 1

Drawn shots of two chunks whose edited version is known, on the bundled model. Everything is made with each way of keeping chunk 0's keys
and values, inversion included; the motion LoRA is left out, since no two trainings could be compared. Prints a row a way: PSNR of chunk 1
against the truth inside the edit and outside, and its distance from what looking back at all frames in float32 gives.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import metrics
from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone, load_backbone
from i2vedit_core.method.attention import reference
from i2vedit_core.method.chunks import Chunk, plan_chunks
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.method.propagation import Propagation
from i2vedit_core.pictures import to_pictures, to_pixels
from i2vedit_core.settings import Part, Settings
from i2vedit_core.synthetic import Split, Truth
from report import markdown
from shots import BenchmarkShot, choose_long_shots

CHUNKS = 2
ALL = 1 << 10
"""Frames to look back at: as many as a chunk has."""


@dataclass(frozen=True)
class Way:
    """How chunk 0 is kept for later ones."""

    frames: int
    exact: bool
    looks_back: bool = True


TRUEST = "all frames, float32"
WAYS = {
    TRUEST: Way(ALL, exact=True),
    "all frames, 8 bits": Way(ALL, exact=False),
    "3 frames, float32": Way(3, exact=True),
    "3 frames, 8 bits (the product)": Way(3, exact=False),
    "not looking back": Way(3, exact=True, looks_back=False),
}


@dataclass(frozen=True)
class Whole:
    """Stands where `reference.Quantized` does, and loses nothing."""

    values: Tensor

    @classmethod
    def of(cls, tensor: Tensor) -> "Whole":
        return cls(tensor.clone())

    def restore(self, like: Tensor) -> Tensor:
        return self.values.to(like)


@contextmanager
def kept(way: Way) -> Iterator[None]:
    """Inside the block, front keys are kept in this way."""
    quantized = reference.Quantized
    if way.exact:
        reference.Quantized = Whole  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        reference.Quantized = quantized  # type: ignore[misc]


def later_chunk(backbone: Backbone, settings: Settings, truth: Truth, way: Way) -> np.ndarray:
    """Chunk 1 as this way makes it, without the frame that chunk 0 handed over: [F - 1, H, W, 3] in 0..1."""
    without = (Part.LORA,) if way.looks_back else (Part.LORA, Part.SKIP_INTERVAL)
    settings = replace(settings, reference_frames=way.frames, without=without)

    def read(chunk: Chunk) -> Tensor:
        return to_pixels(truth.source[chunk.start : chunk.stop])

    with tempfile.TemporaryDirectory() as folder, kept(way):
        propagation = Propagation(
            backbone, settings, plan_chunks(len(truth.source), backbone.chunk_frames), read, Workplace(Artifacts(Path(folder)))
        )
        *_, last = propagation.run(to_pixels(truth.edited[:1]))
    return to_pictures(last.pixels)[1:]


def figures(backbone: Backbone, shot: BenchmarkShot, steps: int) -> dict[str, tuple[float, float, float]]:
    """By way: PSNR inside and outside against the truth, and against the truest way, dB."""
    truth, settings = shot.truth(), Settings(steps=steps, edit=shot.kind, seed=shot.number)
    made = {name: later_chunk(backbone, settings, truth, way) for name, way in WAYS.items()}
    count = len(made[TRUEST])
    edited, region = truth.edited[-count:], truth.region[-count:]
    return {
        name: (
            metrics.psnr(clip, edited, region),
            metrics.psnr(clip, edited, ~region),
            metrics.psnr(clip, made[TRUEST], np.ones_like(region)),
        )
        for name, clip in made.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="mini", help="mini, or a diffusers folder")
    parser.add_argument("--shots", type=int, default=7)
    parser.add_argument("--steps", type=int, default=25, help="sampler steps")
    options = parser.parse_args(arguments)
    backbone = load_backbone(options.model, device="cpu")
    with torch.no_grad():
        found = [figures(backbone, shot, options.steps) for shot in choose_long_shots(Split.EVALUATION, CHUNKS, options.shots)]
    rows = [[name, *(f"{np.mean(column):.2f}" for column in zip(*(each[name] for each in found), strict=True))] for name in WAYS]
    print(markdown(["chunk 0 is kept as", "PSNR inside, dB", "PSNR outside, dB", "PSNR against the first row, dB"], rows))


if __name__ == "__main__":
    main()
