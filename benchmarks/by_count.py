"""What full size takes by count alone: disk of a chunk, and the memory plan of each class of cards. For `full_size.py`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from i2vedit_core.plan import Architecture, Memory, MemoryPlan, Request, choose, known_counts
from i2vedit_core.plan.counts import Counts

GIB = 2**30
SVD = Architecture.of({}, {}, {})
SVD_XT = Architecture.of({"num_frames": 25}, {}, {})
FULL = Request(1024, 576)
PREVIEW = replace(FULL, trains=False)
CLASSES = (8, 12, 16, 24, 48)
"""GiB of the cards that the plan is made for."""

FLOAT_BYTES = 4
MOMENTS = 2
"""Of the optimiser: it keeps as many tensors of the size of each weight."""


@dataclass(frozen=True)
class ChunkDisk:
    """Tensors of one chunk on disk. Their files have names and shapes besides, of some kilobytes."""

    trajectory_bytes: int
    lora_bytes: int

    @property
    def kept_bytes(self) -> int:
        """After preparation."""
        return self.trajectory_bytes + self.lora_bytes

    @property
    def training_bytes(self) -> int:
        """Between two checkpoints: the LoRA with its moments."""
        return self.trajectory_bytes + (1 + MOMENTS) * self.lora_bytes

    @property
    def most_bytes(self) -> int:
        """For the moment in which one checkpoint replaces the one before."""
        return self.trajectory_bytes + 2 * (1 + MOMENTS) * self.lora_bytes


def chunk_disk(steps: int, latents: Sequence[int], lora_bytes: int) -> ChunkDisk:
    """By count, for `latents` [F, C, h, w]: the trajectory has a float32 entry for each step and the clean latents."""
    return ChunkDisk((steps + 1) * prod(latents) * FLOAT_BYTES, lora_bytes)


def disk_of(architecture: Architecture, request: Request = FULL) -> ChunkDisk:
    """Of a model whose counts are known."""
    factor, channels = architecture.latent_factor, dict(architecture.vae)["latent_channels"]
    latents = architecture.frames, channels, request.height // factor, request.width // factor
    return chunk_disk(request.steps, latents, counts_of(architecture).lora_bytes // (1 + MOMENTS))


def counts_of(architecture: Architecture) -> Counts:
    """With the UNet in half precision. Raises LookupError for an architecture that nobody has counted."""
    counts = known_counts(architecture, half=True)
    if counts is None:
        raise LookupError("the counts of this architecture are not known")
    return counts


def card(gib: float, host_gib: float = 32) -> Memory:
    """A card of this class on a desk, whose desktop has a twentieth of it, in a host with so much free."""
    return Memory(int(0.95 * gib * GIB), int(gib * GIB), int(host_gib * GIB), on_cuda=True)


def svd_plan(memory: Memory, request: Request = FULL) -> MemoryPlan:
    return choose(SVD, counts_of(SVD), memory, request)
