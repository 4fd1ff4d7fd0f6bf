"""Every random draw goes through a generator of its own, named by what it is for, so that a resumed job draws the same numbers."""

import hashlib

import torch
from torch import Tensor


def seed_for(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose, such as (chunk, "train", step), of a job's seed."""
    name = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def noise_like(like: Tensor, seed: int, *purpose: str | int) -> Tensor:
    """Unit Gaussian noise of the shape, type and device of `like`, drawn on the CPU: the same numbers on every device."""
    generator = torch.Generator().manual_seed(seed_for(seed, *purpose))
    return torch.randn(like.shape, generator=generator).to(like)
