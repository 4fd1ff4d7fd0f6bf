"""METHOD section 4: coarse motion extraction. One LoRA per chunk, on the temporal attention layers only, learns how the source moves."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from diffusers import UNetSpatioTemporalConditionModel
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from i2vedit_core.method.latents import require_finite
from i2vedit_core.method.seeds import seed_for
from i2vedit_core.progress import step_and_keep
from i2vedit_core.settings import LoraSettings
from i2vedit_core.tensor_files import find_tensors, save_tensors

TARGETS = ("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "attn2.to_v", "attn2.to_out.0")
"""Of each temporal block. attn2's q and k would get no gradient: its context is a single token."""


def velocity_loss(answer: Tensor, z_0: Tensor, epsilon: Tensor, sigma: Tensor) -> Tensor:
    """|| U - (epsilon - sigma z_0)/sqrt(1 + sigma^2) ||^2: the weighted denoising loss of section 4 without its large weights."""
    return (answer - (epsilon - sigma * z_0) / (1 + sigma**2).sqrt()).square().mean()


def draw_sigma(sigma_min: float, sigma_max: float, generator: torch.Generator) -> Tensor:
    """A noise level from the cosine log-SNR schedule cut to the model's range: sigma = tan(pi u / 2), u uniform."""
    low, high = (2 / math.pi * math.atan(sigma) for sigma in (sigma_min, sigma_max))
    u = low + (high - low) * torch.rand((), generator=generator)
    return torch.tan(math.pi / 2 * u)


class MotionLora:
    """The LoRA of a UNet. Off unless `on()`, so that every pass of the base model is the base model's."""

    def __init__(self, unet: UNetSpatioTemporalConditionModel, settings: LoraSettings) -> None:
        self.rank = settings.rank
        self._name = f"motion_r{settings.rank}_p{settings.dropout}".replace(".", "_")
        if self._name not in getattr(unet, "peft_config", {}):
            paths = [name for name, module in unet.named_modules() if _is_target(name, module)]
            config = LoraConfig(r=settings.rank, lora_alpha=settings.rank, lora_dropout=settings.dropout, target_modules=paths)
            inject_adapter_in_model(config, unet, adapter_name=self._name)
        self._layers = {name: module for name, module in unet.named_modules() if isinstance(module, LoraLayer)}
        for layer in self._layers.values():
            layer.set_adapter(self._name)
            layer.enable_adapters(False)
        for weight in self.weights.values():
            weight.data = weight.data.float()

    @property
    def weights(self) -> dict[str, nn.Parameter]:
        """Its parameters under the names other tools know, float32: `unet.PATH.lora_A.weight` [rank, in], `….lora_B.weight` [out, rank]."""
        pairs = ((path, layer.lora_A[self._name].weight, layer.lora_B[self._name].weight) for path, layer in self._layers.items())
        return {f"unet.{path}.{part}.weight": weight for path, a, b in pairs for part, weight in (("lora_A", a), ("lora_B", b))}

    def reset(self, seed: int) -> None:
        """As freshly made: A Kaiming-uniform from the seed, B zero, so that it starts by changing nothing."""
        generator = torch.Generator().manual_seed(seed)
        for name, weight in sorted(self.weights.items()):
            fresh = torch.zeros(weight.shape)
            if name.endswith("lora_A.weight"):
                nn.init.kaiming_uniform_(fresh, a=math.sqrt(5), generator=generator)
            weight.data.copy_(fresh)

    def load(self, tensors: dict[str, Tensor]) -> None:
        for name, weight in self.weights.items():
            weight.data.copy_(tensors[name])

    @contextmanager
    def on(self, training: bool = False) -> Iterator[None]:
        """The LoRA takes part in passes inside the block; with `training`, with its dropout and its gradients."""
        self._switch(True, training)
        try:
            yield
        finally:
            self._switch(False, False)

    def _switch(self, enabled: bool, training: bool) -> None:
        for layer in self._layers.values():
            layer.enable_adapters(enabled)
            layer.lora_dropout[self._name].train(training)
        for weight in self.weights.values():
            weight.requires_grad_(training)


def _is_target(name: str, module: nn.Module) -> bool:
    return isinstance(module, nn.Linear | LoraLayer) and ".temporal_transformer_blocks." in name and name.endswith(TARGETS)


@dataclass(frozen=True)
class Training:
    """The LoRA training of one chunk: what it learns from, and where its checkpoints lie."""

    settings: LoraSettings
    steps: int
    seed: int
    chunk: int
    sigma_range: tuple[float, float]
    checkpoints: Path


Answer = Callable[[Tensor], Tensor]
"""z -> U at one noise level, with the source's condition and, from chunk 1 on, chunk 0's keys in front."""
Network = Callable[[Tensor], AbstractContextManager[Answer]]
"""sigma -> a block in which the network can be asked at that noise level, and its gradient taken."""


