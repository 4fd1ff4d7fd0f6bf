"""Counts a model's memory by running its real classes on `meta` tensors, under this project's own attention processors.

`python -m i2vedit_core.plan.counting FOLDER...` writes the known counts anew: of SVD's published shapes, of SVD-XT's, and of the
model folders that are named.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
from torch import Tensor, nn
from torch.autograd.graph import _engine_run_backward
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from i2vedit_core.backbone import checkpointed_gradients
from i2vedit_core.method.attention.edit_map import EditMap
from i2vedit_core.method.attention.layers import Kind, Layer
from i2vedit_core.method.attention.matched import plain_attention
from i2vedit_core.method.attention.passes import AttentionPass, Matching
from i2vedit_core.method.attention.reference import FrontKeys, reference_frames
from i2vedit_core.method.motion_lora import MotionLora
from i2vedit_core.method.sarp import perturb
from i2vedit_core.plan.architecture import Architecture
from i2vedit_core.plan.counts import COUNTED, Counts, entry_of
from i2vedit_core.plan.live import AsOnCuda, LiveBytes
from i2vedit_core.settings import LoraSettings, Settings

OPTIMISER_COPIES = 3
"""A LoRA weight and its two moments; its gradient is counted where it arises."""

META = torch.device("meta")


def count(architecture: Architecture, half: bool) -> Counts:
    """Counts at the model's native area."""
    unet = _meta(UNetSpatioTemporalConditionModel, **dict(architecture.unet)).to(torch.float16 if half else torch.float32)
    vae = _meta(AutoencoderKLTemporalDecoder, **dict(architecture.vae))
    image_encoder = _meta(CLIPVisionModelWithProjection, CLIPVisionConfig(**dict(architecture.image_encoder)))
    unet_bytes = _bytes(unet)
    with META:
        lora = MotionLora(unet, LoraSettings())
    chunk = Chunk(architecture)
    maps, train = chunk.maps(unet), chunk.train(unet, lora)
    invert, edit = chunk.invert(unet), maps + chunk.edit(unet, lora)
    with checkpointed_gradients(unet):
        train_checkpointed = chunk.train(unet, lora)
    return Counts(
        unet_bytes=unet_bytes,
        vae_bytes=_bytes(vae),
        image_encoder_bytes=_bytes(image_encoder),
        lora_bytes=OPTIMISER_COPIES * sum(weight.nbytes for weight in lora.weights.values()),
        encode=chunk.encode(vae),
        invert=invert,
        train=train,
        train_checkpointed=train_checkpointed,
        edit=edit,
        decode_held=chunk.decode_held(),
        decode_frame=chunk.decode_frame(vae),
        maps=maps,
    )


