"""Which parts of the model are on its device. Where memory is short, those that a stage does not need wait in host memory."""

from collections.abc import Iterable

import torch
from torch import nn

from i2vedit_core.backbone import Backbone


class Residence:
    """Where the parts of one backbone live: UNet, autoencoder and image encoder.

    Each stage says what it needs (`bring`). With `offload` the rest waits in host memory meanwhile; without, all stay on the device.
    """

    def __init__(self, backbone: Backbone, offload: bool) -> None:
        self._parts: tuple[nn.Module, ...] = (backbone.unet, backbone.vae, backbone.image_encoder)
        self._device, self._offload = backbone.device, offload
        if not offload:  # an earlier shot may have left some of them in host memory
            self._move(self._parts, backbone.device)

    def bring(self, *needed: nn.Module) -> None:
        """Has these parts on the device, and in time to make room, the others off it."""
        if self._offload:
            self._move([part for part in self._parts if part not in needed], torch.device("cpu"))
            self._move(needed, self._device)

    @staticmethod
    def _move(parts: Iterable[nn.Module], device: torch.device) -> None:
        for part in parts:
            part.to(device)