def train_motion_lora(lora: MotionLora, z_0: Tensor, training: Training, network: Network, after_step: Callable[[int, float], None]) -> int:
    """Trains the LoRA on one chunk z_0 [1, F, C, h, w], going on from the newest checkpoint; `after_step(step, loss)` after each.

    Where `after_step` raises CANCELLED, the step that was done is kept as a checkpoint first. Returns the step it began with: 0 for a
    training that was not interrupted.
    """
    lora.reset(seed_for(training.seed, training.chunk, "lora"))
    if training.steps == 0:
        return 0
    optimizer = torch.optim.AdamW(lora.weights.values(), lr=training.settings.learning_rate, weight_decay=training.settings.weight_decay)
    checkpoints = Checkpoints(training.checkpoints, training.steps)
    first = checkpoints.restore(lora, optimizer)
    for step in range(first, training.steps):
        loss = _train_step(lora, optimizer, z_0, training, network, step)
        is_due = (step + 1) % training.settings.checkpoint_every == 0 or step + 1 == training.steps
        step_and_keep(partial(after_step, step, loss), partial(checkpoints.save, lora, optimizer, step + 1), is_due)
    return first


def _train_step(lora: MotionLora, optimizer: torch.optim.Optimizer, z_0: Tensor, training: Training, network: Network, step: int) -> float:
    generator = torch.Generator().manual_seed(seed_for(training.seed, training.chunk, "train", step))
    sigma = draw_sigma(*training.sigma_range, generator).to(z_0)
    epsilon = torch.randn(z_0.shape, generator=generator).to(z_0)
    with torch.random.fork_rng(), torch.enable_grad(), lora.on(training=True), network(sigma) as answer:
        torch.manual_seed(seed_for(training.seed, training.chunk, "dropout", step))
        loss = velocity_loss(answer(z_0 + sigma * epsilon), z_0, epsilon, sigma)
        optimizer.zero_grad(set_to_none=True)
        # The sum's gradient is of the order of one; the mean's would vanish in half precision on its way through the network.
        (loss * z_0.numel()).backward()
    for weight in lora.weights.values():
        weight.grad = None if weight.grad is None else weight.grad / z_0.numel()
    # Before the step: weights that are no numbers would be kept as a checkpoint, and found by every later run.
    gradients = [weight.grad for weight in lora.weights.values() if weight.grad is not None]
    require_finite(torch.stack([loss.detach(), nn.utils.get_total_norm(gradients)]), "training the motion LoRA")
    optimizer.step()
    return float(loss.detach())


def is_trained(folder: Path, steps: int) -> bool:
    """Whether a training of so many steps has come to its end in this folder, and its file is whole."""
    return steps == 0 or find_tensors(_file(folder, steps)) is not None


class Checkpoints:
    """LoRA and optimiser of one chunk on disk. A checkpoint is whole or not there; the newest replaces the one before."""

    def __init__(self, folder: Path, steps: int) -> None:
        self._folder, self._steps = folder, steps

    def save(self, lora: MotionLora, optimizer: torch.optim.Optimizer, step: int) -> None:
        tensors = {name: weight.data for name, weight in lora.weights.items()}
        if step < self._steps:  # a finished LoRA is never trained on, so its optimiser would be dead weight
            tensors |= {f"{name}.{key}": optimizer.state[weight][key] for name, weight in lora.weights.items() for key in _MOMENTS}
        older = self._all()
        metadata = {"format": "pt", "r": str(lora.rank), "lora_alpha": str(lora.rank)}
        save_tensors(_file(self._folder, step), tensors, metadata)
        for file in older:
            file.unlink(missing_ok=True)

    def restore(self, lora: MotionLora, optimizer: torch.optim.Optimizer) -> int:
        """Takes up the newest checkpoint that is whole and says at which step to go on; 0 without one."""
        files = [file for file in reversed(self._all()) if _step_of(file) <= self._steps]
        found = next(((_step_of(file), tensors) for file in files if (tensors := find_tensors(file)) is not None), None)
        if found is None:
            return 0
        step, tensors = found
        lora.load(tensors)
        if step < self._steps:
            for name, weight in lora.weights.items():
                moments = {key: tensors[f"{name}.{key}"].to(weight.device) for key in _MOMENTS}
                optimizer.state[weight] = {"step": torch.tensor(float(step)), **moments}
        return step

    def _all(self) -> list[Path]:
        return sorted(self._folder.glob("lora_??????.safetensors"))


_MOMENTS = ("exp_avg", "exp_avg_sq")


def _file(folder: Path, step: int) -> Path:
    return folder / f"lora_{step:06d}.safetensors"


def _step_of(file: Path) -> int:
    return int(file.stem.removeprefix("lora_"))
