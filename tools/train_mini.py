"""Trains the bundled mini model on procedural shots: data, autoencoder, latents, UNet, export.

    python tools/train_mini.py --work runs/mini --export core/i2vedit_core/assets/mini

Every phase writes its state as it goes; the same command after a kill goes on where it was. CPU or CUDA, whichever is there.
"""

import argparse
import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import matplotlib
import numpy as np
import torch
from diffusers import AutoencoderKLTemporalDecoder
from scipy.stats import norm
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.conditioning import CONDITION_NOISE, TIME_IDS, Condition, clip_pixels
from i2vedit_core.method.edm import predict
from i2vedit_core.method.motion_lora import velocity_loss
from i2vedit_core.models import ModelFolder
from i2vedit_core.synthetic import Split, edit_scene, random_scene, render
from mini_model import FRAMES, export, new_autoencoder, new_image_encoder, new_scheduler, new_unet

matplotlib.use("Agg")
import matplotlib.pyplot as plt

Sized = Mapping[tuple[int, int], np.ndarray]
"""An array of shots or latents for each (width, height)."""

SIZES = {(64, 64): 1800, (80, 48): 300, (48, 80): 300}
"""Shots by (width, height): the model meets square, wide and tall pictures of about the same area."""
LOOKED = 0.2
"""Share of the shots that carry a look: edits of the whole picture must not be strangers."""
CROPPED = 0.875
"""Share of the autoencoder's steps on crops."""
CLIPS = 2
"""Clips in one step of the UNet."""
SLOW_NOISE = 0.5
"""Deviation of each of the slow parts of the UNet's noise, beside 1 of the white part."""
SLOW_SIZES = (16, 8, 4)
"""Size in latent cells of what the slow parts consist of: from the colour of the whole picture to that of an object."""
SLOW_DRIFT = 1
"""Cells of the latent that a slow part drifts at most from frame to frame: objects move, and so must what hides their colours."""


class Run:
    """A phase's state on disk: weights, optimiser, step, losses. Written whole or not at all."""

    def __init__(self, folder: Path, name: str, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer) -> None:
        self.path, self.modules, self.optimizer = folder / f"{name}.pt", modules, optimizer
        self.step, self.losses, self._saved = 0, [], time.monotonic()
        if self.path.exists():
            state = torch.load(self.path, weights_only=True, map_location="cpu")  # a run may go on on another device
            for key, module in modules.items():
                module.load_state_dict(state[key])
            optimizer.load_state_dict(state["optimizer"])
            self.step, self.losses = state["step"], state["losses"]

    def done(self, loss: float) -> None:
        self.step += 1
        self.losses.append(loss)
        if self.step % 20 == 0:
            print(f"{self.path.stem} {self.step}: {sum(self.losses[-20:]) / 20:.5f}", flush=True)
        if time.monotonic() - self._saved > 90:
            self.save()

    def save(self) -> None:
        weights = {key: module.state_dict() for key, module in self.modules.items()}
        state = {**weights, "optimizer": self.optimizer.state_dict(), "step": self.step, "losses": self.losses}
        partial = self.path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.path)
        self._saved = time.monotonic()


def data(folder: Path) -> Sized:
    """Training shots as uint8 `[n, 14, H, W, 3]`, rendered once on all cores and memory-mapped from then on."""
    shots, first = {}, 0
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:  # starts processes only for what there is to draw
        for (width, height), count in SIZES.items():
            path = folder / f"shots_{width}x{height}.npy"
            if not path.exists():
                clips = list(pool.map(partial(_draw_shot, width, height), range(first, first + count), chunksize=20))
                np.save(path.with_suffix(".partial.npy"), np.stack(clips))
                path.with_suffix(".partial.npy").replace(path)
            shots[width, height] = np.load(path, mmap_mode="r")
            first += count
    return shots


def _draw_shot(width: int, height: int, index: int) -> np.ndarray:
    scene = random_scene(Split.TRAINING, index)
    if np.random.default_rng([3, index]).random() < LOOKED:
        scene = edit_scene(scene, "look", index)
    return np.round(render(scene, width, height, range(FRAMES)) * 255).astype(np.uint8)


