"""What a model holds in memory, by count, and the counts of the models that are known."""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from i2vedit_core.plan.architecture import Architecture

COUNTED = Path(__file__).parent / "counted.json"


@dataclass(frozen=True)
class Counts:
    """Weights in bytes, and the peak of everything else in bytes *per latent cell of the picture*, for one whole chunk.

    Attention in its fused forms holds nothing of size N x N, so all of it grows with the picture's area. The peaks are of live
    tensors, without the weights; METHOD's trajectory and the chunk's pixels are in them.
    """

    unet_bytes: int
    vae_bytes: int
    image_encoder_bytes: int
    lora_bytes: int
    """The motion LoRA with both moments of its optimiser."""
    encode: int
    invert: int
    train: int
    train_checkpointed: int
    edit: int
    """The replayed source's maps, and the larger of the two passes of guidance."""
    decode_held: int
    decode_frame: int
    """For each frame that is decoded at once."""
    maps: int
    """Q0 and K0 of all layers at one noise level."""


@cache
def known_counts(architecture: Architecture, half: bool) -> Counts | None:
    """Counts made beforehand, of the UNet in half precision or in float32; None for an architecture that nobody has counted."""
    for entry in json.loads(COUNTED.read_text(encoding="utf-8")):
        if entry["half"] == half and Architecture.of(entry["unet"], entry["vae"], entry["image_encoder"]) == architecture:
            return Counts(**entry["counts"])
    return None


def entry_of(architecture: Architecture, half: bool, counts: Counts) -> dict[str, Any]:
    """As it stands in the file of known counts."""
    parts = {"unet": dict(architecture.unet), "vae": dict(architecture.vae), "image_encoder": dict(architecture.image_encoder)}
    return {"half": half, **parts, "counts": asdict(counts)}
