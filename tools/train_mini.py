"""Trains the bundled mini model on procedural shots: data, autoencoder, latents, UNet, export.

    python tools/train_mini.py --work runs/mini --export core/i2vedit_core/assets/mini

Every phase writes its state as it goes; the same command after a kill goes on where it was. CPU or CUDA, whichever is there.
"""

import argparse
import json
import math
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import matplotlib
import numpy as np
import torch
from diffusers import AutoencoderKLTemporalDecoder, EulerDiscreteScheduler, UNetSpatioTemporalConditionModel
from diffusers.models.resnet import ResnetBlock2D, TemporalResnetBlock
from diffusers.models.transformers.transformer_temporal import TransformerSpatioTemporalModel
from scipy.stats import norm
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.conditioning import CONDITION_NOISE, TIME_IDS, Condition, clip_pixels
from i2vedit_core.method.edm import predict
from i2vedit_core.method.motion_lora import velocity_loss
from i2vedit_core.models import ModelFolder
from i2vedit_core.synthetic import Split, edit_scene, random_scene, render

matplotlib.use("Agg")
import matplotlib.pyplot as plt

Sized = Mapping[tuple[int, int], np.ndarray]
"""An array of shots or latents for each (width, height)."""

FRAMES = 14
SIZES = {(64, 64): 1800, (80, 48): 300, (48, 80): 300}
"""Shots by (width, height): the model meets square, wide and tall pictures of about the same area."""
LOOKED = 0.2
"""Share of the shots that carry a look: edits of the whole picture must not be strangers."""
CONTEXT = 64
LATENT_CHANNELS = 12
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
            state = torch.load(self.path, weights_only=True)
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
    for (width, height), count in SIZES.items():
        path = folder / f"shots_{width}x{height}.npy"
        if not path.exists():
            with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
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


def autoencoder() -> AutoencoderKLTemporalDecoder:
    vae = AutoencoderKLTemporalDecoder(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 3,
        block_out_channels=(64, 64, 128),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        sample_size=64,
    )
    with torch.no_grad():  # nearly deterministic from the start: the log-variance would begin as loud as the signal
        vae.quant_conv.bias[LATENT_CHANNELS:] = -10.0
        vae.quant_conv.weight[LATENT_CHANNELS:] = 0.0
        for module in vae.decoder.modules():
            if isinstance(module, nn.Conv3d):  # single frames never train the taps before and after: they must not begin as noise
                middle = module.kernel_size[0] // 2
                module.weight[:, :, :middle] = 0.0
                module.weight[:, :, middle + 1 :] = 0.0
    return vae


def train_autoencoder(folder: Path, shots: Sized, steps: int, device: torch.device) -> AutoencoderKLTemporalDecoder:
    """On single frames: small crops, many and cheap, and at last whole pictures, since normalisation sees how large a picture is."""
    torch.manual_seed(0)
    vae = autoencoder().to(device)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=1e-4)
    run = Run(folder, "autoencoder", {"vae": vae}, optimizer)
    while run.step < steps:
        draw = np.random.default_rng([1, run.step])
        frames = _crops(shots, draw, 16, 32) if run.step < CROPPED * steps else _crops(shots, draw, 4, 64)
        _set_rate(optimizer, 1e-3, run.step, steps)
        pixels = to_pixels(frames, device)
        posterior = vae.encode(pixels).latent_dist
        difference = vae.decode(posterior.sample(), num_frames=1).sample - pixels
        _descend(_picture_loss(difference) + 1e-6 * posterior.kl().mean(), vae, optimizer)
        run.done(float(difference.detach().square().mean()))
    run.save()
    return vae


def train_decoder(folder: Path, shots: Sized, encoded: Sized, vae: AutoencoderKLTemporalDecoder, steps: int, device: torch.device) -> None:
    """On chunks of 1 to 14 frames, so that the decoder learns time. The encoder, and with it every latent, stays as it is."""
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    vae.decoder.requires_grad_(True)
    optimizer = torch.optim.AdamW(vae.decoder.parameters(), lr=4e-4, betas=(0.9, 0.95), weight_decay=1e-4)
    run = Run(folder, "decoder", {"vae": vae}, optimizer)
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


def latents(folder: Path, shots: Sized, vae: AutoencoderKLTemporalDecoder, device: torch.device) -> Sized:
    """Unscaled latents of every shot, float16 `[n, 14, 8, h, w]`, encoded once."""
    encoded = {}
    vae.eval().requires_grad_(False)
    for (width, height), clips in shots.items():
        path = folder / f"latents_{width}x{height}.npy"
        if not path.exists():
            modes = [vae.encode(to_pixels(clip, device)).latent_dist.mode().cpu().numpy().astype(np.float16) for clip in clips]
            np.save(path.with_suffix(".partial.npy"), np.stack(modes))
            path.with_suffix(".partial.npy").replace(path)
        encoded[width, height] = np.load(path, mmap_mode="r")
    return encoded


