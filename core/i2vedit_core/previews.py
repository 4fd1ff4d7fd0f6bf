"""What an edit is going to look like, seen while it is denoised: a few small frames of the clean latent that the network believes in."""

import io
import logging
import time
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

from i2vedit_core.backbone import Backbone
from i2vedit_core.legs import Leg
from i2vedit_core.media.fit import Fit
from i2vedit_core.media.pixels import Picture
from i2vedit_core.method.chunks import Chunk
from i2vedit_core.pictures import to_pictures
from i2vedit_core.progress import Reporter

EVERY = 3
"""So many steps from one look to the next."""
SHARE = 0.02
"""Of the time may go into looking, at most: a machine that decodes slowly looks less often."""
LONGEST_SIDE = 256
JPEG_QUALITY = 85

_log = logging.getLogger(__name__)


class Previewer:
    """Shows the first, the middle and the last frame of the chunk in hand to whoever watches. Draws no random number, changes nothing."""

    def __init__(self, backbone: Backbone, fit: Fit, leg: Leg, report: Reporter) -> None:
        self._backbone, self._fit, self._leg, self._report = backbone, fit, leg, report
        self._ready_seconds = 0.0
        self._has_room = True

    def __call__(self, chunk: Chunk, step: int, clean: Tensor) -> None:
        """clean: [1, F, C, h, w], scaled, as `method.preparation.LookAtChunk` has it."""
        if step % EVERY != EVERY - 1 or not self._has_room or not self._report.wants_previews or time.monotonic() < self._ready_seconds:
            return
        began = time.monotonic()
        try:
            for index, jpeg in self._frames(clean):
                self._report.preview(chunk.index, step, self._leg.seen_in(chunk)[index], jpeg)
        except torch.OutOfMemoryError:
            _log.info("there is no room to decode previews; this job goes on without")
            self._has_room = False
        self._ready_seconds = time.monotonic() + (time.monotonic() - began) / SHARE

    @torch.no_grad()
    def _frames(self, clean: Tensor) -> Iterator[tuple[int, bytes]]:
        """Latents are averaged to the size that is shown before they are decoded: what was averaged away need not be computed."""
        count, wide = clean.shape[1], max(self._fit.width, self._fit.height)
        for index in sorted({0, count // 2, count - 1}):
            latent = avg_pool2d(clean[0, index], -(-wide // LONGEST_SIDE), ceil_mode=True)[None]
            pixels = self._backbone.vae.decode(latent.float() / self._backbone.latent_scale, num_frames=1).sample.float()
            yield index, _jpeg(self._content(to_pictures(pixels.clamp(-1, 1))[0]))

    def _content(self, picture: Picture) -> Picture:
        """Without the edge that was repeated to fill the model's picture."""
        fit = self._fit
        down, across = picture.shape[0] / fit.height, picture.shape[1] / fit.width
        rows = slice(round(fit.top * down), max(round((fit.top + fit.content_height) * down), 1))
        columns = slice(round(fit.left * across), max(round((fit.left + fit.content_width) * across), 1))
        return picture[rows, columns]


def _jpeg(picture: Picture) -> bytes:
    """[h, w, 3] in 0..1; what is no number is black."""
    codes = np.rint(np.nan_to_num(picture) * 255).astype(np.uint8)
    made = io.BytesIO()
    Image.fromarray(codes).save(made, "jpeg", quality=JPEG_QUALITY, subsampling=0)
    return made.getvalue()