def to_pixels(frames: np.ndarray, device: torch.device) -> Tensor:
    """uint8 `[F, H, W, 3]` to `[F, 3, H, W]` float32 in [-1, 1]."""
    return torch.from_numpy(np.array(frames)).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def train_autoencoder(folder: Path, shots: Sized, steps: int, device: torch.device) -> AutoencoderKLTemporalDecoder:
    """On single frames: small crops, many and cheap, and at last whole pictures, since normalisation sees how large a picture is."""
    torch.manual_seed(0)
    vae = new_autoencoder().to(device)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=1e-4)
    run = Run(folder, "autoencoder", {"vae": vae}, optimizer)
    while run.step < steps:
        draw = np.random.default_rng([1, run.step])
        frames = _crops(shots, draw, 16, 32) if run.step < CROPPED * steps else _crops(shots, draw, 4, 64)
        _set_rate(optimizer, 1e-3, run.step, steps)
        pixels = to_pixels(frames, device)
        posterior = vae.encode(pixels).latent_dist
        latent = posterior.sample(torch.Generator(device).manual_seed(run.step))
        difference = vae.decode(latent, num_frames=1).sample - pixels
        _descend(_picture_loss(difference) + 1e-6 * posterior.kl().mean(), vae, optimizer)
        run.done(float(difference.detach().square().mean()))
    run.save()
    return vae


def train_decoder(
    folder: Path, shots: Sized, encoded: Sized, vae: AutoencoderKLTemporalDecoder, made_by: int, steps: int, device: torch.device
) -> None:
    """On chunks of 1 to 14 frames, so that the decoder learns time. The encoder, and with it every latent, stays as it is.

    `made_by`: the steps of the autoencoder whose decoder this is.
    """
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    vae.decoder.requires_grad_(True)
    optimizer = torch.optim.AdamW(vae.decoder.parameters(), lr=4e-4, betas=(0.9, 0.95), weight_decay=1e-4)
    run = Run(folder, f"decoder_{made_by}", {"vae": vae}, optimizer)
    while run.step < steps:
        draw = np.random.default_rng([4, run.step])
        size, clip, frames = _chunk(shots, draw)
        _set_rate(optimizer, 4e-4, run.step, steps)
        latent = torch.from_numpy(encoded[size][clip, frames].astype(np.float32)).to(device)
        difference = vae.decode(latent, num_frames=len(latent)).sample - to_pixels(shots[size][clip, frames], device)
        _descend(_picture_loss(difference), vae.decoder, optimizer)
        run.done(float(difference.detach().square().mean()))
    run.save()


def _picture_loss(difference: Tensor) -> Tensor:
    return difference.abs().mean() + 2 * difference.square().mean()


def _crops(shots: Sized, draw: np.random.Generator, count: int, side: int) -> np.ndarray:
    clips = shots[64, 64]
    return np.stack([_crop(clips[draw.integers(len(clips)), draw.integers(FRAMES)], draw, side) for _ in range(count)])


def _crop(frame: np.ndarray, draw: np.random.Generator, side: int) -> np.ndarray:
    top, left = draw.integers(frame.shape[0] - side + 1), draw.integers(frame.shape[1] - side + 1)
    return frame[top : top + side, left : left + side]


def _chunk(shots: Sized, draw: np.random.Generator) -> tuple[tuple[int, int], int, slice]:
    """Size, number and frames of a chunk."""
    size = _size(shots, draw)
    count = int(draw.choice([1, 7, FRAMES], p=[0.1, 0.2, 0.7]))
    first = int(draw.integers(FRAMES - count + 1))
    return size, int(draw.integers(len(shots[size]))), slice(first, first + count)


def _size(shots: Sized, draw: np.random.Generator) -> tuple[int, int]:
    return list(shots)[int(draw.choice(len(shots), p=[0.7, 0.15, 0.15]))]