def new_unet() -> UNetSpatioTemporalConditionModel:
    """SVD's UNet in small. It begins as a path from what is given to the output: every residual branch starts at zero.

    The classes normalise in 32 groups. Of a group with two channels, normalisation leaves no level at all, so the picture's colours
    would be lost before the output: the widest level has three, two of them a pair of opposite sign and one at rest.
    """
    unet = UNetSpatioTemporalConditionModel(
        sample_size=16,
        in_channels=2 * LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        block_out_channels=(96, 128, 192),
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=96,
        layers_per_block=1,
        cross_attention_dim=CONTEXT,
        transformer_layers_per_block=1,
        num_attention_heads=(3, 4, 6),
        num_frames=FRAMES,
    )
    with torch.no_grad():
        for module in unet.modules():
            if isinstance(module, ResnetBlock2D | TemporalResnetBlock):
                _silence(module.conv2)
            if isinstance(module, TransformerSpatioTemporalModel):
                _silence(module.proj_out)
        _open_path(unet)
    return unet


def _open_path(unet: UNetSpatioTemporalConditionModel) -> None:
    """Lets each input channel through, as the pair of one group, to the last block and, for the condition, on to the output."""
    conv_in, shortcut, conv_out = unet.conv_in, unet.up_blocks[-1].resnets[-1].spatial_res_block.conv_shortcut, unet.conv_out
    for channel in range(2 * LATENT_CHANNELS):
        group = slice(3 * channel, 3 * channel + 3)
        conv_in.weight[group] = 0.0
        conv_in.weight[group, channel, 1, 1] = torch.tensor([1.0, -1.0, 0.0])
        conv_in.bias[group] = torch.tensor([0.0, 0.0, 1.0])
    width = conv_in.out_channels
    shortcut.weight[:, -width:, 0, 0] = torch.eye(width)
    conv_out.weight *= 0.1
    for channel in range(LATENT_CHANNELS):
        first = 3 * (LATENT_CHANNELS + channel)
        conv_out.weight[channel, first : first + 2, 1, 1] = torch.tensor([-0.4, 0.4])


def _silence(layer: nn.Module) -> None:
    for weight in layer.parameters():
        weight.zero_()


def new_image_encoder() -> CLIPVisionModelWithProjection:
    config = CLIPVisionConfig(
        hidden_size=96,
        intermediate_size=192,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
        projection_dim=CONTEXT,
    )
    return CLIPVisionModelWithProjection(config)


def new_scheduler() -> EulerDiscreteScheduler:
    """SVD's configuration with a shorter grid: at 64 pixels, sigma 80 already drowns everything."""
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        interpolation_type="linear",
        use_karras_sigmas=True,
        sigma_min=0.002,
        sigma_max=80.0,
        timestep_spacing="leading",
        timestep_type="continuous",
        steps_offset=1,
    )


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


def export(backbone: Backbone, target: Path) -> None:
    """A diffusers folder in SVD's own layout, float16 safetensors, with a CLIP preprocessor file and our recommended LoRA steps."""
    target.mkdir(parents=True, exist_ok=True)
    for part, module in (("unet", backbone.unet), ("vae", backbone.vae), ("image_encoder", backbone.image_encoder)):
        module.half().save_pretrained(target / part, variant="fp16")
    backbone.scheduler.save_pretrained(target / "scheduler")
    _write(target / "feature_extractor" / "preprocessor_config.json", {"image_mean": OPENAI_CLIP_MEAN, "image_std": OPENAI_CLIP_STD})
    index = {
        "_class_name": "StableVideoDiffusionPipeline",
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "unet": ["diffusers", "UNetSpatioTemporalConditionModel"],
        "vae": ["diffusers", "AutoencoderKLTemporalDecoder"],
    }
    _write(target / "model_index.json", index)
    _write(target / "i2vedit.json", {"lora_steps": 20, "guidance": [1.0, 1.0]})


def _write(path: Path, content: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def plot(folder: Path, target: Path) -> None:
    """Loss curves of the phases as one picture."""
    figure, axes = plt.subplots(1, 3, figsize=(14, 3.5))
    for axis, name in zip(axes, ("autoencoder", "decoder", "unet"), strict=True):
        losses = np.asarray(torch.load(folder / f"{name}.pt", weights_only=True)["losses"])
        width = min(50, len(losses))
        axis.plot(np.convolve(losses, np.ones(width) / width, "valid"))
        axis.set(title=f"{name}, mean of {width} steps", xlabel="step", ylabel="loss", yscale="log")
    figure.tight_layout()
    figure.savefig(target, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for the state of the run")
    parser.add_argument("--export", type=Path, required=True, help="folder that receives the finished model")
    parser.add_argument("--autoencoder", type=int, default=2900, help="autoencoder steps on single frames")
    parser.add_argument("--decoder", type=int, default=150, help="decoder steps on chunks")
    parser.add_argument("--unet", type=int, default=3000, help="UNet steps")
    parser.add_argument("--plot", type=Path, help="picture of the loss curves")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    options.work.mkdir(parents=True, exist_ok=True)
    shots = data(options.work)
    vae = train_autoencoder(options.work, shots, options.autoencoder, device)
    encoded = latents(options.work, shots, vae, device)
    train_decoder(options.work, shots, encoded, vae, options.decoder, device)
    backbone = train_unet(options.work, shots, encoded, vae, options.unet, device)
    export(backbone, options.export)
    if options.plot:
        plot(options.work, options.plot)


if __name__ == "__main__":
    main()