class Chunk:
    """One chunk of pictures of the model's native area. Each method gives a peak in bytes per latent cell."""

    def __init__(self, architecture: Architecture, device: torch.device = META, side: int | None = None) -> None:
        """`side`: latent cells along each side, where not the native area is counted."""
        self._unet, self._frames, self._device = dict(architecture.unet), architecture.frames, device
        self._side = side or architecture.latent_side
        self._latent_channels, self._factor = dict(architecture.vae)["latent_channels"], architecture.latent_factor

    def encode(self, vae: AutoencoderKLTemporalDecoder) -> int:
        """SARP on the whole chunk, then one frame through the encoder, with both versions of the pixels held."""
        with self._counting(vae) as live:
            pixels, noise = self._pixels(), self._pixels()
            perturbed = perturb(pixels, Settings().sarp_alpha, noise)
            vae.encode(perturbed[:1]).latent_dist.mode()
        return self._per_cell(live)

    def maps(self, unet: nn.Module) -> int:
        """Q0 and K0 of every layer. They are held, so that is what remains of the pass."""
        recorded: dict[str, tuple[Tensor, Tensor]] = {}
        with self._counting(unet):
            self._pass(unet, AttentionPass(record=recorded))
        return self._cells(sum(q.nbytes + k.nbytes for q, k in recorded.values()))

    def invert(self, unet: nn.Module) -> int:
        with self._counting(unet) as live:
            held = self._held()
            self._pass(unet, AttentionPass(front=_Front(self._frames)))
            del held
        return self._per_cell(live)

    def edit(self, unet: nn.Module, lora: MotionLora) -> int:
        """The conditional half; the other one holds no more."""
        matching = _Matched({}, torch.zeros(self._frames), 0.0, (0.0, 0.0), EditMap(1, 1, 1))
        with lora.on(), self._counting(unet) as live:
            held = self._held()
            self._pass(unet, AttentionPass(front=_Front(self._frames), matching=matching))
            del held
        return self._per_cell(live)

    def train(self, unet: nn.Module, lora: MotionLora) -> int:
        """Forward and backward of one step."""
        with lora.on(training=True), self._counting(unet) as live:
            held = self._held()
            self._pass(unet, AttentionPass(front=_Front(self._frames)))
            del held
        for weight in lora.weights.values():
            weight.grad = None
        return self._per_cell(live)

    def decode_held(self) -> int:
        """The edited pixels, and those that are on their way out, whole and in slices."""
        return self._cells(3 * self._frames * 3 * (self._side * self._factor) ** 2 * 4)

    def decode_frame(self, vae: AutoencoderKLTemporalDecoder) -> int:
        with self._counting(vae) as live:
            vae.decode(torch.empty(2, self._latent_channels, self._side, self._side, device=self._device), num_frames=2)
        return -(-self._per_cell(live) // 2)

    def _pass(self, unet: nn.Module, attention_pass: AttentionPass) -> None:
        """One pass of the UNet, and its backward pass where gradients are on."""
        dtype = next(unet.parameters()).dtype
        shape = 1, self._frames, self._unet["in_channels"], self._side, self._side
        sample, sigma = self._empty(*shape).to(dtype), self._empty(1)
        context, ids = self._empty(1, 1, self._unet["cross_attention_dim"]).to(dtype), self._empty(1, 3).to(dtype)
        with attention_pass.installed(unet):
            answer = unet(sample, sigma, context, ids, return_dict=False)[0].float()
            if answer.requires_grad:
                loss = answer.square().mean()
                # Not loss.backward(): that would leave AsOnCuda before checkpoints run their forwards again.
                _engine_run_backward((loss,), (torch.ones_like(loss),), False, False, (), allow_unreachable=True, accumulate_grad=True)

    def _held(self) -> tuple[Tensor, ...]:
        """What lives through inversion, training and editing: the chunk's pixels, its latents, and its trajectory."""
        trajectory = self._empty(Settings().steps + 2, self._frames, self._latent_channels, self._side, self._side)
        return self._pixels(), trajectory

    def _pixels(self) -> Tensor:
        side = self._side * self._factor
        return self._empty(self._frames, 3, side, side)

    def _empty(self, *shape: int) -> Tensor:
        return torch.zeros(shape, device=self._device)

    @contextmanager
    def _counting(self, model: nn.Module) -> Iterator[LiveBytes]:
        live = LiveBytes([*model.parameters(), *model.buffers()])
        with AsOnCuda(), live:
            yield live

    def _per_cell(self, live: LiveBytes) -> int:
        return self._cells(live.peak)

    def _cells(self, count: int) -> int:
        return -(-count // self._side**2)


class _Front(FrontKeys):
    """Chunk 0's keys and values as a later chunk has them in front, without any that were ever kept."""

    def __init__(self, frames: int) -> None:
        super().__init__(reference_frames(Settings().reference_frames, frames))

    def put_in_front(self, path: str, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        count = len(self._frames)
        return torch.cat([torch.empty_like(k[:, :, :count]), k], dim=2), torch.cat([torch.empty_like(v[:, :, :count]), v], dim=2)


class _Matched(Matching):
    """What the fused form of matched attention holds: the edit's output, the source's, and five numbers for each head and row."""

    def attend(self, layer: Layer, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if layer.kind is Kind.TEMPORAL:
            return plain_attention(q, k, v)
        beside = torch.empty_like(v), q.new_empty((5, *q.shape[:3]), dtype=torch.float32)
        out = torch.empty_like(v)
        del beside
        return out


def _meta(cls: Any, *arguments: Any, **options: Any) -> Any:
    """A model without memory, as `load_backbone` leaves it. Some of diffusers' parameters ignore the device that they are made on."""
    with META:
        return cls(*arguments, **options).to(META).eval().requires_grad_(False)


def _bytes(model: nn.Module) -> int:
    return sum(weight.nbytes for weight in model.parameters())


def main(folders: list[str]) -> None:
    """Counts the published shapes and those of some folders, each in both precisions."""
    published = [Architecture.of({}, {}, {}), Architecture.of({"num_frames": 25}, {}, {})]
    architectures = [*(Architecture.of_folder(Path(folder)) for folder in folders), *published]
    entries = [entry_of(each, half, count(each, half)) for each in architectures for half in (True, False)]
    COUNTED.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