def _set_rate(optimizer: torch.optim.Optimizer, peak: float, step: int, total: int) -> None:
    """Warm-up over 50 steps, then a cosine to a twentieth of the peak."""
    rate = peak * min(1.0, (step + 1) / 50) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / total)))
    for group in optimizer.param_groups:
        group["lr"] = rate


def _descend(loss: Tensor, module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    optimizer.step()


def latents(folder: Path, shots: Sized, vae: AutoencoderKLTemporalDecoder, made_by: int, device: torch.device) -> Sized:
    """Unscaled latents of every shot, float16 `[n, 14, C, h, w]`, encoded once by an autoencoder of so many steps."""
    encoded = {}
    vae.eval().requires_grad_(False)
    for (width, height), clips in shots.items():
        path = folder / f"latents_{made_by}_{width}x{height}.npy"
        if not path.exists():
            modes = [vae.encode(to_pixels(clip, device)).latent_dist.mode().cpu().numpy().astype(np.float16) for clip in clips]
            np.save(path.with_suffix(".partial.npy"), np.stack(modes))
            path.with_suffix(".partial.npy").replace(path)
        encoded[width, height] = np.load(path, mmap_mode="r")
    return encoded


def train_unet(folder: Path, shots: Sized, encoded: Sized, vae: AutoencoderKLTemporalDecoder, steps: int, device: torch.device) -> Backbone:
    """SVD's objective, UNet and image encoder together, the condition left out one time in ten."""
    torch.manual_seed(1)
    unet, encoder = new_unet().to(device), new_image_encoder().to(device)
    vae.register_to_config(scaling_factor=round(1 / float(np.std(encoded[64, 64][::7].astype(np.float32))), 5))
    both = nn.ModuleDict({"unet": unet, "image_encoder": encoder})
    average = AveragedModel(both, multi_avg_fn=get_ema_multi_avg_fn(0.998))
    optimizer = torch.optim.AdamW(both.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=1e-2, fused=True)
    run = Run(folder, "unet", {"both": both, "average": average}, optimizer)
    nothing = ModelFolder("mini", folder, FRAMES, {})
    backbone = Backbone(
        nothing, unet, vae, encoder, (tuple(OPENAI_CLIP_MEAN), tuple(OPENAI_CLIP_STD)), new_scheduler(), device, torch.float32
    )
    while run.step < steps:
        _set_rate(optimizer, 1e-3, run.step, steps)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = _unet_loss(backbone, shots, encoded, run.step)
        _descend(loss, both, optimizer)
        average.update_parameters(both)
        run.done(float(loss.detach()))
    run.save()
    both.load_state_dict(average.module.state_dict())
    return backbone


def _unet_loss(backbone: Backbone, shots: Sized, encoded: Sized, step: int) -> Tensor:
    """A few clips of one size and length, each at a noise level of its own; together they cover the range evenly."""
    draw = np.random.default_rng([2, step])
    size = _size(shots, draw)
    count = FRAMES if draw.random() < 0.9 else int(draw.integers(2, FRAMES))
    clips = draw.integers(len(shots[size]), size=CLIPS)
    directions = [slice(None, None, int(direction)) for direction in draw.choice([1, -1], CLIPS)]  # a shot run backwards is a shot
    generator = torch.Generator().manual_seed(int(draw.integers(2**62)))
    latent = torch.from_numpy(np.stack([encoded[size][pair][:count] for pair in zip(clips, directions, strict=True)]).astype(np.float32))
    first = np.stack([shots[size][pair][0] for pair in zip(clips, directions, strict=True)])
    quantiles = (np.arange(CLIPS) + draw.random(CLIPS)) / CLIPS
    sigma = torch.from_numpy(np.clip(np.exp(norm.ppf(quantiles, 0.4, 1.6)), 0.002, 80.0).astype(np.float32)).to(backbone.device)
    keep = torch.from_numpy((draw.random(CLIPS) >= 0.1).astype(np.float32)).to(backbone.device)
    z_0 = latent.to(backbone.device)
    condition = _condition(backbone, z_0[:, 0], to_pixels(first, backbone.device), keep, generator)
    z_0, sigma = z_0 * backbone.latent_scale, sigma[:, None, None, None, None]
    epsilon = _noise_like(z_0, generator) + _slow_noise(z_0, generator)
    return velocity_loss(predict(backbone, z_0 + sigma * epsilon, sigma, condition), z_0, epsilon, sigma)


def _condition(backbone: Backbone, latent: Tensor, first: Tensor, keep: Tensor, generator: torch.Generator) -> Condition:
    """The product's own condition for several clips, gradients included, left out where `keep` is 0."""
    embedding = backbone.image_encoder(clip_pixels(backbone, first)).image_embeds
    image = latent + CONDITION_NOISE * _noise_like(latent, generator)
    ids = torch.tensor([TIME_IDS] * len(latent), device=backbone.device)
    return Condition(image * keep[:, None, None, None], (embedding * keep[:, None])[:, None], ids)


def _slow_noise(z: Tensor, generator: torch.Generator) -> Tensor:
    """Noise [B, F, C, h, w] that is smooth over the picture and the same in all frames, but for a drift (docs/decisions/0012).

    White noise hides an object's colour from nobody who averages over all its cells in all frames. With this beside it, colours are to be
    found in the condition alone, also at noise levels at which positions show already.
    """
    clips, frames, channels, height, width = z.shape
    total = torch.zeros(z.shape)
    margin = SLOW_DRIFT * frames
    whole = height + 2 * margin, width + 2 * margin
    for size in SLOW_SIZES:
        field = torch.randn((clips, channels, *(side // size + 2 for side in whole)), generator=generator)
        smooth = nn.functional.interpolate(field, whole, mode="bilinear", align_corners=True)
        for clip, drift in enumerate((2 * torch.rand((clips, 2), generator=generator) - 1) * SLOW_DRIFT):
            for frame in range(frames):
                top, left = (margin + round(float(along) * frame) for along in drift)
                total[clip, frame] += smooth[clip, :, top : top + height, left : left + width]
    return SLOW_NOISE * total.to(z)


def _noise_like(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator).to(like)


def plot(files: Sequence[Path], target: Path) -> None:
    """Loss curves of the phases as one picture."""
    figure, axes = plt.subplots(1, 3, figsize=(14, 3.5))
    for axis, file in zip(axes, files, strict=True):
        losses = np.asarray(torch.load(file, weights_only=True, map_location="cpu")["losses"])
        width = min(50, len(losses))
        axis.plot(np.convolve(losses, np.ones(width) / width, "valid"))
        axis.set(title=f"{file.stem}, mean of {width} steps", xlabel="step", ylabel="loss", yscale="log")
    figure.tight_layout()
    figure.savefig(target, dpi=110)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for the state of the run")
    parser.add_argument("--export", type=Path, required=True, help="folder that receives the finished model")
    parser.add_argument("--autoencoder", type=int, default=2900, help="autoencoder steps on single frames")
    parser.add_argument("--decoder", type=int, default=150, help="decoder steps on chunks")
    parser.add_argument("--unet", type=int, default=3000, help="UNet steps")
    parser.add_argument("--plot", type=Path, help="picture of the loss curves")
    options = parser.parse_args(arguments)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    options.work.mkdir(parents=True, exist_ok=True)
    shots = data(options.work)
    vae = train_autoencoder(options.work, shots, options.autoencoder, device)
    encoded = latents(options.work, shots, vae, options.autoencoder, device)
    train_decoder(options.work, shots, encoded, vae, options.autoencoder, options.decoder, device)
    backbone = train_unet(options.work, shots, encoded, vae, options.unet, device)
    export(backbone, options.export)
    if options.plot:
        plot([options.work / f"{name}.pt" for name in ("autoencoder", f"decoder_{options.autoencoder}", "unet")], options.plot)


if __name__ == "__main__":
    main()
