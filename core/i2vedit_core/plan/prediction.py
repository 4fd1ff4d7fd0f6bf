"""From counts to the peak of each stage on a device."""

from collections.abc import Mapping

from i2vedit_core.plan.architecture import Architecture
from i2vedit_core.plan.counts import Counts
from i2vedit_core.plan.options import MemoryStage, Options

CUDA_BYTES = 750_000_000
"""What a CUDA process takes beside its tensors: the context (0.3 to 0.5 GB by card and driver), kernels loaded at their first use, and
the workspaces of cuBLAS."""

FRAGMENTATION = 0.1
"""Share of the tensors' peak that is lost between them: torch's caching allocator keeps blocks that no tensor fits any more, and
convolutions ask for workspaces that no tensor shows."""


def predict(
    architecture: Architecture, counts: Counts, options: Options, size: tuple[int, int], on_cuda: bool, frames: int | None = None
) -> dict[MemoryStage, int]:
    """Peak bytes of each stage for a chunk of pictures of `size` (width, height); of so many `frames`, or of as many as the model takes."""
    cells = size[0] * size[1] // architecture.latent_factor**2
    overhead = CUDA_BYTES if on_cuda else 0
    weights, held = _weights(counts, options), _per_cell(counts, options, frames or architecture.frames, architecture.frames)
    return {stage: overhead + weights[stage] + round(cells * held[stage] * (1 + FRAGMENTATION)) for stage in MemoryStage}


def offloaded_bytes(counts: Counts) -> int:
    """Host memory that offloading may take."""
    return counts.unet_bytes + counts.vae_bytes + counts.image_encoder_bytes


def _weights(counts: Counts, options: Options) -> Mapping[MemoryStage, int]:
    unet, pixels = counts.unet_bytes, counts.vae_bytes + counts.image_encoder_bytes
    needed = dict.fromkeys(MemoryStage, unet + counts.lora_bytes)
    needed |= {MemoryStage.ENCODE: pixels, MemoryStage.DECODE: counts.vae_bytes}
    return needed if options.offload else dict.fromkeys(MemoryStage, unet + counts.lora_bytes + pixels)


def _per_cell(counts: Counts, options: Options, frames: int, whole: int) -> Mapping[MemoryStage, float]:
    """Counted with whole chunks. Encoding goes frame by frame; all else that a stage holds grows with the frames of the chunk."""
    share = frames / whole
    return {
        MemoryStage.ENCODE: counts.encode,
        MemoryStage.INVERT: counts.invert * share,
        MemoryStage.TRAIN: (counts.train_checkpointed if options.checkpointing else counts.train) * share,
        MemoryStage.EDIT: counts.edit * share,
        MemoryStage.DECODE: counts.decode_held * share + counts.decode_frame * min(options.decode_frames, frames),
    }
